import { describe, expect, test } from "vitest";
import { describeRepeat, repeatedCalls, type MadeCall } from "./repeated-calls.ts";

const call = (args: string, result = "same", name = "web.fetch"): MadeCall => ({ name, args, result });
const look = call('{"url":"a"}');
const times = (n: number, turn: readonly MadeCall[] = [look]) => Array<readonly MadeCall[]>(n).fill(turn);

describe("the same call over and over", () => {
  test.each<{ what: string; turns: readonly (readonly MadeCall[])[]; verdict: string; count?: number }>([
    { what: "nothing was called", turns: [], verdict: "fine" },
    { what: "a turn without calls", turns: [...times(4), []], verdict: "fine" },
    { what: "once", turns: times(1), verdict: "fine" },
    { what: "twice", turns: times(2), verdict: "fine" },
    { what: "three times", turns: times(3), verdict: "warn", count: 3 },
    { what: "four times", turns: times(4), verdict: "warn", count: 4 },
    { what: "five times", turns: times(5), verdict: "stop", count: 5 },
    { what: "many times", turns: times(30), verdict: "stop", count: 30 },
    {
      what: "written in different ways",
      turns: [
        [call('{"a":1,"b":[{"c":2,"d":3}]}')],
        [call(' { "b": [{"d":3, "c":2}], "a":1.0 }')],
        [call('{"b":[{"c":2,"d":3}],"a":1}')],
      ],
      verdict: "warn",
      count: 3,
    },
    {
      what: "no arguments in different ways",
      turns: [[call("")], [call("{}")], [call("  ")]],
      verdict: "warn",
      count: 3,
    },
    { what: "text that is not JSON", turns: times(3, [call("{broken")]), verdict: "warn", count: 3 },
    { what: "lists in another order", turns: [[call("[1,2]")], [call("[2,1]")], [call("[1,2]")]], verdict: "fine" },
    { what: "a key named __proto__", turns: [[call('{"__proto__":1}')], [call("{}")], [call("{}")]], verdict: "fine" },
    { what: "other arguments", turns: [[call('{"n":1}')], [call('{"n":2}')], [call('{"n":3}')]], verdict: "fine" },
    { what: "other tools", turns: [[look], [call('{"url":"a"}', "same", "web.search")], [look]], verdict: "fine" },
    {
      what: "other results: something moves",
      turns: [[call("{}", "1 %")], [call("{}", "2 %")], [call("{}", "3 %")], [call("{}", "4 %")], [call("{}", "5 %")]],
      verdict: "fine",
    },
    {
      what: "another result in between",
      turns: [...times(4), [call('{"url":"a"}', "new")], ...times(2)],
      verdict: "fine",
    },
    {
      what: "other calls in between",
      turns: [[look], [call("{}")], [look], [call("[]")], [look]],
      verdict: "warn",
      count: 3,
    },
    {
      what: "two calls taking turns",
      turns: [[look], [call("{}")], ...times(3, [look, call("{}")])],
      verdict: "warn",
      count: 4,
    },
    {
      what: "among other calls",
      turns: [
        [look, call("1")],
        [call("2"), look],
        [look, call("3")],
      ],
      verdict: "warn",
      count: 3,
    },
    { what: "three times in one turn", turns: [[look, look, look]], verdict: "fine" },
    { what: "two results in one turn", turns: [...times(2), [look, call('{"url":"a"}', "new")]], verdict: "fine" },
    { what: "then something else", turns: [...times(4), [call("{}")]], verdict: "fine" },
    { what: "failing the same way", turns: times(3, [call("{}", "Error: no such page")]), verdict: "warn", count: 3 },
  ])("$what: $verdict", ({ turns, verdict, count }) => {
    expect(repeatedCalls(turns)).toMatchObject(
      count === undefined ? { kind: verdict } : { kind: verdict, times: count },
    );
  });

  test("counts as often as it is told to", () => {
    expect(repeatedCalls(times(2), { warnAt: 2, stopAt: 3 })).toEqual({ kind: "warn", name: "web.fetch", times: 2 });
    expect(repeatedCalls(times(3), { warnAt: 2, stopAt: 3 })).toEqual({ kind: "stop", name: "web.fetch", times: 3 });
  });

  test("arguments nested beyond reason are compared as they are", () => {
    const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    expect(repeatedCalls(times(3, [call(deep)]))).toMatchObject({ kind: "warn", times: 3 });
  });

  test("the model is told which and how often", () => {
    expect(describeRepeat({ name: "web.fetch", times: 3 })).toMatch(
      /^You have called web\.fetch with these arguments 3 times/,
    );
  });
});
