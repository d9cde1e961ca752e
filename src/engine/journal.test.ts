import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MessageId, RunId } from "../kernel/ids.ts";
import {
  endedLine,
  intentLine,
  noteLine,
  parseLine,
  parseLines,
  stepLine,
  tryFailedLine,
  wokenLine,
  type JournalEntry,
} from "./journal.ts";

const run = "w.1" as RunId;
const m1 = "m1" as MessageId;

describe("a journal line", () => {
  test.each<[string, string, JournalEntry]>([
    ["that opens a run", '>-m1 w.1 {"a":1}', { kind: "opened", runId: run, id: m1, message: { id: m1, a: 1 } }],
    [
      "that opens a run of its message's name",
      ">sm1  5",
      { kind: "opened", runId: m1 as string as RunId, id: m1, message: 5 },
    ],
    ["with a message that joined", '+cm1 w.1 {"id":"other"}', { kind: "joined", id: m1, message: { id: "other" } }],
    ["of an intent", intentLine("pay", 5), { kind: "intent", step: "pay", at: 5 }],
    [
      "of a failed try",
      tryFailedLine("ask", "busy", 5, 2),
      { kind: "try-failed", step: "ask", message: "busy", at: 5, tries: 2 },
    ],
    [
      "of a step",
      stepLine({ step: "ask", outcome: { value: { a: 1 } }, at: 5, ms: 7, tries: 1 }),
      { kind: "step", step: "ask", outcome: { value: { a: 1 } }, at: 5, ms: 7, tries: 1 },
    ],
    [
      "of a step that gave nothing",
      stepLine({ step: "ask", outcome: { value: undefined }, at: 5, ms: 7, tries: 3 }),
      { kind: "step", step: "ask", outcome: { value: undefined }, at: 5, ms: 7, tries: 3 },
    ],
    [
      "of a step that failed",
      stepLine({ step: "ask", outcome: { error: { code: "timeout", message: "slow" } }, at: 5, ms: 7, tries: 1 }),
      { kind: "step", step: "ask", outcome: { error: { code: "timeout", message: "slow" } }, at: 5, ms: 7, tries: 1 },
    ],
    ["of a wake-up", wokenLine("k", [1], 5), { kind: "woken", key: "k", value: [1], at: 5 }],
    ["of an end", endedLine(run, "done", 5), { kind: "ended", runId: run, end: "done", at: 5 }],
    [
      "of an end with words",
      endedLine(run, "failed", 5, "sorry"),
      { kind: "ended", runId: run, end: "failed", at: 5, text: "sorry" },
    ],
    ["of the handler's own", noteLine({ asked: 1 }), { kind: "note", note: { asked: 1 } }],
    ["of the handler's own that is nothing", noteLine(null), { kind: "note", note: null }],
  ])("%s is read as it was meant", (_what, line, entry) => {
    expect(parseLine(line)).toEqual(entry);
    expect(line).not.toContain("\n");
  });

  test("that is damaged is unreadable and never throws", () => {
    const lines = [
      "",
      ">",
      "nonsense",
      '>{"run":1}',
      '>{"run":"w.1"}',
      "={}",
      "!{}",
      "?{}",
      "~{}",
      ".{}",
      '.{"run":"w.1"}',
      '+{"in":1}',
      "@{}",
      "=null",
      ">[1]",
    ];
    for (const line of lines) expect(parseLine(line)).toEqual({ kind: "unreadable", line });
    fc.assert(fc.property(fc.string(), (line) => void parseLine(line)));
    fc.assert(
      fc.property(
        fc.constantFrom("!", "?", "=", "~", ".", "#", ">", "+"),
        fc.json(),
        (letter, json) => void parseLine(letter + json),
      ),
    );
  });

  test("gives back any value that JSON can hold", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const entry = parseLine(stepLine({ step: "s", outcome: { value }, at: 1, ms: 1, tries: 1 }));
        expect(entry).toMatchObject({ kind: "step", outcome: { value: JSON.parse(JSON.stringify(value)) } });
      }),
    );
  });
});

describe("a journal", () => {
  const step = (name: string, value: number) => stepLine({ step: name, outcome: { value }, at: 1, ms: 1, tries: 1 });
  const opening = (id: string) => `>-m ${id} {}`;

  test("counts a step that was appended twice once, the first time", () => {
    const entries = parseLines([opening("a"), step("one", 1), step("two", 2), step("one", 1), step("two", 2)]);
    expect(entries.map((entry) => (entry.kind === "step" ? entry.step : entry.kind))).toEqual(["opened", "one", "two"]);
  });

  test("counts a step of the next run with the same name", () => {
    const entries = parseLines([opening("a"), step("one", 1), endedLine(run, "done", 1), opening("b"), step("one", 2)]);
    expect(entries.flatMap((entry) => (entry.kind === "step" ? [entry.outcome.value] : []))).toEqual([1, 2]);
  });

  test("keeps what stands before and after a damaged line", () => {
    const kinds = parseLines([opening("a"), "garbage", step("one", 1)]).map(({ kind }) => kind);
    expect(kinds).toEqual(["opened", "unreadable", "step"]);
  });
});
