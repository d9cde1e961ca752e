import { readFile } from "node:fs/promises";
import { Redis } from "ioredis";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { testRedis } from "../../../test/setup/redis.ts";
import { parseWorkspaceId } from "../../kernel/ids.ts";
import { createPersonServerStore, MAX_PERSON_SERVERS } from "./person-servers.ts";

const redis = new Redis(await testRedis());
const store = createPersonServerStore(redis);
afterAll(() => redis.disconnect());
beforeEach(() => redis.flushdb());

const ADA = parseWorkspaceId("slack:U1");
const BOB = parseWorkspaceId("slack:U2");
const team = { name: "team", url: "https://a.example/mcp", hasSecrets: false, at: 5 };

describe("a person's servers", () => {
  test("are listed by name, and nobody else's", async () => {
    await store.add(ADA, team);
    await store.add(ADA, { ...team, name: "a", hasSecrets: true });
    expect(await store.list(ADA)).toEqual({
      servers: [{ ...team, name: "a", hasSecrets: true }, team],
      unreadable: [],
    });
    expect(await store.list(BOB)).toEqual({ servers: [], unreadable: [] });
    expect(await store.remove(BOB, "team")).toBe(false);
    expect(await store.remove(ADA, "team")).toBe(true);
    expect((await store.list(ADA)).servers).toHaveLength(1);
  });

  test("are stored in the documented form", async () => {
    await store.add(ADA, team);
    expect(await redis.keys("*")).toEqual(["{ws:slack:U1}:mcp"]);
    expect(await redis.hgetall("{ws:slack:U1}:mcp")).toEqual({
      team: '{"url":"https://a.example/mcp","secrets":false,"at":5}',
    });
  });

  test("have names of their own; adding the same again, as after a lost reply, is no mistake", async () => {
    await store.add(ADA, team);
    await store.add(ADA, team);
    await expect(store.add(ADA, { ...team, url: "https://b.example" })).rejects.toThrow('named "team" already');
  });

  test("are so many at most, however many are added at once", async () => {
    const many = Array.from({ length: 30 }, (_, n) => store.add(ADA, { ...team, name: `s${n}` }));
    const outcomes = await Promise.allSettled(many);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(MAX_PERSON_SERVERS);
    expect((await store.list(ADA)).servers).toHaveLength(MAX_PERSON_SERVERS);
    await store.remove(ADA, "s0");
    await store.add(ADA, team);
  });

  test.each(["{}", "no json", '{"url":"ftp://x","secrets":false,"at":1}'])("damaged as %s are named", async (text) => {
    await redis.hset("{ws:slack:U1}:mcp", "team", text);
    expect(await store.list(ADA)).toEqual({ servers: [], unreadable: ["team"] });
  });
});

test("the script's header names its keys, arguments and replies as its definition does", async () => {
  const read = (file: string) => readFile(new URL(file, import.meta.url), "utf8");
  const [lua, source] = await Promise.all([read("./add-person-server.lua"), read("./person-servers.ts")]);
  const [, keys, args, reply] = /KEYS(.*?)ARGV(.*?)Reply(.*?)\]\]/s.exec(lua) ?? [];
  const names = (text = "") => [...text.matchAll(/^\s*(\w+) {2}/gm)].map(([, name]) => name);
  const quoted = (text = "") => [...text.matchAll(/"(\w+)"/g)].map(([, word]) => word);
  expect(names(keys)).toEqual(quoted(/keys: (\[.*?\])/.exec(source)?.[1]));
  expect(names(args)).toEqual(quoted(/args: (\[.*?\])/.exec(source)?.[1]));
  expect(quoted(reply)).toEqual(quoted(/z\.enum\((\[.*?\])/.exec(source)?.[1]));
});
