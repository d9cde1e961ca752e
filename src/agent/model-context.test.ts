import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { entriesOf, line, message, type CallGiven } from "../../test/agent/journal.ts";
import { parseRunId } from "../kernel/ids.ts";
import type { ChatMessage } from "../models/contract.ts";
import { wireRequest } from "../models/wire-request.ts";
import { buildContext } from "./model-context.ts";
import { readRun, readRuns } from "./runs.ts";

const WIDE = { maxMessages: 1000, maxTokens: 1_000_000 };

function context(
  history: readonly string[],
  current: readonly string[],
  limits: Partial<typeof WIDE> = {},
): ChatMessage[] {
  const run = readRun(parseRunId("now"), entriesOf(...current));
  return buildContext("SYS", readRuns(entriesOf(...history)), run, { ...WIDE, ...limits }, (text) => text.length);
}

/** A transcript in a form that reads well: role, text, and calls or the call a result belongs to. */
const shown = (messages: readonly ChatMessage[]) =>
  messages.map((each) => {
    if (each.role === "tool") return `tool ${each.callId}: ${each.content}`;
    const calls = each.role === "assistant" ? (each.toolCalls ?? []).map((call) => ` ${call.id}=${call.name}`) : [];
    return `${each.role}: ${each.content}${calls.join("")}`;
  });

const opened = (text = "hi") => line.opened("now", message("m", text));
const talk = (number: number) => [
  line.opened(`r${number}`, message(`m${number}`, `question ${number}`)),
  line.reply(1, `answer ${number}`),
  line.ended(`r${number}`, "done"),
];
const toolRun = (name: string, calls: readonly CallGiven[], ...rest: readonly string[]) => [
  line.opened(name, message(`m-${name}`, `do ${name}`)),
  line.reply(1, "", calls),
  ...rest,
];

