import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { InvalidInput, OutsideError } from "../../src/kernel/errors.ts";
import { defineTool } from "../../src/tools/define.ts";
import type { Effect, ToolContext } from "../../src/tools/contract.ts";
import { testRedis } from "../setup/redis.ts";
import { openLab } from "./lab.ts";
import { call, say } from "./model-server.ts";

const attempts: { readonly tool: string; readonly attempt: number; readonly key: string }[] = [];

function badTool(name: string, effect: Effect, run: (context: ToolContext) => unknown, timeoutMs = 5_000) {
  return defineTool({
    name,
    description: "Misbehaves.",
    effect,
    timeoutMs,
    input: z.object({ number: z.number().optional() }),
    run: (_input, context) => {
      attempts.push({ tool: name, attempt: context.attempt, key: context.idempotencyKey });
      return run(context);
    },
  });
}

const never = () => new Promise<never>(() => {});
const unavailable = (ms?: number) => () => {
  throw new OutsideError("the printer is off", {
    code: "unavailable",
    retry: ms === undefined ? { kind: "after" } : { kind: "after", ms },
  });
};
const circular: Record<string, unknown> = {};
circular["self"] = circular;

const tools = [
  badTool("throws", "read", () => {
    throw new Error("boom");
  }),
  badTool("throws_nothing", "read", () => {
    const { promise, reject } = Promise.withResolvers<never>();
    reject();
    return promise;
  }),
  badTool("refuses", "once", () => {
    throw new InvalidInput("there is no room 13", { code: "no_room" });
  }),
  badTool("hangs", "once", never, 100),
  badTool("hangs_often", "read", never, 50),
  badTool("huge", "read", () => "x".repeat(5_000_000)),
  badTool("circular", "read", () => circular),
  badTool("odd_text", "read", () => "nul \0 and half \ud83d"),
  badTool("flaky", "idempotent", ({ attempt }) => (attempt < 3 ? unavailable()() : "printed")),
  badTool("down", "idempotent", unavailable()),
  badTool("down_for_hours", "idempotent", unavailable(3_600_000)),
  badTool("down_once", "once", unavailable()),
  badTool("fine", "read", () => "fine"),
  badTool("dot.ted", "read", () => "dotted"),
];

const lab = await openLab({ database: await testRedis(), tools });
afterAll(() => lab.close());

