import { Redis } from "ioredis";
import { afterAll, describe, expect, test } from "vitest";
import { InvalidInput, OutsideError } from "../../kernel/errors.ts";
import { parseConversationId, parseRunId, parseWorkspaceId } from "../../kernel/ids.ts";
import { silentLog } from "../../kernel/ports.ts";
import { createMemoryStore } from "../../store/memory.ts";
import { renderToolFailure } from "../result.ts";
import { createSafeFetch } from "../safe-fetch.ts";
import { createToolbox } from "../toolbox.ts";
import { shelves } from "../../../test/setup/shelves.ts";
import { builtinTools } from "./index.ts";

// Never connected: the tools tested here do not remember anything.
const redis = new Redis({ lazyConnect: true });
afterAll(() => redis.disconnect());

const SUMMER = Date.UTC(2026, 6, 1, 12, 30, 5);
const WINTER = Date.UTC(2026, 11, 31, 23, 30, 5);
const parts = { ...shelves(redis), memory: createMemoryStore(redis), fetchPage: createSafeFetch() };

test("the built-in tools, their effects and their arguments", () => {
  const described = builtinTools(parts).map(({ name, effect, parameters }) => {
    const required = new Set(Array.isArray(parameters["required"]) ? parameters["required"] : []);
    const names = Object.keys(parameters["properties"] ?? {}).map((key) => (required.has(key) ? key : `${key}?`));
    return `${name}(${names.join(", ")}) ${effect}`;
  });
  expect(described).toEqual([
    "memory_set(key, value, secret?) idempotent",
    "memory_get(key) read",
    "memory_list(prefix?) read",
    "memory_delete(key) idempotent",
    "memory_search(query) read",
    "artifact_create(name, content, encoding?, media_type?) idempotent",
    "artifact_list() read",
    "artifact_read(artifact, offset?, limit?) read",
    "artifact_delete(id) idempotent",
    "result_read(reference, offset?, limit?) read",
    "time_now(tz?) read",
    "calculate(expression) read",
    "web_fetch(url) read",
    "ask_user(question, choices?) read",
  ]);
});

test("all of them have names a model can call", () => {
  expect(createToolbox(builtinTools(parts)).list()).toHaveLength(14);
});

describe("time_now", () => {
  test.each([
    { now: SUMMER, tz: "Europe/Madrid", iso: "2026-07-01T14:30:05+02:00", weekday: "Wednesday" },
    { now: WINTER, tz: "Europe/Madrid", iso: "2027-01-01T00:30:05+01:00", weekday: "Friday" },
    { now: WINTER, tz: "europe/madrid", iso: "2027-01-01T00:30:05+01:00", weekday: "Friday" },
    { now: WINTER, tz: "America/St_Johns", iso: "2026-12-31T20:00:05-03:30", weekday: "Thursday" },
    { now: WINTER, tz: "Pacific/Kiritimati", iso: "2027-01-01T13:30:05+14:00", weekday: "Friday" },
    { now: WINTER, tz: "UTC", iso: "2026-12-31T23:30:05+00:00", weekday: "Thursday" },
  ])("in $tz it is $iso", async ({ now, tz, iso, weekday }) => {
    const told = await call("time_now", { tz }, { now });
    expect(told).toMatchObject({ iso, weekday });
    expect(new Date(iso).getTime()).toBe(now);
  });

  test("tells zone and local time in words", async () => {
    const told = await call("time_now", { tz: "europe/madrid" }, { now: SUMMER });
    expect(told).toMatchObject({
      zone: "Europe/Madrid",
      local: expect.stringMatching(/^Wednesday,? 1 July 2026.*14:30:05$/),
    });
  });

  test("uses the person's own zone, and UTC when they have none", async () => {
    const zoneOf = async (workspaceId: string) => (workspaceId === "ada" ? "Asia/Tokyo" : undefined);
    expect(await call("time_now", {}, { zoneOf })).toMatchObject({ zone: "Asia/Tokyo" });
    expect(await call("time_now", {}, { zoneOf, person: "bob" })).toMatchObject({ zone: "UTC" });
    expect(await call("time_now", {}, {})).toMatchObject({ zone: "UTC" });
  });

  test.each([
    { tz: "Madrid", says: 'Time zone "Madrid" is not known; did you mean Europe/Madrid?' },
    { tz: "new york", says: "did you mean America/New_York?" },
    { tz: "Mars/Olympus", says: "use an IANA name such as Europe/Madrid or UTC" },
    { tz: "+02:00", says: "use an IANA name" },
    { tz: "Europe/Madrid; x", says: "is not known" },
  ])("refuses $tz: $says", async ({ tz, says }) => {
    const refusal = call("time_now", { tz }, {});
    await expect(refusal).rejects.toThrow(InvalidInput);
    await expect(refusal).rejects.toThrow(says);
  });
});

