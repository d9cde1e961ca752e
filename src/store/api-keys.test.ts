import { readFile } from "node:fs/promises";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testRedis } from "../../test/setup/redis.ts";
import { parseWorkspaceId } from "../kernel/ids.ts";
import { Secret } from "../kernel/secret.ts";
import { createApiKeyStore, type ApiKeyScope, type ApiKeyStore } from "./api-keys.ts";

let redis: Redis;
let store: ApiKeyStore;
let now = 0;
let ids = 0;

beforeAll(async () => {
  redis = new Redis(await testRedis());
});
afterAll(() => redis.disconnect());
beforeEach(async () => {
  await redis.flushdb();
  now = 1000;
  ids = 0;
  store = createApiKeyStore(redis, { newId: () => `key${++ids}`, clock: { now: () => now++ } });
});

describe("API keys", () => {
  test("a new key is recognised, with what it may do", async () => {
    const userId = parseWorkspaceId("ada");
    const { id, key } = await store.create({ name: " Ada's script ", scopes: ["read", "chat", "read"], userId });
    expect(key).toMatch(/^pk_[A-Za-z0-9_-]{43}$/);
    expect(await store.verify(key)).toEqual({
      id,
      name: "Ada's script",
      scopes: ["chat", "read"],
      userId,
      createdAt: 1000,
    });
  });

  test("nothing that is stored contains the key", async () => {
    const { key } = await store.create({ name: "one", scopes: ["admin"] });
    const stored = JSON.stringify(await redis.hgetall("{keys}:api"));
    expect(await redis.keys("*")).toEqual(["{keys}:api"]);
    expect(stored).not.toContain(key);
    expect(stored).not.toContain(key.slice(3));
  });

  test("no two keys are equal", async () => {
    const made = await Promise.all(Array.from({ length: 50 }, () => store.create({ name: "n", scopes: ["read"] })));
    expect(new Set(made.map(({ key }) => key)).size).toBe(50);
  });

  test("keys are listed oldest first, without the keys themselves", async () => {
    await store.create({ name: "first", scopes: ["admin"] });
    await store.create({ name: "second", scopes: ["read"] });
    expect(await store.list()).toEqual([
      { id: "key1", name: "first", scopes: ["admin"], createdAt: 1000 },
      { id: "key2", name: "second", scopes: ["read"], createdAt: 1001 },
    ]);
  });

  test("a revoked key is refused from then on, and the others are not", async () => {
    const gone = await store.create({ name: "gone", scopes: ["chat"] });
    const kept = await store.create({ name: "kept", scopes: ["chat"] });
    expect(await store.revoke(gone.id)).toBe(true);
    expect(await store.revoke(gone.id)).toBe(false);
    expect(await store.verify(gone.key)).toBeUndefined();
    expect(await store.verify(kept.key)).toMatchObject({ name: "kept" });
  });

  test.each(["", "pk_", "nonsense", `pk_${"A".repeat(43)}`, `pk_${"A".repeat(5000)}`, "pk_\n", "{keys}:api"])(
    "%j is no key",
    async (key) => {
      await store.create({ name: "real", scopes: ["admin"] });
      expect(await store.verify(key)).toBeUndefined();
    },
  );

  test.each<[string, readonly ApiKeyScope[], RegExp]>([
    ["", ["admin"], /name/],
    ["   ", ["admin"], /name/],
    ["x".repeat(101), ["admin"], /name/],
    ["fine", [], /scopes/],
  ])("a key named %j with the scopes %j is refused", async (name, scopes, message) => {
    await expect(store.create({ name, scopes })).rejects.toThrow(message);
    expect(await store.list()).toEqual([]);
  });

  test("there are never more than 1,000 keys, however many are made at once", async () => {
    for (let n = 0; n < 990; n++) await redis.hset("{keys}:api", `filler${n}`, "{}");
    const tries = await Promise.allSettled(
      Array.from({ length: 30 }, () => store.create({ name: "n", scopes: ["read"] })),
    );
    expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
    expect(await redis.hlen("{keys}:api")).toBe(1000);
    expect(String(tries.find((one) => one.status === "rejected")?.reason)).toMatch(/1000 API keys already/);
  });

  test("making a key whose reply was lost and that is sent again keeps one key", async () => {
    const { key } = await store.create({ name: "once", scopes: ["read"] });
    const [hash = "", entry = ""] = Object.entries(await redis.hgetall("{keys}:api"))[0] ?? [];
    const lua = await readFile(new URL("./scripts/add-api-key.lua", import.meta.url), "utf8");
    expect(await redis.eval(lua, 1, "{keys}:api", hash, entry, 1)).toBe("added");
    expect(await redis.eval(lua, 1, "{keys}:api", "another", entry, 1)).toBe("full");
    expect(await store.list()).toHaveLength(1);
    expect(await store.verify(key)).toMatchObject({ name: "once" });
  });

  test("an entry somebody damaged grants nothing and says where it is", async () => {
    const { key } = await store.create({ name: "one", scopes: ["admin"] });
    const [hash = ""] = await redis.hkeys("{keys}:api");
    await redis.hset("{keys}:api", hash, '{"id":"key1","name":"one","scopes":["everything"],"at":1}');
    await expect(store.verify(key)).rejects.toThrow(`Redis key {keys}:api, field ${hash}`);
  });
});

describe("the key from the configuration", () => {
  const configured = () =>
    createApiKeyStore(redis, { newId: () => "id", clock: { now: () => now }, adminKey: new Secret("correct horse") });

  test("is an admin key and is not stored", async () => {
    expect(await configured().verify("correct horse")).toMatchObject({ name: "PARLEY_API_KEY", scopes: ["admin"] });
    expect(await redis.keys("*")).toEqual([]);
  });

  test.each(["correct hors", "correct horse ", "Correct horse", ""])("%j is not taken for it", async (key) => {
    expect(await configured().verify(key)).toBeUndefined();
  });

  test("does not exist when it is not set", async () => {
    expect(await store.verify("correct horse")).toBeUndefined();
  });
});
