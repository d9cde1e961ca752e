import { inspect } from "node:util";
import { Redis } from "ioredis";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testRedis } from "../../test/setup/redis.ts";
import { OutsideError } from "../kernel/errors.ts";
import { parseWorkspaceId } from "../kernel/ids.ts";
import { Secret } from "../kernel/secret.ts";
import { createCredentialStore, type CredentialStore } from "./credentials.ts";

const ADA = parseWorkspaceId("ada");
const BOB = parseWorkspaceId("bob");
const MASTER = new Secret("correct horse battery staple");
const OTHER_MASTER = new Secret("another master key, long enough");

let redis: Redis;
let store: CredentialStore;
beforeAll(async () => {
  redis = new Redis(await testRedis());
});
afterAll(() => redis.disconnect());
beforeEach(async () => {
  await redis.flushdb();
  store = createCredentialStore(redis, { masterKey: MASTER });
});

const set = (name: string, value: string, who = ADA) => store.set(who, { name, value: new Secret(value), at: 7 });

describe("credentials", () => {
  test("come back as they were stored, as secrets", async () => {
    await set("github", "ghp_tökén 🔑");
    const revealed = await store.reveal(ADA, "github");
    expect(revealed).toBeInstanceOf(Secret);
    expect(revealed?.reveal()).toBe("ghp_tökén 🔑");
  });

  test("are replaced by what is stored under the same name", async () => {
    await set("github", "old");
    await set("github", "new");
    expect((await store.reveal(ADA, "github"))?.reveal()).toBe("new");
    expect(await store.list(ADA)).toEqual([{ name: "github", at: 7 }]);
  });

  test("are listed by name, without their values", async () => {
    await set("zulip", "zulip-value");
    await set("github", "github-value");
    expect(await store.list(ADA)).toEqual([
      { name: "github", at: 7 },
      { name: "zulip", at: 7 },
    ]);
  });

  test("that were deleted are gone, and the others are not", async () => {
    await set("github", "one");
    await set("zulip", "two");
    expect(await store.delete(ADA, "github")).toBe(true);
    expect(await store.delete(ADA, "github")).toBe(false);
    expect(await store.reveal(ADA, "github")).toBeUndefined();
    expect((await store.reveal(ADA, "zulip"))?.reveal()).toBe("two");
  });

  test("are all forgotten at once, of one person only", async () => {
    await set("github", "one");
    await set("github", "two", BOB);
    await store.eraseCredentials(ADA);
    expect(await store.list(ADA)).toEqual([]);
    expect((await store.reveal(BOB, "github"))?.reveal()).toBe("two");
  });
});

describe("at rest", () => {
  test("nothing in Redis holds the value or the master key, also not encoded", async () => {
    await set("github", "hunter2hunter2");
    const dump = JSON.stringify(await redis.hgetall("{ws:ada}:credentials"));
    expect(await redis.keys("*")).toEqual(["{ws:ada}:credentials"]);
    for (const value of ["hunter2hunter2", MASTER.reveal()])
      for (const form of ["utf8", "base64", "hex"] as const)
        expect(dump).not.toContain(Buffer.from(value).toString(form).replace(/=+$/, ""));
  });

  test("the same value is never encrypted to the same text", async () => {
    for (let n = 0; n < 20; n++) await set(`c${n}`, "same");
    const entries = Object.values(await redis.hgetall("{ws:ada}:credentials")).map((text) => JSON.parse(text));
    expect(new Set(entries.map(({ nonce }) => nonce)).size).toBe(20);
    expect(new Set(entries.map(({ text }) => text)).size).toBe(20);
  });

  test("any change to the stored text is noticed, and the value stays hidden", async () => {
    await set("github", "hunter2hunter2");
    const entry = JSON.parse((await redis.hget("{ws:ada}:credentials", "github")) ?? "");
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("nonce", "text"),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (part, at, bits) => {
          const bytes = Buffer.from(entry[part], "base64");
          const index = at % bytes.length;
          bytes[index] = (bytes[index] ?? 0) ^ bits;
          const changed = JSON.stringify({ ...entry, [part]: bytes.toString("base64") });
          await redis.hset("{ws:ada}:credentials", "github", changed);
          const failure: unknown = await store.reveal(ADA, "github").catch((error: unknown) => error);
          expect(failure).toBeInstanceOf(OutsideError);
          expect(failure).toMatchObject({ code: "garbled" });
          expect(inspect(failure)).not.toContain("hunter2");
        },
      ),
      { numRuns: 50 },
    );
  });

  test.each(["", "{}", "no JSON", '{"key":"x"}', "[]"])("the entry %j is damaged, not an answer", async (text) => {
    await redis.hset("{ws:ada}:credentials", "github", text);
    await expect(store.reveal(ADA, "github")).rejects.toMatchObject({
      code: "garbled",
      message: 'The credential "github" is damaged; delete it or store it anew',
    });
    expect(await store.list(ADA)).toEqual([{ name: "github", at: 0 }]);
    await set("github", "mended");
    expect((await store.reveal(ADA, "github"))?.reveal()).toBe("mended");
  });

  test("a text cut short is damaged too", async () => {
    await set("github", "hunter2");
    const entry = JSON.parse((await redis.hget("{ws:ada}:credentials", "github")) ?? "");
    await redis.hset("{ws:ada}:credentials", "github", JSON.stringify({ ...entry, text: "AAAA" }));
    await expect(store.reveal(ADA, "github")).rejects.toMatchObject({ code: "garbled" });
  });
});

