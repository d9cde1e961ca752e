import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testRedis } from "../../../test/setup/redis.ts";
import { shelves } from "../../../test/setup/shelves.ts";
import { InvalidInput } from "../../kernel/errors.ts";
import { parseConversationId, parseRunId, parseWorkspaceId } from "../../kernel/ids.ts";
import { silentLog } from "../../kernel/ports.ts";
import type { ResultStore } from "../../store/results.ts";
import { createMemoryStore } from "../../store/memory.ts";
import { createToolbox, type Toolbox } from "../toolbox.ts";
import { builtinTools } from "./index.ts";
import { showWindow } from "./text-window.ts";

let redis: Redis;
let toolbox: Toolbox;
let results: ResultStore;

beforeAll(async () => {
  redis = new Redis(await testRedis());
  const kept = shelves(redis);
  results = kept.results;
  const fetchPage = () => Promise.reject(new Error("not used here"));
  toolbox = createToolbox(builtinTools({ ...kept, memory: createMemoryStore(redis), fetchPage }));
});
afterAll(() => redis.disconnect());
beforeEach(() => redis.flushdb());

async function call(name: string, args: unknown, { step = "tool_1_1", person = "ada" } = {}) {
  const outcome = await toolbox.find(name)?.run(args, {
    workspaceId: parseWorkspaceId(person),
    conversationId: parseConversationId("web:1"),
    runId: parseRunId("r1"),
    idempotencyKey: `r1:${step}`,
    attempt: 1,
    signal: new AbortController().signal,
    clock: { now: () => 1234, monotonic: () => 0 },
    log: silentLog,
  });
  if (outcome?.kind !== "result") throw new Error("expected a result");
  return outcome;
}

/** Files are in the order of Redis' own clock. */
async function nextMillisecond(): Promise<void> {
  const now = async () => {
    const [seconds, micros] = await redis.time();
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  };
  const begun = await now();
  while ((await now()) === begun);
}

async function create(args: Record<string, unknown>, step?: string): Promise<string> {
  const { value } = await call("artifact_create", args, step === undefined ? {} : { step });
  return (value as { id: string }).id;
}

describe("a file of the model", () => {
  test("goes to the chat, and is listed, read and deleted by this person alone", async () => {
    const made = await call("artifact_create", { name: "plan.md", content: "# Plän" });
    const file = { name: "plan.md", media_type: "text/markdown", bytes: 7 };
    const { id } = made.value as { id: string };
    expect(made.value).toEqual({ id, ...file, sent: "with your answer" });
    expect(made.files).toEqual([{ artifact_id: id, ...file, user_id: "ada" }]);
    expect((await call("artifact_list", {})).value).toMatchObject({ files: [{ id, ...file }] });
    expect((await call("artifact_read", { artifact: id })).value).toBe(
      "# Plän\n[characters 0 to 6 of 6; this is the end]",
    );
    expect((await call("artifact_list", {}, { person: "bob" })).value).toEqual({ files: [] });
    await expect(call("artifact_read", { artifact: id }, { person: "bob" })).rejects.toThrow(/There is no file/);
    expect((await call("artifact_delete", { id }, { person: "bob" })).value).toEqual({ id, deleted: false });
    expect((await call("artifact_delete", { id })).value).toEqual({ id, deleted: true });
    expect((await call("artifact_list", {})).value).toEqual({ files: [] });
  });

  test("is made once when its call is repeated", async () => {
    const first = await call("artifact_create", { name: "a.txt", content: "x" });
    expect(await call("artifact_create", { name: "a.txt", content: "x" })).toEqual(first);
    expect((await call("artifact_list", {})).value).toMatchObject({ files: [{ name: "a.txt" }] });
  });

  test("may be bytes in base64, which cannot be read as text", async () => {
    const content = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 255]).toString("base64");
    await create({ name: "dot.png", content: `${content.slice(0, 4)}\n${content.slice(4)}`, encoding: "base64" });
    expect((await call("artifact_read", { artifact: "dot.png" })).value).toMatch(
      /dot\.png is a file of type image\/png with 6 bytes; it is not text/,
    );
  });

  test("is found by its name, the newest of several", async () => {
    await create({ name: "a.txt", content: "one" }, "tool_1_1");
    await nextMillisecond();
    await create({ name: "a.txt", content: "two" }, "tool_1_2");
    expect((await call("artifact_read", { artifact: "a.txt" })).value).toMatch(/^two\n/);
  });

  test.each([
    { name: "../x", content: "x" },
    { name: "a.txt", content: "x", media_type: "text" },
    { name: "a.bin", content: "a*b", encoding: "base64" },
    { name: "a.bin", content: "AAAAA", encoding: "base64" },
    { name: "a.txt", content: "x".repeat(10_001) },
  ])("is refused in words: %j", async (args) => {
    await expect(call("artifact_create", args)).rejects.toThrow(InvalidInput);
    expect(await redis.keys("*")).toEqual([]);
  });
});

describe("result_read", () => {
  test("reads on where the result was cut, to its end", async () => {
    const text = Array.from({ length: 3_000 }, (_, index) => `row ${index}`).join("\n");
    const { reference } = await results.keep(parseWorkspaceId("ada"), { key: "r1:tool_1_1", text });
    let read = "";
    for (let offset = 0; offset < text.length;) {
      const { value } = await call("result_read", { reference, offset, limit: 9_999 });
      const [, piece = "", to] = /^(.*)\n\[characters \d+ to (\d+) of/s.exec(String(value)) ?? [];
      read += piece;
      offset = Number(to);
    }
    expect(read).toBe(text);
    await expect(call("result_read", { reference }, { person: "bob" })).rejects.toThrow(/not kept any more/);
  });

  test("of a text beyond 10 MB the beginning is kept, whole characters only", async () => {
    const text = `x${"é".repeat(6_000_000)}`;
    const { reference, chars } = await results.keep(parseWorkspaceId("ada"), { key: "k", text });
    expect(chars).toBe(5_000_000);
    expect((await results.read(parseWorkspaceId("ada"), reference))?.at(-1)).toBe("é");
  });
});

test.each([
  { text: "abc", window: {}, shown: "abc\n[characters 0 to 3 of 3; this is the end]" },
  { text: "abc", window: { offset: 1, limit: 1 }, shown: "b\n[characters 1 to 2 of 3; go on with offset 2]" },
  { text: "abc", window: { offset: 9 }, shown: "\n[characters 3 to 3 of 3; this is the end]" },
  { text: "a😀b", window: { offset: 2, limit: 2 }, shown: "😀\n[characters 1 to 3 of 4; go on with offset 3]" },
  { text: "a😀b", window: { offset: 1, limit: 1 }, shown: "😀\n[characters 1 to 3 of 4; go on with offset 3]" },
  { text: "", window: {}, shown: "\n[characters 0 to 0 of 0; this is the end]" },
])("of $text, $window is $shown", ({ text, window, shown }) => {
  expect(showWindow(text, window)).toBe(shown);
});
