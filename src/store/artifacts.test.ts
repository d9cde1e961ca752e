import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testRedis } from "../../test/setup/redis.ts";
import { parseRunId, parseWorkspaceId } from "../kernel/ids.ts";
import { checkFileName, createArtifactStore, mediaTypeOfName, type Artifact } from "./artifacts.ts";

const ADA = parseWorkspaceId("ada");
const LIMITS = { maxBytes: 100, quotaBytes: 150, quotaFiles: 2, keepMs: 1_000_000 };

let redis: Redis;
const told: Artifact[] = [];
const open = () =>
  createArtifactStore(redis, {
    limits: () => LIMITS,
    clock: { now: Date.now },
    onCreated: (_workspace, artifact) => told.push(artifact),
  });

beforeAll(async () => {
  redis = new Redis(await testRedis());
});
afterAll(() => redis.disconnect());
beforeEach(async () => {
  told.length = 0;
  await redis.flushdb();
});

const text = (content: string) => Buffer.from(content);

describe("an artifact", () => {
  test("is found, read and listed with who made it", async () => {
    const artifacts = open();
    const runId = parseRunId("run_1");
    const made = await artifacts.create(ADA, {
      key: "run_1:tool_1_1",
      name: "plan.md",
      content: text("# Plan"),
      runId,
    });
    expect(made).toMatchObject({ name: "plan.md", mediaType: "text/markdown", bytes: 6, runId });
    expect(made.endsAt - made.createdAt).toBe(1_000_000);
    expect(await artifacts.find(ADA, made.id)).toEqual(made);
    expect(await artifacts.list(ADA)).toEqual([made]);
    expect((await artifacts.read(ADA, made.id))?.toString()).toBe("# Plan");
    expect(told).toEqual([made]);
  });

  test("is created once by its key, and told of again under the same id", async () => {
    const artifacts = open();
    const one = await artifacts.create(ADA, { key: "k", name: "a.txt", content: text("x") });
    const two = await artifacts.create(ADA, { key: "k", name: "a.txt", content: text("x") });
    expect(two).toEqual(one);
    expect(await artifacts.list(ADA)).toHaveLength(1);
    expect(told.map(({ id }) => id)).toEqual([one.id, one.id]);
  });

  test.each([
    { given: "a file over the limit", sizes: [], size: 101, message: /has 101 bytes; at most 100/ },
    { given: "a full shelf by bytes", sizes: [100], size: 51, message: /limit of 150 bytes/ },
    { given: "a full shelf by number", sizes: [1, 1], size: 1, message: /2 artifacts already/ },
  ])("$given is refused with the limit in words", async ({ sizes, size, message }) => {
    const artifacts = open();
    for (const [index, length] of sizes.entries())
      await artifacts.create(ADA, { key: `k${index}`, name: "a.txt", content: Buffer.alloc(length) });
    told.length = 0;
    await expect(artifacts.create(ADA, { key: "n", name: "n.txt", content: Buffer.alloc(size) })).rejects.toThrow(
      message,
    );
    expect(told).toEqual([]);
  });

  test.each(["text", "text/", "/html", "text/html; charset=x", "a/b\r\nset-cookie: c", `a/${"b".repeat(120)}`])(
    "of the type %j is refused",
    async (mediaType) => {
      await expect(open().create(ADA, { key: "k", name: "a.txt", mediaType, content: text("x") })).rejects.toThrow(
        /media type/,
      );
    },
  );
});

describe("a file name", () => {
  test.each(["report.pdf", "Ünïcödé – 報告.txt", "a b.tar.gz", "no-ending", "(1) [2].csv"])("%j is fine", (name) => {
    expect(checkFileName(name)).toBe(name.normalize("NFC"));
  });

  test.each([
    "",
    "  ",
    "../etc/passwd",
    "..",
    ".",
    ".bashrc",
    "a/b.txt",
    String.raw`a\b.txt`,
    "C:x",
    'a"b',
    "a<b>",
    "a\nb",
    "a\0b",
    "invoice\u202Efdp.exe",
    "zero\u200Bwidth",
    "ends.",
    "CON",
    "nul.txt",
    "half\ud800",
    "x".repeat(201),
    "é".repeat(101),
  ])("%j is refused", (name) => {
    expect(() => checkFileName(name)).toThrow(/file name/);
  });
});

test.each([
  ["a.TXT", "text/plain"],
  ["photo.jpeg", "image/jpeg"],
  ["drawing.svg", "image/svg+xml"],
  ["what.is", "application/octet-stream"],
  ["none", "application/octet-stream"],
])("the type of %s is %s", (name, type) => {
  expect(mediaTypeOfName(name)).toBe(type);
});