describe("what the model reads", () => {
  test.each<{ given: string; history?: readonly string[]; current: readonly string[]; reads: readonly unknown[] }>([
    { given: "a first message", current: [opened()], reads: ["user: hi"] },
    {
      given: "earlier runs",
      history: [...talk(1), ...talk(2)],
      current: [opened()],
      reads: ["user: question 1", "assistant: answer 1", "user: question 2", "assistant: answer 2", "user: hi"],
    },
    {
      given: "a command, which is left out",
      history: [...talk(1), line.opened("c", message("mc", "/reset")), line.ended("c", "done", "Nothing was changed.")],
      current: [opened()],
      reads: ["user: question 1", "assistant: answer 1", "user: hi"],
    },
    {
      given: "a run that was stopped in the middle of its calls",
      history: [
        ...toolRun(
          "x",
          [
            { name: "a", id: "1" },
            { name: "b", id: "2" },
          ],
          line.result(1, 1, "A"),
        ),
        line.ended("x", "stopped", "Stopped. Already done: a."),
      ],
      current: [opened()],
      reads: [
        "user: do x",
        "assistant:  1=a 2=b",
        "tool 1: A",
        "tool 2: Interrupted; the outcome is unknown.",
        "assistant: Stopped. Already done: a.",
        "user: hi",
      ],
    },
    {
      given: "a run that failed before it had an answer",
      history: [line.opened("f", message("mf", "try")), line.ended("f", "failed", "The model is busy. (error f)")],
      current: [opened()],
      reads: ["user: try", "assistant: The model is busy. (error f)", "user: hi"],
    },
    {
      given: "an answer to which people saw something added, once and as they saw it",
      history: [
        line.opened("w", message("mw", "pay")),
        line.reply(1, "Paid?"),
        line.ended("w", "done", "Paid?\n\nPlease check."),
      ],
      current: [opened()],
      reads: ["user: pay", "assistant: Paid?\n\nPlease check.", "user: hi"],
    },
    {
      given: "calls without ids, with the same ids, and with ids of earlier runs",
      history: [
        ...toolRun("x", [
          { name: "a", id: "1" },
          { name: "b", id: "1" },
          { name: "c", id: "" },
        ]),
        line.ended("x", "done", "ok"),
      ],
      current: [opened(), line.reply(1, "", [{ name: "d", id: "1" }]), line.result(1, 1, "D")],
      reads: [
        "user: do x",
        "assistant:  1=a call_2=b call_3=c",
        "tool 1: Interrupted; the outcome is unknown.",
        "tool call_2: Interrupted; the outcome is unknown.",
        "tool call_3: Interrupted; the outcome is unknown.",
        "assistant: ok",
        "user: hi",
        "assistant:  call_4=d",
        "tool call_4: D",
      ],
    },
    {
      given: "an id that looks like a made-up one",
      current: [
        opened(),
        line.reply(1, "", [
          { name: "a", id: "call_2" },
          { name: "b", id: "call_2" },
        ]),
      ],
      reads: [
        "user: hi",
        "assistant:  call_2=a call_3=b",
        "tool call_2: Interrupted; the outcome is unknown.",
        "tool call_3: Interrupted; the outcome is unknown.",
      ],
    },
    {
      given: "names that no provider takes",
      current: [
        opened(),
        line.reply(1, "", [
          { name: "rm -rf /", id: "1" },
          { name: "é".repeat(99), id: "2" },
          { name: "", id: "3" },
          { name: "mail.send", id: "4" },
        ]),
      ],
      reads: [
        "user: hi",
        "assistant:  1=rm_-rf_ 2=_ 3=unnamed 4=mail.send",
        expect.any(String),
        expect.any(String),
        expect.any(String),
        expect.any(String),
      ],
    },
    {
      given: "texts with NUL and half characters",
      current: [opened("a\0b\ud800c"), line.reply(1, "\udfff", [{ name: "a", id: "1" }]), line.result(1, 1, "\0")],
      reads: ["user: a\uFFFDb\uFFFDc", "assistant: \uFFFD 1=a", "tool 1: \uFFFD"],
    },
  ])("$given", ({ history = [], current, reads }) => {
    expect(shown(context(history, current)).slice(1)).toEqual(reads);
  });

  test.each([
    { name: "Ana", reads: { content: "hi", name: "Ana" } },
    { name: "José", reads: { content: "José: hi", name: "José" } },
    { name: "李雷", reads: { content: "李雷: hi", name: "李雷" } },
    { name: "  Bob\nsystem  ", reads: { content: "Bob system: hi", name: "Bob system" } },
    { name: "x".repeat(200), reads: { content: `${"x".repeat(80)}: hi`, name: "x".repeat(80) } },
  ])("a speaker called $name is known to the model", ({ name, reads }) => {
    const current = [line.opened("now", message("m", "hi", { authorName: name }))];
    expect(context([], current)[1]).toEqual({ role: "user", ...reads });
  });

  test("arguments that are not JSON reach the provider as JSON that shows what the model wrote", () => {
    const current = [opened(), line.reply(1, "", [{ name: "a", args: '{"x":' }])];
    const { body } = wireRequest({ messages: context([], current), tools: [] }, { model: "m" });
    expect(body.messages[2]).toMatchObject({
      tool_calls: [{ function: { arguments: '{"invalid_arguments":"{\\"x\\":"}' } }],
    });
  });
});

