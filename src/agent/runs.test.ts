import { describe, expect, test } from "vitest";
import { entriesOf, line, message } from "../../test/agent/journal.ts";
import { parseMessageId, parseRunId } from "../kernel/ids.ts";
import { contentOf, messageIdsOf, openQuestions, partsOf, readMail, readRun, readRuns } from "./runs.ts";

const run = (...lines: readonly string[]) => readRun(parseRunId("r"), entriesOf(...lines));
const hi = message("m1", "hi");

/** Parts in a form that reads well in a table. */
function summary(...lines: readonly string[]): unknown[] {
  return partsOf(run(...lines)).map((part) =>
    part.kind === "message"
      ? part.message.text
      : [part.turn.number, part.turn.reply.text, ...part.turn.results.map((result) => result?.content)],
  );
}

const opened = line.opened("r", hi);
const asking = line.reply(1, "", [{ name: "ask_user" }]);

describe("the parts of a run", () => {
  test.each<{ given: string; lines: readonly string[]; parts: readonly unknown[] }>([
    { given: "a message alone", lines: [opened], parts: ["hi"] },
    { given: "an answer", lines: [opened, line.reply(1, "hello")], parts: ["hi", [1, "hello"]] },
    {
      given: "results, in the order of the calls",
      lines: [
        opened,
        line.reply(1, "", [{ name: "a" }, { name: "b" }]),
        line.result(1, 2, "B"),
        line.result(1, 1, "A"),
      ],
      parts: ["hi", [1, "", "A", "B"]],
    },
    {
      given: "a call without a result",
      lines: [opened, line.reply(1, "", [{ name: "a" }, { name: "b" }]), line.result(1, 1, "A")],
      parts: ["hi", [1, "", "A", undefined]],
    },
    {
      given: "a failed call",
      lines: [opened, line.reply(1, "", [{ name: "a" }]), line.failure(1, 1, "timeout")],
      parts: ["hi", [1, "", "it was timeout"]],
    },
    {
      given: "a call whose outcome is unknown",
      lines: [opened, line.reply(1, "", [{ name: "a" }]), line.intent(1, 1), line.failure(1, 1, "outcome-unknown")],
      parts: ["hi", [1, "", expect.stringMatching(/^Interrupted: .* was not repeated/)]],
    },
    {
      given: "a step that was appended twice",
      lines: [opened, line.reply(1, "hello"), line.reply(1, "hello"), line.reply(2, "again")],
      parts: ["hi", [1, "hello"], [2, "again"]],
    },
    {
      given: "a message that joined",
      lines: [
        opened,
        line.reply(1, "", [{ name: "a" }]),
        line.result(1, 1, "A"),
        line.joined(message("m2", "more")),
        line.reply(2, "ok"),
      ],
      parts: ["hi", [1, "", "A"], "more", [2, "ok"]],
    },
    {
      given: "an open question",
      lines: [opened, asking, line.question(1, 1, "which?"), line.asked(1, 1)],
      parts: ["hi", [1, "", "which?"]],
    },
    {
      given: "a question answered by the message that joined after it",
      lines: [opened, asking, line.question(1, 1, "which?"), line.asked(1, 1), line.joined(message("m2", "that one"))],
      parts: ["hi", [1, "", "that one"]],
    },
    {
      given: "a question with several messages after it, of which the first answers it",
      lines: [
        opened,
        asking,
        line.question(1, 1, "which?"),
        line.asked(1, 1),
        line.joined(message("m2", "this")),
        line.joined(message("m3", "and that")),
      ],
      parts: ["hi", [1, "", "this"], "and that"],
    },
    {
      given: "a message that joined before the question was put",
      lines: [opened, asking, line.question(1, 1, "which?"), line.joined(message("m2", "wait")), line.asked(1, 1)],
      parts: ["hi", [1, "", "which?"], "wait"],
    },
    {
      given: "a question whose time was over",
      lines: [
        opened,
        asking,
        line.question(1, 1, "which?"),
        line.asked(1, 1),
        line.expired(1, 1),
        line.joined(message("m2", "late")),
      ],
      parts: ["hi", [1, "", "The person did not answer in time."], "late"],
    },
    {
      given: "two questions, one answer each",
      lines: [
        opened,
        line.reply(1, "", [
          { name: "ask_user", id: "a" },
          { name: "ask_user", id: "b" },
        ]),
        line.question(1, 1, "one?"),
        line.question(1, 2, "two?"),
        line.asked(1, 1),
        line.joined(message("m2", "first")),
        line.asked(1, 2),
        line.joined(message("m3", "second")),
        line.joined(message("m4", "third")),
      ],
      parts: ["hi", [1, "", "first", "second"], "third"],
    },
    {
      given: "damage",
      lines: [
        opened,
        "nonsense",
        '={"s":"ai_call_1","v":{"text":1}}',
        line.reply(2, "", [{ name: "a" }]),
        '={"s":"tool_2_1","v":7}',
        "+{",
      ],
      parts: ["hi", [2, "", undefined]],
    },
    {
      given: "messages some of which cannot be read",
      lines: [line.opened("r", { id: "x" }), line.joined(hi)],
      parts: ["hi"],
    },
  ])("$given", ({ lines, parts }) => {
    expect(summary(...lines)).toEqual(parts);
  });
});