describe("another person", () => {
  test("does not see or delete what is not theirs", async () => {
    await set("github", "hunter2");
    expect(await store.list(BOB)).toEqual([]);
    expect(await store.reveal(BOB, "github")).toBeUndefined();
    expect(await store.delete(BOB, "github")).toBe(false);
    expect((await store.reveal(ADA, "github"))?.reveal()).toBe("hunter2");
  });

  test.each([
    {
      to: "another person's hash",
      key: "{ws:bob}:credentials",
      name: "github",
      read: () => store.reveal(BOB, "github"),
    },
    { to: "another name", key: "{ws:ada}:credentials", name: "zulip", read: () => store.reveal(ADA, "zulip") },
  ])("cannot read an entry that was copied to $to", async ({ key, name, read }) => {
    await set("github", "hunter2");
    const text = (await redis.hget("{ws:ada}:credentials", "github")) ?? "";
    await redis.hset(key, name, text);
    await expect(read()).rejects.toMatchObject({ code: "garbled" });
  });

  test("is never reached by any pair of ids and names", async () => {
    const id = fc.stringMatching(/^[a-z:"\\,[\]]{1,8}$/);
    const name = fc.stringMatching(/^[a-z._-]{1,8}$/);
    await fc.assert(
      fc.asyncProperty(id, name, id, name, async (ownerId, ownName, otherId, otherName) => {
        fc.pre(ownerId !== otherId || ownName !== otherName);
        await redis.flushdb();
        await set(ownName, "hunter2", parseWorkspaceId(ownerId));
        const other = parseWorkspaceId(otherId);
        expect(await store.reveal(other, otherName)).toBeUndefined();
        const [text = ""] = Object.values(await redis.hgetall(`{ws:${ownerId}}:credentials`));
        await redis.hset(`{ws:${otherId}}:credentials`, otherName, text);
        await expect(store.reveal(other, otherName)).rejects.toMatchObject({ code: "garbled" });
      }),
      { numRuns: 100 },
    );
  });
});

describe("the master key", () => {
  test("that is another one opens nothing, and the error names the credential and the way out", async () => {
    await set("github", "hunter2");
    const failure: unknown = await createCredentialStore(redis, { masterKey: OTHER_MASTER })
      .reveal(ADA, "github")
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "unauthorized",
      message:
        'The credential "github" was encrypted with another master key; set that PARLEY_MASTER_KEY again or store the credential anew',
    });
    expect(inspect(failure)).not.toMatch(/hunter2|correct horse|another master key, long/);
  });

  test("can be changed: the previous one still opens the old values, and new values need the new one alone", async () => {
    await set("github", "old");
    const rotated = createCredentialStore(redis, { masterKey: OTHER_MASTER, previousKeys: [MASTER] });
    expect((await rotated.reveal(ADA, "github"))?.reveal()).toBe("old");
    await rotated.set(ADA, { name: "github", value: new Secret("new"), at: 8 });
    const later = createCredentialStore(redis, { masterKey: OTHER_MASTER });
    expect((await later.reveal(ADA, "github"))?.reveal()).toBe("new");
    await expect(store.reveal(ADA, "github")).rejects.toMatchObject({ code: "unauthorized" });
  });

  test("must not be short, and the refusal does not show it", () => {
    const weak = () => createCredentialStore(redis, { masterKey: new Secret("short-key") });
    expect(weak).toThrow("PARLEY_MASTER_KEY) needs at least 16 characters");
    expect(weak).not.toThrow("short-key");
  });
});

describe("limits", () => {
  test.each(["", " ", "two words", "a/b", "a{b", "ü", "x".repeat(65), "line\nbreak"])(
    "the name %j is refused",
    async (name) => {
      await expect(set(name, "value")).rejects.toMatchObject({ code: "credential_limit" });
      expect(await store.list(ADA)).toEqual([]);
    },
  );

  test.each([
    { value: "", says: 'The credential "github" is empty' },
    { value: "ü".repeat(4097), says: 'The credential "github" has 8194 bytes; at most 8192 are allowed' },
  ])("a value is refused with: $says", async ({ value, says }) => {
    await expect(set("github", value)).rejects.toThrow(says);
  });

  test("a value of exactly 8,192 bytes is stored", async () => {
    await set("github", "x".repeat(8192));
    expect((await store.reveal(ADA, "github"))?.reveal()).toHaveLength(8192);
  });

  test("there are never more than 100, however many are stored at once, and replacing one is still possible", async () => {
    const tries = await Promise.allSettled(Array.from({ length: 120 }, (_, n) => set(`c${n}`, "v")));
    expect(tries.filter(({ status }) => status === "rejected")).toHaveLength(20);
    const [first] = await store.list(ADA);
    expect(await store.list(ADA)).toHaveLength(100);
    await set(first?.name ?? "", "replaced");
    await expect(set("one-more", "v")).rejects.toThrow("There are 100 credentials already");
    await set("theirs", "v", BOB);
  });
});
