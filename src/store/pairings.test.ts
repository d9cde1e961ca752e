import { Redis } from "ioredis";
import { afterAll, expect, test } from "vitest";
import { testRedis } from "../../test/setup/redis.ts";
import { parseWorkspaceId } from "../kernel/ids.ts";
import { createPairingStore } from "./pairings.ts";

const redis = new Redis(await testRedis());
afterAll(() => redis.disconnect());
const pairings = createPairingStore(redis, { now: () => 1_700_000_000_000 });
let count = 0;
const account = () => parseWorkspaceId(`telegram:${++count}`);

test("who asks gets one code, also when they ask again, and is let in by it", async () => {
  const ada = account();
  expect(await pairings.isPaired(ada)).toBe(false);
  const code = (await pairings.ask(ada, "Ada")) ?? "";
  expect(code).toMatch(/^[A-Z2-9]{8}$/);
  expect(await pairings.ask(ada, "Ada")).toBe(code);
  expect(await pairings.pending()).toContainEqual({ code, account: ada, name: "Ada", expiresAt: 1_700_003_600_000 });
  expect(await pairings.pair(` ${code.slice(0, 4)}-${code.slice(4).toLowerCase()} `, "root")).toEqual({
    account: ada,
    name: "Ada",
  });
  expect(await pairings.isPaired(ada)).toBe(true);
  expect((await pairings.pending()).map((each) => each.code)).not.toContain(code);
  expect(await pairings.list()).toContainEqual({ account: ada, name: "Ada", by: "root", at: 1_700_000_000_000 });
});

test("pairing twice with a code is the same as once", async () => {
  const bob = account();
  const code = (await pairings.ask(bob, "Bob")) ?? "";
  await pairings.pair(code, "root");
  expect(await pairings.pair(code, "somebody else")).toEqual({ account: bob, name: "Bob" });
  expect(await pairings.list()).toContainEqual({ account: bob, name: "Bob", by: "root", at: 1_700_000_000_000 });
});

test("an unknown code lets nobody in", async () => {
  expect(await pairings.pair("AAAAAAAA", "root")).toBe("unknown");
  expect(await pairings.pair("", "root")).toBe("unknown");
});

test("who is removed is a stranger again", async () => {
  const eve = account();
  await pairings.pair((await pairings.ask(eve, "Eve")) ?? "", "root");
  expect(await pairings.remove(eve)).toBe(true);
  expect(await pairings.isPaired(eve)).toBe(false);
  expect(await pairings.remove(eve)).toBe(false);
});

test("codes end by themselves, and only so many wait at a time", async () => {
  const own = new Redis(await testRedis());
  const crowded = createPairingStore(own, { now: () => 1_700_000_000_000 });
  for (let asked = 0; asked < 500; asked++) expect(await crowded.ask(account(), "x")).toBeDefined();
  expect(await crowded.ask(account(), "one too many")).toBeUndefined();
  for (const key of await own.keys("{pair}:*")) expect([key, (await own.pttl(key)) > 0]).toEqual([key, true]);
  const later = createPairingStore(own, { now: () => 1_700_004_000_000 });
  expect(await later.ask(account(), "an hour later")).toBeDefined();
  own.disconnect();
});