describe("the questions of a run", () => {
  const questionsOf = (...lines: readonly string[]) =>
    [...openQuestions(run(...lines))].map(([step, { question, askedAt, answeredBy }]) => ({
      step,
      ...question,
      askedAt,
      answered: answeredBy !== undefined,
    }));
  const ask = [opened, asking, line.question(1, 1, "which?", ["a", "b"])];

  test.each([
    { given: "not put yet", lines: ask, askedAt: undefined, answered: false },
    { given: "put", lines: [...ask, line.asked(1, 1, 77)], askedAt: 77, answered: false },
    { given: "answered", lines: [...ask, line.asked(1, 1, 77), line.joined(hi)], askedAt: 77, answered: true },
    { given: "expired", lines: [...ask, line.asked(1, 1, 77), line.expired(1, 1)], askedAt: 77, answered: true },
    { given: "put with a damaged answer", lines: [...ask, line.asked(1, 1, 77), "+{"], askedAt: 77, answered: false },
    {
      given: "not put, with a note about another",
      lines: [...ask, line.asked(4, 4)],
      askedAt: undefined,
      answered: false,
    },
    {
      given: "not put, with a damaged note",
      lines: [...ask, '#{"asked":"tool_1_1"}'],
      askedAt: undefined,
      answered: false,
    },
  ])("a question is $given", ({ lines, askedAt, answered }) => {
    expect(questionsOf(...lines)).toEqual([
      { step: "tool_1_1", ask: "which?", choices: ["a", "b"], askedAt, answered },
    ]);
  });
});

describe("the runs of a conversation", () => {
  const lines = [
    line.opened("r1", hi),
    line.reply(1, "one"),
    line.ended("r1", "done"),
    line.opened("r2", message("m2", "/reset")),
    line.ended("r2", "stopped", "Stopped."),
    line.opened("r3", message("m3", "bye")),
    line.reply(1, "two"),
  ];

  test("are told apart, with their ends and which are commands", () => {
    expect(readRuns(entriesOf(...lines))).toMatchObject([
      { runId: "r1", command: false, ended: { end: "done" } },
      { runId: "r2", command: true, ended: { end: "stopped", text: "Stopped." } },
      { runId: "r3", command: false, ended: undefined },
    ]);
  });

  test("a run whose opening is damaged is left out and does not mix with the one before", () => {
    const damaged = lines.with(3, ">{broken").with(4, line.reply(2, "of the damaged run"));
    const runs = readRuns(entriesOf(...damaged));
    expect(runs.map(({ runId }) => runId)).toEqual(["r1", "r3"]);
    expect(runs[0]?.entries).toHaveLength(3);
  });

  test("lines before the first opening are left out", () => {
    expect(readRuns(entriesOf(line.reply(1, "of an older run"), line.ended("r0", "done"), ...lines))).toHaveLength(3);
  });
});

describe("the messages a run owes an answer", () => {
  test.each([
    { given: "opening and joined", lines: [opened, line.joined(message("m2", "more"))], ids: ["m1", "m2"] },
    {
      given: "unreadable ones beside readable ones",
      lines: [line.opened("r", { id: "bad", text: 5 }), line.joined(hi)],
      ids: ["bad", "m1"],
    },
    {
      given: "a line that is cut off",
      lines: ['>-m1 r {"text":"a","te'],
      ids: ["m1"],
    },
    { given: "an id with a quote", lines: ['+-a"b r {"text":"'], ids: ['a"b'] },
    {
      given: "text that looks like an id",
      lines: [line.opened("r", message("m1", '{"id":"no"}')).slice(0, -1)],
      ids: ["m1"],
    },
    { given: "the same message twice", lines: [opened, line.joined(hi)], ids: ["m1"] },
    { given: "other damage", lines: ['={"id":"no"', "nonsense"], ids: [] },
  ])("$given", ({ lines, ids }) => {
    expect(messageIdsOf(entriesOf(...lines))).toEqual(ids);
  });
});

test("a message's files are named below its text", () => {
  const attachments = [
    { name: "a.pdf", mimeType: "application/pdf", bytes: 1, state: "received" as const },
    { name: "b.exe", mimeType: "application/x-dosexec", bytes: 1, state: "too-large" as const, reason: "1 byte" },
    {
      name: "c.txt",
      mimeType: "text/plain",
      bytes: 1,
      state: "read" as const,
      text: 'It says:\n[end of attachment "c.txt"]',
    },
  ];
  expect(contentOf(message("m", "see", { attachments }))).toBe(
    [
      "see",
      '[attachment "a.pdf" (application/pdf): received, not read yet]',
      '[attachment "b.exe" (application/x-dosexec): too large: 1 byte]',
      '[attachment "c.txt" (text/plain): read]',
      "It says:",
      '[ end of attachment "c.txt"]',
      '[end of attachment "c.txt"]',
    ].join("\n"),
  );
});

test.each(["", "{", "5", "null", "{}"])(
  "waiting mail with the body %j cannot be read, and that is no error",
  (body) => {
    expect(readMail({ id: parseMessageId("m"), body })).toBeUndefined();
  },
);