describe("the limits", () => {
  const history = [1, 2, 3, 4].flatMap(talk);

  test.each([
    { maxMessages: 9, from: "question 1" },
    { maxMessages: 8, from: "question 2" },
    { maxMessages: 7, from: "question 2" },
    { maxMessages: 4, from: "question 4" },
    { maxMessages: 3, from: "question 4" },
    { maxMessages: 2, from: "hi" },
    { maxMessages: 1, from: "hi" },
  ])("at most $maxMessages messages are shown, from '$from' on", ({ maxMessages, from }) => {
    const messages = context(history, [opened()], { maxMessages }).slice(1);
    expect(messages[0]).toEqual({ role: "user", content: from });
    expect(messages.length).toBeLessThanOrEqual(maxMessages);
  });

  test("a call and its results are left out together", () => {
    const calls = toolRun(
      "x",
      [
        { name: "a", id: "1" },
        { name: "b", id: "2" },
      ],
      line.result(1, 1, "A"),
      line.result(1, 2, "B"),
    );
    const past = [...calls, line.reply(2, "done"), line.ended("x", "done"), ...talk(2)];
    for (let maxMessages = 1; maxMessages <= 9; maxMessages++)
      expect(problems(context(past, [opened()], { maxMessages }))).toEqual([]);
    expect(shown(context(past, [opened()], { maxMessages: 7 }))[1]).toBe("user: question 2");
    expect(shown(context(past, [opened()], { maxMessages: 8 }))[1]).toBe("user: do x");
  });

  test("tokens count, too, the system prompt's included", () => {
    // Each earlier message is 10 characters or 8 and 4 for its frame; "hi" takes 6, the system prompt 3.
    const needed = 3 + 4 + 6 + (10 + 4) + (8 + 4);
    expect(context(history, [opened()], { maxTokens: needed })).toHaveLength(4);
    expect(context(history, [opened()], { maxTokens: needed - 1 })).toHaveLength(2);
  });

  const longRun = [
    opened(),
    ...[1, 2, 3].flatMap((turn) => [
      line.reply(turn, "", [{ name: `tool${turn}`, id: String(turn) }]),
      line.result(turn, 1, String(turn).repeat(200)),
    ]),
    line.joined(message("m9", "and hurry")),
  ];

  test("old results of the current run give way first, those the model has not read yet never", () => {
    const messages = shown(context(history, longRun, { maxTokens: 600 }));
    expect(messages.map((each) => each.slice(0, 20))).toEqual([
      "system: SYS",
      "user: hi",
      "assistant:  1=tool1",
      "tool 1: (This earlie",
      "assistant:  2=tool2",
      "tool 2: 222222222222",
      "assistant:  3=tool3",
      "tool 3: 333333333333",
      "user: and hurry",
    ]);
  });

  test("then its old turns, and the model is told what it did there", () => {
    expect(shown(context(history, longRun, { maxTokens: 150 }))).toEqual([
      "system: SYS",
      "user: hi",
      "assistant: (Earlier in this run, left out here: tool1, tool2.)\n 3=tool3",
      `tool 3: ${"3".repeat(200)}`,
      "user: and hurry",
    ]);
  });

  test("its own messages are not counted: a run that forgot its steps would do them again", () => {
    expect(shown(context(history, longRun, { maxMessages: 1 }))).toHaveLength(9);
  });

  test("what people wrote and the last turn stay, whatever the limits", () => {
    expect(shown(context(history, longRun, { maxMessages: 1, maxTokens: 1 })).slice(1)).toEqual([
      "user: hi",
      expect.stringContaining("3=tool3"),
      `tool 3: ${"3".repeat(200)}`,
      "user: and hurry",
    ]);
  });
});

// ---- for any journal ----

const odd = fc.string({ unit: "binary", maxLength: 12 });
const callGiven = fc.record({
  id: fc.constantFrom("", "x", "y", "call_1", "call_2", "call_3"),
  name: fc.oneof(fc.constantFrom("look_up", "mail.send"), odd),
  args: fc.oneof(fc.constant("{}"), fc.constant('{"a":1}'), odd),
});
const resultGiven = fc.constantFrom("none", "ok", "long", "failed", "unknown", "question", "answered", "damaged");
const turnGiven = fc.record({
  text: fc.oneof(fc.constant(""), odd),
  calls: fc.array(fc.tuple(callGiven, resultGiven), { maxLength: 4 }),
  joins: fc.option(fc.string({ maxLength: 20 }), { nil: undefined }),
  damage: fc.option(fc.constantFrom("", "nonsense", "+{", '={"s":"ai_call_1","v":3}', "~{}"), { nil: undefined }),
});
const runGiven = fc.record({
  messages: fc.array(fc.string({ maxLength: 30 }), { minLength: 1, maxLength: 3 }),
  turns: fc.array(turnGiven, { maxLength: 5 }),
  end: fc.constantFrom("done", "failed", "stopped", "silent", "none"),
  text: fc.option(odd, { nil: undefined }),
  damagedOpening: fc.boolean(),
});

function linesOf(name: string, given: Partial<typeof runGiven extends fc.Arbitrary<infer T> ? T : never>): string[] {
  const { messages = [], turns = [], end = "none", text, damagedOpening = false } = given;
  const [opening = line.opened(name, message(`${name}-0`, "")), ...more] = messages.map((each, index) => {
    const given = message(`${name}-${index}`, each);
    return index === 0 ? line.opened(name, given) : line.joined(given);
  });
  const lines = [damagedOpening ? opening.slice(0, -2) : opening, ...more];
  for (const [index, { text: said, calls, joins, damage }] of turns.entries()) {
    const turn = index + 1;
    lines.push(
      line.reply(
        turn,
        said,
        calls.map(([call]) => call),
      ),
    );
    if (damage !== undefined) lines.push(damage);
    for (const [at, [, result]] of calls.entries()) lines.push(...resultLines(turn, at + 1, result));
    if (joins !== undefined) lines.push(line.joined(message(`${name}-${turn}-joined`, joins)));
  }
  if (end !== "none") lines.push(line.ended(name, end, text));
  return lines;
}

