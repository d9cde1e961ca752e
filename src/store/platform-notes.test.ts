import { Redis } from "ioredis";
import { afterAll, expect, test } from "vitest";
import { testRedis } from "../../test/setup/redis.ts";
import { createPlatformNotes } from "./platform-notes.ts";

const redis = new Redis(await testRedis());
afterAll(() => redis.disconnect());
const notes = createPlatformNotes(redis, "discord");

test("a note is read back, ends by itself, and is another one on another platform", async () => {
  await notes.write("moved:1", "2");
  expect(await notes.read("moved:1")).toBe("2");
  expect(await createPlatformNotes(redis, "telegram").read("moved:1")).toBeUndefined();
  expect(await redis.pttl("note:{discord}:moved:1")).toBeGreaterThan(0);
});

test("what is kept first is what everybody gets", async () => {
  expect(await notes.keep("where:9", "thread")).toBe("thread");
  expect(await notes.keep("where:9", "channel")).toBe("thread");
  expect(await notes.read("where:9")).toBe("thread");
});

test("a channel's place only moves forward", async () => {
  await notes.reach("c1", "100", 1_000);
  await notes.reach("c2", "7", 3_000);
  await notes.reach("c1", "101", 2_000);
  await notes.reach("c1", "99", 500);
  expect(await notes.reached()).toEqual([
    { channel: "c2", cursor: "7", at: 3_000 },
    { channel: "c1", cursor: "101", at: 2_000 },
  ]);
});

test("the channels that were silent longest are forgotten first", async () => {
  const many = createPlatformNotes(redis, "slack");
  for (let channel = 0; channel < 1_010; channel++) await many.reach(`c${channel}`, "1", channel);
  const reached = await many.reached();
  expect([reached.length, reached[0]?.channel, reached.at(-1)?.channel]).toEqual([1_000, "c1009", "c10"]);
  expect(await redis.hlen("reached:{slack}")).toBe(1_000);
});
