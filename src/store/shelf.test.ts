import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { testRedis } from "../../test/setup/redis.ts";
import { parseWorkspaceId } from "../kernel/ids.ts";
import { createShelf, type Shelf, type ShelfLimits } from "./shelf.ts";

const ADA = parseWorkspaceId("slack:U1");
const BOB = parseWorkspaceId("slack:U2");
const DAY = 86_400_000;
const LIMITS: ShelfLimits = { maxBytes: 1_000_000, quotaBytes: 1_000, quotaFiles: 3, keepMs: DAY };

let redis: Redis;

beforeAll(async () => {
  redis = new Redis(await testRedis());
});
afterAll(() => redis.disconnect());
beforeEach(() => redis.flushdb());

function open(over: Partial<ShelfLimits> = {}, whenFull: "refuse" | "drop-oldest" = "refuse", now = Date.now) {
  return createShelf(redis, {
    kind: "artifact",
    about: z.object({ name: z.string() }),
    limits: () => ({ ...LIMITS, ...over }),
    whenFull,
    clock: { now },
  });
}

const bytes = (length: number, fill = 7) => Buffer.alloc(length, fill);
const put = (shelf: Shelf<{ name: string }>, id: string, content: Uint8Array = bytes(10), who = ADA) =>
  shelf.put(who, { id, content, about: { name: `${id}.txt` } });

describe("keeping a file", () => {
  test.each([0, 1, 256 * 1024, 256 * 1024 + 1, 700_000])("%i bytes are read back as they were", async (length) => {
    const shelf = open({ quotaBytes: 1_000_000 });
    const content = Buffer.from(Array.from({ length }, (_, at) => (at * 31) % 256));
    expect(await put(shelf, "f1", content)).toMatchObject({ kind: "stored", file: { id: "f1", bytes: length } });
    expect((await shelf.read(ADA, "f1"))?.equals(content)).toBe(true);
  });

  test("everything in Redis has an end, the same for the list and the parts", async () => {
    await put(open(), "f1");
    expect((await redis.keys("*")).toSorted()).toEqual(["{ws:slack:U1}:artifact:f1:0", "{ws:slack:U1}:artifacts"]);
    for (const key of await redis.keys("*")) {
      expect(await redis.pttl(key)).toBeGreaterThan(DAY - 60_000);
      expect(await redis.pttl(key)).toBeLessThanOrEqual(DAY);
    }
  });

  test("a repeated creation is the same file, and counts once", async () => {
    const shelf = open();
    const first = await put(shelf, "f1");
    const again = await put(shelf, "f1");
    expect(again).toEqual({ ...first, kind: "known" });
    expect(await shelf.list(ADA)).toHaveLength(1);
  });

  test("one person's file is nothing to another", async () => {
    const shelf = open();
    await put(shelf, "f1");
    expect(await shelf.find(BOB, "f1")).toBeUndefined();
    expect(await shelf.read(BOB, "f1")).toBeUndefined();
    expect(await shelf.delete(BOB, "f1")).toBe(false);
    expect(await shelf.list(BOB)).toEqual([]);
    expect(await shelf.find(ADA, "f1")).toBeDefined();
  });

  test("a deleted file leaves nothing", async () => {
    const shelf = open({ quotaBytes: 1_000_000 });
    await put(shelf, "f1", bytes(600_000));
    expect(await shelf.delete(ADA, "f1")).toBe(true);
    expect(await shelf.delete(ADA, "f1")).toBe(false);
    expect(await redis.keys("*")).toEqual([]);
  });

  test("erasing takes all of one person and nothing of another", async () => {
    const shelf = open();
    await put(shelf, "f1");
    await put(shelf, "f2");
    await put(shelf, "f3", bytes(1), BOB);
    await shelf.erase(ADA);
    expect((await redis.keys("*")).every((key) => key.startsWith("{ws:slack:U2}"))).toBe(true);
  });

  test("a damaged entry is left out, and the next creation clears it away", async () => {
    const shelf = open();
    await redis.hset("{ws:slack:U1}:artifacts", "odd", "what is this");
    expect(await shelf.list(ADA)).toEqual([]);
    expect(await put(shelf, "f1")).toMatchObject({ kind: "stored" });
    expect(await redis.hkeys("{ws:slack:U1}:artifacts")).toEqual(["f1"]);
  });
});