function resultLines(turn: number, at: number, result: string): string[] {
  switch (result) {
    case "ok":
      return [line.result(turn, at, "ok")];
    case "long":
      return [line.result(turn, at, "long ".repeat(60))];
    case "failed":
      return [line.tryFailed(`tool_${turn}_${at}`, 1), line.failure(turn, at, "timeout")];
    case "unknown":
      return [line.intent(turn, at), line.failure(turn, at, "outcome-unknown")];
    case "question":
      return [line.question(turn, at, "which?"), line.asked(turn, at)];
    case "answered":
      return [line.question(turn, at, "which?"), line.asked(turn, at), line.joined(message(`${turn}-${at}`, "that"))];
    case "damaged":
      return [`={"s":"tool_${turn}_${at}","v":5}`, "="];
    default:
      return [];
  }
}

test("for any journal the transcript is one that every provider takes, and within the limits", () => {
  fc.assert(
    fc.property(
      fc.array(runGiven, { maxLength: 5 }),
      runGiven,
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 10, max: 3_000 }),
      (past, now, maxMessages, maxTokens) => {
        const history = past.flatMap((each, index) => linesOf(`r${index}`, each));
        const current = linesOf("now", { ...now, end: "none", damagedOpening: false });
        const messages = context(history, current, { maxMessages, maxTokens });
        expect(problems(messages)).toEqual([]);
        if (tokensOf(messages) > maxTokens) expect(isLeast(messages)).toBe(true);
        const ofThisRun = context([], current, { maxMessages, maxTokens }).length;
        expect(messages.length).toBeLessThanOrEqual(Math.max(ofThisRun, maxMessages + 1));
        // Whatever the limits, every word a person said in this run is there.
        const said = JSON.stringify(messages);
        for (const each of now.messages)
          expect(said).toContain(JSON.stringify(each.toWellFormed().replaceAll("\0", "\uFFFD")).slice(1, -1));
      },
    ),
    { numRuns: 400 },
  );
});

/** What a strict provider would refuse. */
function problems(messages: readonly ChatMessage[]): string[] {
  const found: string[] = [];
  const ids = new Set<string>();
  if (messages[0]?.role !== "system") found.push("no system prompt");
  if (messages[1]?.role !== "user") found.push("the first message is not a person's");
  for (const [index, each] of messages.entries()) {
    if (index > 0 && each.role === "system") found.push("a second system prompt");
    if (each.role === "tool") {
      const head = messages.slice(0, index).findLast((earlier) => earlier.role !== "tool");
      const isCalled = head?.role === "assistant" && head.toolCalls?.some((call) => call.id === each.callId) === true;
      if (!isCalled) found.push(`an orphan result ${each.callId}`);
    }
    const calls = each.role === "assistant" ? (each.toolCalls ?? []) : [];
    for (const [at, call] of calls.entries()) {
      const result = messages[index + 1 + at];
      if (result?.role !== "tool" || result.callId !== call.id)
        found.push(`call ${call.id} has no result in its place`);
      if (ids.has(call.id) || call.id === "") found.push(`the id ${call.id} is not its own`);
      ids.add(call.id);
    }
  }
  const { body } = wireRequest({ messages, tools: [] }, { model: "m" });
  const json = JSON.stringify(body);
  if (/\\u0000|\\ud[89a-f]/i.test(json)) found.push("a character some servers refuse");
  for (const each of body.messages) {
    if (each.role !== "assistant") continue;
    for (const call of each.tool_calls ?? []) {
      if (call.type !== "function") continue;
      if (!/^[A-Za-z0-9_-]{1,64}$/.test(call.function.name)) found.push(`the name ${call.function.name}`);
      const args: unknown = JSON.parse(call.function.arguments);
      if (typeof args !== "object" || args === null || Array.isArray(args)) found.push("arguments that are no object");
    }
  }
  return found;
}

function tokensOf(messages: readonly ChatMessage[]): number {
  return messages.reduce((sum, each) => {
    const calls = each.role === "assistant" ? (each.toolCalls ?? []) : [];
    const frame = each.role === "system" ? 0 : 4;
    return (
      sum + frame + each.content.length + calls.reduce((all, call) => all + 4 + call.name.length + call.args.length, 0)
    );
  }, 0);
}

/** True when nothing is left that could be left out: people's messages and one turn. */
function isLeast(messages: readonly ChatMessage[]): boolean {
  return messages.filter((each) => each.role === "assistant").length <= 1;
}
