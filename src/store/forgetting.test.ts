import { Redis } from "ioredis";
import { afterAll, expect, test } from "vitest";
import { parseWorkspaceId } from "../kernel/ids.ts";
import { testRedis } from "../../test/setup/redis.ts";
import { createForgettingStore } from "./forgetting.ts";

const redis = new Redis(await testRedis());
afterAll(() => redis.disconnect());
const store = createForgettingStore(redis);
const plan = { things: 3 };
const receipt = { deleted: plan, kept: ["a mark"], interrupted: false, at: 1 };

test("a request that is sent twice begins once, and gives its receipt when it is over", async () => {
  const ada = parseWorkspaceId("ada");
  const request = { operation: "one", attempt: "a", plan };
  expect(await store.begin(ada, request)).toEqual({ kind: "begun", plan });
  expect(await store.begin(ada, { ...request, plan: { things: 0 } })).toEqual({ kind: "begun", plan });
  await store.finish(ada, receipt);
  expect(await store.begin(ada, { ...request, attempt: "b", plan: {} })).toEqual({ kind: "finished", receipt });
});

test("another attempt, by whatever request, goes on under the first plan until it is finished", async () => {
  const bob = parseWorkspaceId("bob");
  await store.begin(bob, { operation: "one", attempt: "a", plan });
  expect(await store.begin(bob, { operation: "two", attempt: "b", plan: { things: 1 } })).toEqual({
    kind: "resumed",
    plan,
  });
  expect(await store.begin(bob, { operation: "two", attempt: "b", plan: {} })).toEqual({ kind: "resumed", plan });
  await store.finish(bob, receipt);
  expect(await store.begin(bob, { operation: "three", attempt: "c", plan: {} })).toEqual({ kind: "begun", plan: {} });
});

test("progress has an end", async () => {
  const cid = parseWorkspaceId("cid");
  await store.begin(cid, { operation: "one", attempt: "a", plan });
  expect(await redis.pttl("{ws:cid}:forgetting")).toBeGreaterThan(0);
  await store.finish(cid, receipt);
  expect(await redis.pttl("{ws:cid}:forgetting")).toBeGreaterThan(0);
});
