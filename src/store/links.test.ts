import { Redis } from "ioredis";
import { afterAll, expect, test } from "vitest";
import { parseWorkspaceId } from "../kernel/ids.ts";
import { testRedis } from "../../test/setup/redis.ts";
import { createLinkStore, MAX_LINKED } from "./links.ts";

const redis = new Redis(await testRedis());
afterAll(() => redis.disconnect());
const links = createLinkStore(redis);
let count = 0;
const account = (name: string) => parseWorkspaceId(`${name}-${(count += 1)}`);

test("two accounts that use one code at the same time: one joins", async () => {
  const [home, one, two] = [account("home"), account("one"), account("two")];
  const code = await links.issue(home);
  const replies = await Promise.all([links.join(one, code, 1), links.join(two, code, 1)]);
  expect(replies.map(({ kind }) => kind).toSorted()).toEqual(["joined", "unknown"]);
  expect(await links.list(home)).toHaveLength(1);
});

test("two that join each other at the same time: one does, and neither stands for the other's other", async () => {
  const [one, two] = [account("one"), account("two")];
  const [codeOfOne, codeOfTwo] = [await links.issue(one), await links.issue(two)];
  const replies = await Promise.all([links.join(one, codeOfTwo, 1), links.join(two, codeOfOne, 1)]);
  expect(replies.map(({ kind }) => kind).toSorted()).toEqual(["joined", "unknown"]);
  expect(await links.resolve(one)).toBe(await links.resolve(two));
});

test("there are no chains: who is linked gives no code that works, and who has links joins nobody", async () => {
  const [root, middle, leaf] = [account("root"), account("middle"), account("leaf")];
  const codeOfMiddle = await links.issue(middle);
  await links.join(middle, await links.issue(root), 1);
  expect(await links.join(leaf, codeOfMiddle, 1)).toEqual({ kind: "unknown" });
  expect(await links.join(root, await links.issue(leaf), 1)).toEqual({ kind: "has-links" });
  expect(await links.join(middle, await links.issue(leaf), 1)).toEqual({ kind: "elsewhere", workspace: root });
});

test("joining twice with the same code gives the same reply, until the link is removed", async () => {
  const [home, one] = [account("home"), account("one")];
  const code = await links.issue(home);
  expect(await links.join(one, code, 1)).toEqual({ kind: "joined", workspace: home });
  expect(await links.join(one, code, 2)).toEqual({ kind: "joined", workspace: home });
  expect(await links.list(home)).toEqual([{ identity: one, at: 1 }]);
  expect(await links.remove(home, one)).toBe(true);
  expect(await links.remove(home, one)).toBe(false);
  expect(await links.join(one, code, 3)).toEqual({ kind: "unknown" });
});

test("a link is removed by its own workspace only", async () => {
  const [home, one, stranger] = [account("home"), account("one"), account("stranger")];
  await links.join(one, await links.issue(home), 1);
  expect(await links.remove(stranger, one)).toBe(false);
  expect(await links.resolve(one)).toBe(home);
});

test("guessing is slowed down: after five wrong codes even the right one waits", async () => {
  const [home, guesser] = [account("home"), account("guesser")];
  const code = await links.issue(home);
  for (let guess = 0; guess < 5; guess++)
    expect(await links.join(guesser, "AAAAA-AAAAA", 1)).toEqual({ kind: "unknown" });
  expect(await links.join(guesser, code, 1)).toEqual({ kind: "slow-down" });
  await redis.del(`{links}:tries:${guesser}`);
  expect(await links.join(guesser, code, 1)).toEqual({ kind: "joined", workspace: home });
});

test("codes, wrong tries and used codes have an end, and no code stands in Redis as it is", async () => {
  const [home, one] = [account("home"), account("one")];
  const code = await links.issue(home);
  await links.join(one, "wrong", 1);
  await links.join(one, code, 1);
  await links.join(account("late"), code, 1);
  for (const key of await redis.keys("{links}:*"))
    if (!/^\{links\}:(of|to:.*)$/.test(key)) expect([key, (await redis.pttl(key)) > 0]).toEqual([key, true]);
  expect((await redis.keys("*")).join()).not.toContain(code.replace("-", ""));
});

test("a workspace has a limit of accounts", async () => {
  const home = account("home");
  for (let linked = 0; linked < MAX_LINKED; linked++) await links.join(account("x"), await links.issue(home), 1);
  expect(await links.join(account("x"), await links.issue(home), 1)).toEqual({ kind: "full" });
});
