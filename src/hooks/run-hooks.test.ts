import { describe, expect, test } from "vitest";
import { parseConversationId, parseRunId, parseWorkspaceId } from "../kernel/ids.ts";
import { silentLog } from "../kernel/ports.ts";
import type { HookDefinition } from "./contract.ts";
import { defineHooks, exportedHooks, refuse } from "./define.ts";
import { createHookRunner } from "./run-hooks.ts";

const place = {
  workspaceId: parseWorkspaceId("ada"),
  conversationId: parseConversationId("api:ada"),
  runId: parseRunId("run.1"),
  signal: new AbortController().signal,
};
const { signal: _signal, ...bare } = place;
const messages = [
  { role: "system", content: "Be kind." },
  { role: "user", content: "hello" },
] as const;
const asked = { messages, tools: ["time_now"] };
const look = { tool: "look", effect: "read", args: { at: 1 } };

function runnerOf(...definitions: readonly HookDefinition[]) {
  let loaded = definitions.map((definition, index) => ({ file: `hooks/${index}.ts`, hooks: defineHooks(definition) }));
  const calls: string[] = [];
  const runner = createHookRunner({
    hooks: () => loaded,
    limits: () => ({ timeoutMs: 30, maxFailures: 2 }),
    log: silentLog,
    onCall: (point, outcome) => void calls.push(`${point} ${outcome}`),
  });
  return {
    runner,
    calls,
    reload: () => void (loaded = loaded.map(({ file, hooks }) => ({ file, hooks: defineHooks(hooks.definition) }))),
  };
}

describe("hooks that decide", () => {
  test("change one after the other, in the order of their files", async () => {
    const add = (word: string): HookDefinition => ({
      beforeModel: ({ messages: given }) => ({ messages: [...given, { role: "user", content: word }] }),
      afterModel: async ({ text }) => ({ text: `${text} ${word}` }),
      beforeTool: ({ args }) => ({ args: { ...(args as object), [word]: true } }),
      afterTool: ({ content }) => ({ content: `${content} ${word}` }),
    });
    const { runner } = runnerOf(add("one"), {}, add("two"));
    expect(await runner.beforeModel(place, asked)).toEqual({
      kind: "go",
      value: [...messages, { role: "user", content: "one" }, { role: "user", content: "two" }],
    });
    expect(await runner.afterModel(place, { text: "so", toolCalls: [], model: "m" })).toBe("so one two");
    expect(await runner.beforeTool(place, look)).toEqual({ kind: "go", value: { at: 1, one: true, two: true } });
    expect(await runner.afterTool(place, { tool: "look", args: {}, content: "seen", ok: true })).toBe("seen one two");
  });

  test("refuse with a sentence, and the ones behind are not asked", async () => {
    let asks = 0;
    const { runner } = runnerOf(
      { beforeTool: () => refuse("not on Sundays."), beforeModel: async () => refuse("  ") },
      { beforeTool: () => void (asks += 1) },
    );
    expect(await runner.beforeTool(place, look)).toEqual({ kind: "refused", sentence: "not on Sundays." });
    expect(await runner.beforeModel(place, asked)).toEqual({ kind: "refused", sentence: "This was refused." });
    expect(asks).toBe(0);
  });

  test("cannot change what they were given by changing it in place", async () => {
    const { runner } = runnerOf({
      beforeModel: ({ messages: given }) => void (given as unknown[]).splice(0),
      beforeTool: ({ args }) => void Object.assign(args as object, { at: 2 }),
    });
    expect(await runner.beforeModel(place, asked)).toEqual({ kind: "go", value: messages });
    expect(await runner.beforeTool(place, look)).toEqual({ kind: "go", value: { at: 1 } });
  });
});

