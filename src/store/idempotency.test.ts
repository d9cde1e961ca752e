import { Redis } from "ioredis";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { testRedis } from "../../test/setup/redis.ts";
import { createIdempotencyStore } from "./idempotency.ts";

const redis = new Redis(await testRedis());
afterAll(() => redis.disconnect());
beforeEach(async () => {
  await redis.flushdb();
});

let count = 0;
const newId = () => `id${(count += 1)}`;
const store = createIdempotencyStore(redis, { newId });
// A lease that is over at once stands for an attempt that crashed.
const crashing = createIdempotencyStore(redis, { newId, leaseMs: 0 });

async function begin(name: string, print = "print") {
  const begun = await store.begin(name, print);
  if (begun.kind !== "begun") throw new Error(`expected to begin, got ${begun.kind}`);
  return begun;
}

describe("begin-request", () => {
  test("begins what nobody has asked for", async () => {
    expect(await store.begin("a", "print")).toMatchObject({ kind: "begun" });
  });

  test("tells that an attempt is under way", async () => {
    await begin("a");
    expect(await store.begin("a", "print")).toEqual({ kind: "busy" });
  });

  test("tells another request from a repeated one, also while that is under way", async () => {
    await begin("a");
    expect(await store.begin("a", "other")).toEqual({ kind: "other" });
  });

  test("gives the answer once there is one", async () => {
    const { token } = await begin("a");
    await store.end("a", token, { how: "answered", answer: "42" });
    expect(await store.begin("a", "print")).toEqual({ kind: "answered", answer: "42" });
    expect(await store.begin("a", "other")).toEqual({ kind: "other" });
  });

  test("begins anew under the same operation after an attempt that failed", async () => {
    const first = await begin("a");
    await store.end("a", first.token, { how: "failed" });
    const second = await begin("a");
    expect(second.operation).toBe(first.operation);
    expect(second.token).not.toBe(first.token);
  });

  test("begins anew under the same operation when the lease of an attempt is over", async () => {
    const first = await crashing.begin("a", "print");
    const second = await begin("a");
    expect(first).toMatchObject({ kind: "begun", operation: second.operation });
  });

  test("begins another request after one that was forgotten", async () => {
    const first = await begin("a");
    await store.end("a", first.token, { how: "forget" });
    const second = await begin("a", "other");
    expect(second.operation).not.toBe(first.operation);
  });
});

describe("end-request", () => {
  test.each(["answered", "failed", "forget"] as const)(
    "%s by an attempt that lost its lease changes nothing",
    async (how) => {
      const late = await crashing.begin("a", "print");
      const current = await begin("a");
      if (late.kind !== "begun") throw new Error("not begun");
      await store.end("a", late.token, how === "answered" ? { how, answer: "late" } : { how });
      expect(await store.begin("a", "print")).toEqual({ kind: "busy" });
      await store.end("a", current.token, { how: "answered", answer: "right" });
      expect(await store.begin("a", "print")).toEqual({ kind: "answered", answer: "right" });
    },
  );

  test.each([
    { ended: { how: "answered", answer: "42" }, next: "answered" },
    { ended: { how: "failed" }, next: "begun" },
    { ended: { how: "forget" }, next: "begun" },
  ] as const)("$ended.how may be sent twice", async ({ ended, next }) => {
    const { token } = await begin("a");
    await store.end("a", token, ended);
    await store.end("a", token, ended);
    expect(await store.begin("a", "print")).toMatchObject({ kind: next });
  });
});

test("a request is forgotten after a day", async () => {
  const { token } = await begin("a");
  expect(await redis.pttl("idem:a")).toBeGreaterThan(86_000_000);
  await store.end("a", token, { how: "answered", answer: "42" });
  expect(await redis.pttl("idem:a")).toBeGreaterThan(86_000_000);
  expect(await redis.pttl("idem:a")).toBeLessThanOrEqual(86_400_000);
});
