import { Redis } from "ioredis";
import { afterAll, beforeEach, expect, test } from "vitest";
import { testRedis } from "../../test/setup/redis.ts";
import { parseConversationId, parseMessageId } from "../kernel/ids.ts";
import { createMessageLocator } from "./message-locator.ts";

const redis = new Redis(await testRedis());
afterAll(() => redis.disconnect());
beforeEach(async () => {
  await redis.flushdb();
});

const locator = createMessageLocator(redis);
const id = parseMessageId("m1");
const here = parseConversationId("api:alice");
const there = parseConversationId("api:bob");

test("a message nobody sent is nowhere", async () => {
  expect(await locator.find(id)).toBeUndefined();
});

test("the first conversation to claim a message has it, however often others ask", async () => {
  expect(await locator.claim(id, here)).toBe(here);
  expect(await locator.claim(id, here)).toBe(here);
  expect(await locator.claim(id, there)).toBe(here);
  expect(await locator.find(id)).toBe(here);
});

test("a pointer is kept for two days from when it was last asked for", async () => {
  await locator.claim(id, here);
  expect(await redis.pttl("msg:m1")).toBeGreaterThan(172_000_000);
  await redis.pexpire("msg:m1", 1000);
  await locator.find(id);
  expect(await redis.pttl("msg:m1")).toBeGreaterThan(172_000_000);
  expect(await redis.pttl("msg:m1")).toBeLessThanOrEqual(172_800_000);
});