const failing: readonly { readonly what: string; readonly hook: () => never }[] = [
  {
    what: "throws",
    hook: () => {
      throw new Error("broken");
    },
  },
  { what: "rejects", hook: (() => Promise.reject(new Error("broken"))) as () => never },
  { what: "hangs", hook: (() => new Promise(() => {})) as () => never },
  { what: "gives back nonsense", hook: (() => "yes") as unknown as () => never },
  {
    what: "gives back what is no JSON",
    hook: (() => ({ args: () => 1, messages: [], text: 1 })) as unknown as () => never,
  },
];
describe.each(failing)("a hook that $what", ({ hook }) => {
  test("is passed over, and after two failures in a row switched off until it is loaded again", async () => {
    const { runner, calls, reload } = runnerOf({ beforeTool: hook, beforeModel: hook, afterModel: hook });
    expect(await runner.beforeModel(place, asked)).toEqual({ kind: "go", value: messages });
    expect(await runner.afterModel(place, { text: "so", toolCalls: [], model: "m" })).toBe("so");
    for (let times = 0; times < 3; times++)
      expect(await runner.beforeTool(place, look)).toEqual({ kind: "go", value: { at: 1 } });
    expect(calls.filter((call) => call.startsWith("beforeTool"))).toEqual([
      "beforeTool failed",
      "beforeTool failed",
      "beforeTool skipped",
    ]);
    expect(runner.troubles()).toMatchObject([{ file: "hooks/0.ts", point: "beforeTool" }]);
    reload();
    expect(runner.troubles()).toEqual([]);
  });

  test("that guards something refuses instead, also when it is switched off", async () => {
    const { runner } = runnerOf({ onFailure: "refuse", beforeTool: hook, beforeModel: hook });
    for (let times = 0; times < 3; times++)
      expect(await runner.beforeTool(place, look)).toEqual({
        kind: "refused",
        sentence: "This was not done: the check in hooks/0.ts (beforeTool) does not work at the moment.",
      });
    expect(await runner.beforeModel(place, asked)).toMatchObject({ kind: "refused" });
  });
});

test("one success begins the count of failures anew", async () => {
  let times = 0;
  const { runner } = runnerOf({
    beforeTool() {
      times += 1;
      if (times % 2 === 1) throw new Error("every other time");
    },
  });
  for (let calls = 0; calls < 6; calls++) await runner.beforeTool(place, look);
  expect(runner.troubles()).toEqual([]);
});

test("a stopped run is no failure of the hook, and ends the call at once", async () => {
  const stop = new AbortController();
  const { runner, calls } = runnerOf({ beforeTool: (() => new Promise(() => {})) as () => never });
  const asking = runner.beforeTool({ ...place, signal: stop.signal }, look);
  stop.abort(new Error("stopped"));
  await expect(asking).rejects.toThrow("stopped");
  expect(calls).toEqual([]);
});

describe("hooks that are told", () => {
  test("hear everything in order, one after the other, and a failing one holds nobody up", async () => {
    const heard: string[] = [];
    const { runner } = runnerOf(
      {
        onMemory: () => {
          throw new Error("deaf");
        },
      },
      { onMemory: async ({ key }) => void heard.push(key ?? ""), onRunComplete: ({ text }) => void heard.push(text) },
    );
    for (const key of ["a", "b", "c"]) runner.tell("onMemory", { workspaceId: place.workspaceId, action: "set", key });
    runner.tell("onRunComplete", { ...bare, text: "done" });
    await runner.settled();
    expect(heard).toEqual(["a", "b", "c", "done"]);
    expect(runner.troubles()).toMatchObject([{ point: "onMemory", problem: "deaf" }]);
  });

  test("of a growing text hear the newest, when they are slower than it grows", async () => {
    const heard: string[] = [];
    const first = Promise.withResolvers<void>();
    const { runner } = runnerOf({
      onRunPartial: async ({ text }) => {
        heard.push(text);
        if (heard.length === 1) await first.promise;
      },
    });
    const step = "ai_call_1";
    runner.tell("onRunPartial", { ...bare, step, text: "O" });
    await Promise.resolve();
    await Promise.resolve();
    for (const text of ["On", "Onc", "Once"]) runner.tell("onRunPartial", { ...bare, step, text });
    first.resolve();
    await runner.settled();
    expect(heard.at(-1)).toBe("Once");
    expect(heard.length).toBeLessThan(4);
  });
});

describe("defineHooks", () => {
  test("refuses a name that is no hook's, and what is no function", () => {
    expect(() => defineHooks({ beforeTol: () => undefined } as HookDefinition)).toThrow('There is no hook "beforeTol"');
    expect(() => defineHooks({ beforeTool: 1 } as unknown as HookDefinition)).toThrow('"beforeTool" is no function');
  });

  test("is found among a module's exports, each once", () => {
    const hooks = defineHooks({});
    expect(exportedHooks({ default: hooks, again: hooks, other: 1, more: {}, none: null })).toEqual([hooks]);
    expect(exportedHooks(undefined)).toEqual([]);
  });
});