/** What the model calls, and what it must read as the result. */
const cases: readonly {
  readonly given: string;
  readonly name: string;
  readonly args?: unknown;
  readonly reads: RegExp;
  readonly tries?: number;
}[] = [
  {
    given: "an unknown tool",
    name: "fly",
    reads: /^\{"error":\{"code":"unknown_tool","message":"unknown tool \\"fly\\"; available: memory_set/,
    tries: 0,
  },
  { given: "a tool with an odd name", name: "rm -rf /\n💥", reads: /unknown_tool/, tries: 0 },
  { given: "a tool with an endless name", name: "n".repeat(10_000), reads: /unknown_tool/, tries: 0 },
  { given: "the name of an object's own property", name: "constructor", reads: /unknown_tool/, tries: 0 },
  {
    given: "arguments that are not JSON",
    name: "fine",
    args: '{"number": 1',
    reads: /invalid_arguments.*not JSON/,
    tries: 0,
  },
  { given: "arguments that are a list", name: "fine", args: "[1]", reads: /invalid_arguments/, tries: 0 },
  {
    given: "arguments that do not fit",
    name: "fine",
    args: { number: "one" },
    reads: /number: Invalid input/,
    tries: 0,
  },
  { given: "no arguments at all", name: "fine", args: "", reads: /^fine$/, tries: 1 },
  { given: "a name with a dot as models write it", name: "dot_ted", reads: /^dotted$/ },
  {
    given: "a tool that throws",
    name: "throws",
    reads: /^\{"error":\{"code":"failed","message":"boom"\}\}$/,
    tries: 1,
  },
  {
    given: "a tool that rejects with nothing",
    name: "throws_nothing",
    reads: /"code":"failed","message":"unknown failure"/,
  },
  {
    given: "a tool that refuses",
    name: "refuses",
    reads: /"code":"no_room","message":"there is no room 13"/,
    tries: 1,
  },
  { given: "a tool that hangs", name: "hangs", reads: /"code":"timeout"/, tries: 1 },
  {
    given: "a tool that may be repeated and hangs every time",
    name: "hangs_often",
    reads: /"code":"timeout"/,
    tries: 3,
  },
  {
    given: "a result of 5 MB",
    name: "huge",
    reads:
      /^x{31000,32000}\n\[cut: characters \d+ to 5000000 are not shown; read on with result_read, reference "res_\w+", offset \d+\]$/,
  },
  { given: "a circular result", name: "circular", reads: /"code":"garbled"/, tries: 1 },
  { given: "a result with NUL and half a character", name: "odd_text", reads: /^nul � and half �$/ },
  { given: "a tool that works at the third try", name: "flaky", reads: /^printed$/, tries: 3 },
  {
    given: "a tool that is down",
    name: "down",
    reads: /"code":"unavailable","message":"the printer is off"/,
    tries: 3,
  },
  { given: "a tool that is down and must not be repeated", name: "down_once", reads: /"code":"unavailable"/, tries: 1 },
  {
    given: "a tool that asks to come back in an hour",
    name: "down_for_hours",
    reads: /"code":"unavailable"/,
    tries: 1,
  },
];

describe.concurrent("a call that goes wrong becomes a result, and the answer comes all the same", () => {
  test.each(cases.map((each, index) => ({ ...each, index })))("$given", async ({ index, name, args, reads, tries }) => {
    const chat = lab.conversation();
    const word = `case ${index}.`;
    lab.model.when(word, call({ name, args }), say("I coped."));
    const { id } = await lab.send(chat, word);
    expect(await lab.answerTo(chat, id)).toMatchObject({ kind: "answer", text: "I coped." });
    const [, , calling, result] = lab.model.request(word, 2).messages;
    expect(result?.content).toMatch(reads);
    expect(result?.tool_call_id).toBe(calling?.tool_calls?.[0]?.id);
    // What goes back to the provider is what every provider accepts.
    expect(calling?.tool_calls?.[0]?.function.name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    expect(JSON.parse(calling?.tool_calls?.[0]?.function.arguments ?? "")).toEqual(expect.any(Object));
    const runId = (await lab.status(chat, id))?.runId;
    const tried = attempts.filter(({ key }) => key === `${runId}:tool_1_1`);
    if (tries !== undefined)
      expect(tried.map(({ attempt }) => attempt)).toEqual(Array.from({ length: tries }, (_, at) => at + 1));
    const next = `after ${index}.`;
    lab.model.when(next, say("as ever"));
    expect((await lab.answerTo(chat, (await lab.send(chat, next)).id)).text).toBe("as ever");
    expect(lab.said(chat)).toHaveLength(2);
  });

  test("of forty calls in one reply the first sixteen are done and the others are refused in words", async () => {
    const chat = lab.conversation();
    const calls = Array.from({ length: 40 }, (_, index) => ({
      name: "fine",
      args: { number: index },
      id: `c${index}`,
    }));
    lab.model.when("forty calls", call(...calls), say("That was much."));
    const { id } = await lab.send(chat, "forty calls");
    expect((await lab.answerTo(chat, id)).text).toBe("That was much.");
    const results = lab.model.request("forty calls", 2).messages.filter(({ role }) => role === "tool");
    expect(results.map((result) => result.tool_call_id)).toEqual(calls.map((each) => each.id));
    expect(results.map(({ content }) => content)).toEqual([
      ...Array.from({ length: 16 }, () => "fine"),
      ...Array.from({ length: 24 }, () => expect.stringContaining("at most 16 tool calls are taken from one reply")),
    ]);
    const runId = (await lab.status(chat, id))?.runId;
    expect(attempts.filter(({ key }) => key.startsWith(`${runId}:`))).toHaveLength(16);
  });

  test("calls without an id and with the same id each get their own result", async () => {
    const chat = lab.conversation();
    lab.model.when(
      "same ids",
      call({ name: "fine", id: "" }, { name: "fine", id: "x" }, { name: "throws", id: "x" }),
      call({ name: "fine", id: "x" }),
      say("Sorted."),
    );
    expect((await lab.answerTo(chat, (await lab.send(chat, "same ids")).id)).text).toBe("Sorted.");
    const { messages } = lab.model.request("same ids", 3);
    const ids = messages.flatMap((message) => message.tool_calls ?? []).map((each) => each.id);
    expect(new Set(ids).size).toBe(4);
    expect(messages.flatMap((message) => message.tool_call_id ?? [])).toEqual(ids);
  });
});