describe("limits", () => {
  const cases = [
    { given: "the last bytes of the quota", before: [500], content: 500, whenFull: "refuse", kind: "stored" },
    { given: "one byte more than the quota", before: [500], content: 501, whenFull: "refuse", kind: "too-large" },
    { given: "a fourth file of three", before: [1, 1, 1], content: 1, whenFull: "refuse", kind: "too-many" },
    { given: "a full shelf that drops", before: [400, 400], content: 400, whenFull: "drop-oldest", kind: "stored" },
    { given: "three files on one that drops", before: [1, 1, 1], content: 1, whenFull: "drop-oldest", kind: "stored" },
    { given: "more than all quota", before: [1], content: 1_001, whenFull: "drop-oldest", kind: "too-large" },
    { given: "a file over its own limit", before: [], content: 1_000_001, whenFull: "refuse", kind: "file-too-large" },
  ] as const;
  test.each(cases)("$given: $kind", async ({ before, content, whenFull, kind }) => {
    const shelf = open({}, whenFull);
    for (const [index, length] of before.entries()) await put(shelf, `old${index}`, bytes(length));
    const list = await shelf.list(ADA);
    expect((await put(shelf, "new", bytes(content))).kind).toBe(kind);
    if (kind === "stored") expect(await shelf.read(ADA, "new")).toHaveLength(content);
    else {
      expect(await shelf.list(ADA)).toEqual(list);
      expect(await redis.keys("*:new:*")).toEqual([]);
    }
  });

  test("what had to make room is gone, the oldest first, parts and all", async () => {
    const shelf = open({}, "drop-oldest");
    for (const id of ["a", "b", "c", "d"]) await put(shelf, id);
    expect((await shelf.list(ADA)).map(({ id }) => id)).toHaveLength(3);
    expect(await shelf.read(ADA, "d")).toHaveLength(10);
    expect(await redis.keys("{ws:slack:U1}:artifact:*")).toHaveLength(3);
  });

  test("ten creations at the same time do not pass the quota together", async () => {
    const shelf = open({ quotaFiles: 100 });
    const ids = Array.from({ length: 10 }, (_, index) => `f${index}`);
    const results = await Promise.all(ids.map((id) => put(shelf, id, bytes(300))));
    expect(results.filter(({ kind }) => kind === "stored")).toHaveLength(3);
    expect(results.filter(({ kind }) => kind === "too-large")).toHaveLength(7);
    expect((await shelf.list(ADA)).reduce((sum, file) => sum + file.bytes, 0)).toBe(900);
    expect(await redis.keys("{ws:slack:U1}:artifact:*")).toHaveLength(3);
  });

  test("ten tries of one creation at the same time are one file", async () => {
    const shelf = open();
    const results = await Promise.all(Array.from({ length: 10 }, () => put(shelf, "f1", bytes(600))));
    expect(new Set(results.map((result) => ("file" in result ? result.file.id : result.kind)))).toEqual(
      new Set(["f1"]),
    );
    expect(await shelf.read(ADA, "f1")).toHaveLength(600);
    expect(await redis.pttl("{ws:slack:U1}:artifact:f1:0")).toBeGreaterThan(DAY - 60_000);
  });

  test("what has ended does not count any more and is cleared away", async () => {
    const shelf = open();
    await put(shelf, "old", bytes(1_000));
    // The end that is written in the entry, brought into the past.
    const entry = (await redis.hget("{ws:slack:U1}:artifacts", "old")) ?? "";
    const [size, parts, at, , ...about] = entry.split(" ");
    await redis.hset("{ws:slack:U1}:artifacts", "old", [size, parts, at, "1000", ...about].join(" "));
    expect(await shelf.find(ADA, "old")).toBeUndefined();
    expect(await shelf.list(ADA)).toEqual([]);
    expect(await put(shelf, "new", bytes(1_000))).toMatchObject({ kind: "stored" });
    expect(await redis.keys("*:old:*")).toEqual([]);
  });
});

describe("a crash between the steps", () => {
  test("parts without an entry end by themselves, and the repeated creation uses them", async () => {
    await redis.set("{ws:slack:U1}:artifact:f1:0", bytes(10, 7), "PX", 600_000);
    const shelf = open();
    expect(await shelf.read(ADA, "f1")).toBeUndefined();
    expect(await put(shelf, "f1", bytes(10, 7))).toMatchObject({ kind: "stored" });
    expect(await redis.pttl("{ws:slack:U1}:artifact:f1:0")).toBeGreaterThan(DAY - 60_000);
  });

  test("while nothing is entered every part has an end", async () => {
    await expect(put(killed(), "f1")).rejects.toThrow("killed");
    expect(await redis.keys("*")).toEqual(["{ws:slack:U1}:artifact:f1:0"]);
    expect(await redis.pttl("{ws:slack:U1}:artifact:f1:0")).toBeGreaterThan(0);
  });

  test("a stale writer that looked before the file was entered does not bring its end near", async () => {
    await put(open(), "f1");
    await expect(put(killed({ hget: () => Promise.resolve(null) }), "f1")).rejects.toThrow("killed");
    expect(await redis.pttl("{ws:slack:U1}:artifact:f1:0")).toBeGreaterThan(DAY - 60_000);
  });

  test("a part that ended before its file was entered is written again", async () => {
    let ended = false;
    const slow = crashing({
      evalsha: async (...args: Parameters<Redis["evalsha"]>) => {
        if (!ended) await redis.del("{ws:slack:U1}:artifact:f1:0");
        ended = true;
        return redis.evalsha(...args);
      },
    });
    expect(await put(slow, "f1", bytes(300))).toMatchObject({ kind: "stored" });
    expect(await open().read(ADA, "f1")).toHaveLength(300);
  });

  test("a file whose parts are gone reads as gone", async () => {
    const shelf = open({ quotaBytes: 1_000_000 });
    await put(shelf, "f1", bytes(300_000));
    await redis.del("{ws:slack:U1}:artifact:f1:1");
    expect(await shelf.read(ADA, "f1")).toBeUndefined();
  });
});

/** A shelf of a process that is killed after it wrote the parts and before it enters them. */
function killed(over: Readonly<Record<string, () => Promise<unknown>>> = {}) {
  const kill = () => Promise.reject(new Error("killed"));
  return crashing({ ...over, evalsha: kill, eval: kill });
}

/** A shelf over a connection some of whose commands do something else. */
function crashing(instead: Readonly<Record<string, unknown>>) {
  const connection = new Proxy(redis, {
    get(target, name) {
      if (typeof name === "string" && name in instead) return instead[name];
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  return createShelf(connection, {
    kind: "artifact",
    about: z.object({ name: z.string() }),
    limits: () => LIMITS,
    whenFull: "refuse",
    clock: { now: Date.now },
  });
}