describe("calculate", () => {
  test.each([
    { expression: "(19.99 * 3) / 1.21", answer: { result: 49.5619834710744 } },
    { expression: "0.1 + 0.2", answer: { result: 0.3 } },
    { expression: "2 ^ 53 - 1", answer: { result: 9007199254740991 } },
    { expression: "2 ^ 60", answer: { result: 2 ** 60, note: expect.stringContaining("first 15 digits") } },
  ])("$expression", async ({ expression, answer }) => {
    expect(await call("calculate", { expression }, {})).toEqual(answer);
  });

  test("tells the model where an expression is wrong", async () => {
    const failure: unknown = await call("calculate", { expression: "1 + * 2" }, {}).catch((error: unknown) => error);
    expect(JSON.parse(renderToolFailure(failure))).toEqual({
      error: { code: "invalid_expression", message: 'Cannot calculate: expected a number but found "*" at position 5' },
    });
  });
});

describe("ask_user", () => {
  test("becomes a question", async () => {
    const asked = await call("ask_user", { question: " Which day? ", choices: ["Monday", "Tuesday"] }, {});
    expect(asked).toEqual({ kind: "question", question: { ask: "Which day?", choices: ["Monday", "Tuesday"] } });
    expect(await call("ask_user", { question: "Which day?" }, {})).toEqual({
      kind: "question",
      question: { ask: "Which day?" },
    });
  });

  test.each([
    { question: " " },
    { question: "x", choices: [""] },
    { question: "x", choices: Array.from({ length: 11 }, () => "y") },
  ])("refuses %j", async (args) => {
    await expect(call("ask_user", args, {})).rejects.toThrow(InvalidInput);
  });
});

describe("web_fetch", () => {
  test("stands behind the address guard", async () => {
    const refusal = call("web_fetch", { url: "http://169.254.169.254/latest/meta-data/" }, {});
    await expect(refusal).rejects.toThrow(OutsideError);
    await expect(refusal).rejects.toMatchObject({ code: "refused" });
  });

  test("gives the page as it was fetched, with the call's signal", async () => {
    const page = { url: "https://a.test/", status: 200, type: "text/plain", text: "hi", truncated: false };
    const seen: unknown[] = [];
    const fetchPage = async (url: string, signal: AbortSignal) => {
      seen.push(url, signal.aborted);
      return page;
    };
    expect(await call("web_fetch", { url: "https://a.test/" }, { fetchPage })).toEqual(page);
    expect(seen).toEqual(["https://a.test/", false]);
  });
});

type Setting = Partial<Parameters<typeof builtinTools>[0]> & { readonly now?: number; readonly person?: string };

async function call(
  name: string,
  args: unknown,
  { now = SUMMER, person = "ada", ...changes }: Setting,
): Promise<unknown> {
  const tool = createToolbox(builtinTools({ ...parts, ...changes })).find(name);
  const outcome = await tool?.run(args, {
    workspaceId: parseWorkspaceId(person),
    conversationId: parseConversationId("web:1"),
    runId: parseRunId("r1"),
    idempotencyKey: "r1:tool_1_1",
    attempt: 1,
    signal: new AbortController().signal,
    clock: { now: () => now, monotonic: () => 0 },
    log: silentLog,
  });
  return outcome?.kind === "result" ? outcome.value : outcome;
}
