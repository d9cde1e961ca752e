import { describe, expect, test } from "vitest";
import { describeRepeat, judgeRepeat, type MadeCall } from "./repeated-calls.ts";

const call = (args: string, content = "same", name = "web.fetch"): MadeCall => ({ name, args, result: { content } });
const look = call('{"url":"a"}');
const refused: MadeCall = { ...look, result: "refused" };
const times = (n: number, turn: readonly MadeCall[] = [look]) => Array<readonly MadeCall[]>(n).fill(turn);

describe("the same call over and over", () => {
  const cases: readonly {
    readonly before: string;
    readonly turns: readonly (readonly MadeCall[])[];
    readonly next?: MadeCall;
    readonly verdict: "do" | "refuse" | "stop";
    readonly count?: number;
  }[] = [
    { before: "nothing", turns: [], verdict: "do" },
    { before: "it twice", turns: times(2), verdict: "do" },
    { before: "it three times", turns: times(3), verdict: "refuse", count: 3 },
    { before: "a refusal", turns: [...times(3), [refused]], verdict: "refuse", count: 3 },
    { before: "two refusals", turns: [...times(3), [refused], [refused]], verdict: "stop", count: 3 },
    {
      before: "two refusals beside others",
      turns: [...times(3), [refused, call("1")], [refused, call("2")]],
      verdict: "stop",
    },
    { before: "it thirty times", turns: times(30), verdict: "refuse", count: 30 },
    {
      before: "refusals and then something else",
      turns: [...times(3), [refused], [refused]],
      next: call("{}"),
      verdict: "do",
    },
    {
      before: "it, written in different ways",
      turns: [
        [call('{"a":1,"b":[{"c":2,"d":3}]}')],
        [call(' { "b": [{"d":3, "c":2}], "a":1.0 }')],
        [call('{"b":[{"c":2,"d":3}],"a":1}')],
      ],
      next: call('{"a":1,"b":[{"c":2,"d":3}]}'),
      verdict: "refuse",
    },
    {
      before: "no arguments in different ways",
      turns: [[call("")], [call("{}")], [call("  ")]],
      next: call(""),
      verdict: "refuse",
    },
    { before: "text that is not JSON", turns: times(3, [call("{broken")]), next: call("{broken"), verdict: "refuse" },
    {
      before: "lists in another order",
      turns: [[call("[1,2]")], [call("[2,1]")], [call("[1,2]")]],
      next: call("[1,2]"),
      verdict: "do",
    },
    { before: "a key named __proto__", turns: times(3, [call("{}")]), next: call('{"__proto__":1}'), verdict: "do" },
    { before: "other arguments", turns: [[call('{"n":1}')], [call('{"n":2}')], [call('{"n":3}')]], verdict: "do" },
    { before: "another tool", turns: times(3, [call('{"url":"a"}', "same", "web.search")]), verdict: "do" },
    {
      before: "other results: something moves",
      turns: ["1 %", "2 %", "3 %", "4 %", "5 %"].map((content) => [call('{"url":"a"}', content)]),
      verdict: "do",
    },
    {
      before: "another result in between",
      turns: [...times(4), [call('{"url":"a"}', "new")], ...times(2)],
      verdict: "do",
    },
    {
      before: "another result before refusals",
      turns: [...times(1, [call('{"url":"a"}', "new")]), ...times(3), [refused]],
      verdict: "refuse",
      count: 3,
    },
    {
      before: "other calls in between",
      turns: [[look], [call("{}")], [look], [call("[]")], [look]],
      verdict: "refuse",
    },
    {
      before: "two calls taking turns",
      turns: [[look], [call("{}")], ...times(2, [look, call("{}")])],
      verdict: "refuse",
      count: 3,
    },
    { before: "it three times in one turn", turns: [[look, look, look]], verdict: "do" },
    { before: "two results in one turn", turns: [...times(2), [look, call('{"url":"a"}', "new")]], verdict: "do" },
    {
      before: "the same failure",
      turns: times(3, [call("{}", "Error: no such page")]),
      next: call("{}"),
      verdict: "refuse",
    },
  ];
  test.each(cases)("after $before: $verdict", ({ turns, next = look, verdict, count }) => {
    expect(judgeRepeat(turns, next)).toMatchObject({ kind: verdict, ...(count === undefined ? {} : { times: count }) });
  });

  test("counts as often as it is told to", () => {
    const limits = { refuseAfter: 1, stopAfter: 1 };
    expect(judgeRepeat([], look, limits)).toEqual({ kind: "do" });
    expect(judgeRepeat(times(1), look, limits)).toEqual({ kind: "refuse", name: "web.fetch", times: 1 });
    expect(judgeRepeat([[look], [refused]], look, limits)).toEqual({ kind: "stop", name: "web.fetch", times: 1 });
  });

  test("arguments nested beyond reason are compared as they are", () => {
    const deep = call(`${"[".repeat(20_000)}${"]".repeat(20_000)}`);
    expect(judgeRepeat(times(3, [deep]), deep)).toMatchObject({ kind: "refuse", times: 3 });
  });

  test("the model is told which and how often", () => {
    expect(describeRepeat({ name: "web.fetch", times: 3 })).toMatch(
      /^Not done: web\.fetch was called with these arguments 3 times/,
    );
  });
});
