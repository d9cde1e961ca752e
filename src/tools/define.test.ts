import { describe, expect, test } from "vitest";
import { z } from "zod";
import { InvalidInput, OutsideError } from "../kernel/errors.ts";
import { parseConversationId, parseRunId, parseWorkspaceId } from "../kernel/ids.ts";
import { silentLog, systemClock } from "../kernel/ports.ts";
import type { Effect, ToolContext } from "./contract.ts";
import { defineTool, question } from "./define.ts";

const order = z.object({
  item: z.string().min(2).describe("What to buy"),
  count: z.number().int().default(1),
  sizes: z.array(z.enum(["s", "m"])).optional(),
});

describe("the arguments", () => {
  test("are described to the model as draft-7 JSON Schema, without the dialect's address", () => {
    expect(toolReturning("x", order).parameters).toEqual({
      type: "object",
      properties: {
        item: { type: "string", minLength: 2, description: "What to buy" },
        count: { type: "integer", default: 1, minimum: -9007199254740991, maximum: 9007199254740991 },
        sizes: { type: "array", items: { type: "string", enum: ["s", "m"] } },
      },
      required: ["item"],
    });
  });

  test("of a tool that takes none are an object all the same", () => {
    expect(toolReturning("x", z.object({})).parameters).toEqual({ type: "object", properties: {} });
  });

  test("reach the tool parsed, with defaults filled in", async () => {
    const tool = defineTool({ ...definition, input: order, run: (input) => input });
    expect(await tool.run({ item: "tea", extra: 1 }, context())).toEqual({
      kind: "result",
      value: { item: "tea", count: 1 },
    });
  });

  test("that do not fit are refused, every field named, and nothing is run", async () => {
    let ran = false;
    const tool = defineTool({ ...definition, input: order, run: () => (ran = true) });
    const refusal = tool.run({ item: "t", count: "three", sizes: ["m", "xl"] }, context());
    await expect(refusal).rejects.toThrow(InvalidInput);
    await expect(refusal).rejects.toMatchObject({
      code: "invalid_arguments",
      message: expect.stringContaining('Arguments of "shop"'),
    });
    for (const field of ["item: ", "count: ", "sizes[1]: "]) await expect(refusal).rejects.toThrow(field);
    expect(ran).toBe(false);
  });

  test.each([null, "text", [], 7, undefined])("%j instead of named arguments is refused", async (args) => {
    await expect(toolReturning("x", order).run(args, context())).rejects.toThrow("(all arguments): ");
  });

  test("with very many mistakes make a short message", async () => {
    const tool = toolReturning("x", z.object({ list: z.array(z.string()) }));
    await expect(tool.run({ list: Array.from({ length: 5000 }, () => 1) }, context())).rejects.toThrow(
      "; and 4990 more",
    );
  });

  test.each([
    { given: "a list", input: z.array(z.string()), says: "must be an object schema" },
    {
      given: "one of two objects",
      input: z.union([z.object({ a: z.string() }), z.object({ b: z.string() })]),
      says: "must be an object schema",
    },
    { given: "a date", input: z.object({ day: z.date() }), says: "no JSON Schema" },
  ])("described as $given are refused when the tool is defined", ({ input, says }) => {
    expect(() => toolReturning("x", input)).toThrow(says);
  });
});

describe("the result", () => {
  test.each([
    { returned: "plain text", value: "plain text" },
    { returned: undefined, value: "done" },
    { returned: null, value: null },
    { returned: 0, value: 0 },
    { returned: { a: [1, { b: true }], gone: undefined }, value: { a: [1, { b: true }] } },
    { returned: new Date(0), value: "1970-01-01T00:00:00.000Z" },
    {
      returned: { kind: "question", question: { ask: "Password?" } },
      value: { kind: "question", question: { ask: "Password?" } },
    },
  ])("$returned reaches the model as $value", async ({ returned, value }) => {
    expect(await toolReturning(returned).run({}, context())).toEqual({ kind: "result", value });
  });

  test("of an asynchronous tool is awaited", async () => {
    expect(await toolReturning(Promise.resolve("later")).run({}, context())).toEqual({
      kind: "result",
      value: "later",
    });
  });

  test("can be a question, with or without choices", async () => {
    expect(await toolReturning(question("Which?", ["a", "b"])).run({}, context())).toEqual({
      kind: "question",
      question: { ask: "Which?", choices: ["a", "b"] },
    });
    expect(await toolReturning(question("Which?")).run({}, context())).toEqual({
      kind: "question",
      question: { ask: "Which?" },
    });
  });

  const circle: { self?: unknown } = {};
  circle.self = circle;
  test.each([
    { what: "a big number", returned: { n: 10n } },
    { what: "a circle", returned: circle },
    { what: "a function", returned: () => 1 },
    { what: "a symbol", returned: Symbol("x") },
  ])("that is $what is garbled, and the message says that the tool ran", async ({ returned }) => {
    const failure = toolReturning(returned).run({}, context());
    await expect(failure).rejects.toThrow(OutsideError);
    await expect(failure).rejects.toMatchObject({
      code: "garbled",
      message: expect.stringContaining('Tool "shop" ran, but'),
    });
  });
});

test.each([
  { approval: {}, means: "never" },
  { approval: { approval: "never" }, means: "never" },
  { approval: { approval: "ask" }, means: "ask" },
] as const)("with $approval the person's approval is asked: $means", ({ approval, means }) => {
  expect(defineTool({ ...definition, ...approval, run: () => "x" }).approval).toBe(means);
});

describe("failures", () => {
  test.each([new OutsideError("shop closed", { code: "unavailable" }), new TypeError("oops")])(
    "%s passes as it is",
    async (error) => {
      const throwing = defineTool({
        ...definition,
        run: () => {
          throw error;
        },
      });
      await expect(throwing.run({}, context())).rejects.toBe(error);
      const rejecting = defineTool({
        ...definition,
        run: async () => {
          throw error;
        },
      });
      await expect(rejecting.run({}, context())).rejects.toBe(error);
    },
  );
});

describe("the time limit", () => {
  const repeats: { effect: Effect; retry: string }[] = [
    { effect: "read", retry: "after" },
    { effect: "idempotent", retry: "after" },
    { effect: "once", retry: "never" },
  ];
  test.each(repeats)(
    "ends a tool that ignores its signal; with effect $effect the retry is $retry",
    async ({ effect, retry }) => {
      const tool = defineTool({ ...definition, effect, timeoutMs: 20, run: () => new Promise(() => {}) });
      await expect(tool.run({}, context())).rejects.toMatchObject({
        code: "timeout",
        message: 'Tool "shop" did not finish within 0.02 s',
        retry: { kind: retry },
      });
    },
  );

  test("aborts the signal, and its own error wins over the one the tool throws then", async () => {
    let aborted: unknown;
    const tool = defineTool({
      ...definition,
      timeoutMs: 20,
      run: (_input, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            aborted = signal.reason;
            reject(new Error("cancelled by the library"));
          });
        }),
    });
    await expect(tool.run({}, context())).rejects.toMatchObject({ code: "timeout" });
    expect(aborted).toMatchObject({ code: "timeout" });
  });

  test("is a minute unless told otherwise", () => {
    expect(toolReturning("x").timeoutMs).toBe(60_000);
  });

  test.each([0, -1, NaN, Infinity, 2 ** 31])("of %d ms is refused when the tool is defined", (timeoutMs) => {
    expect(() => defineTool({ ...definition, timeoutMs, run: () => "x" })).toThrow(InvalidInput);
  });
});

describe("stopping the run", () => {
  test("ends the call with the reason of the stop", async () => {
    const stop = new AbortController();
    const reason = new Error("stopped by the person");
    const tool = defineTool({
      ...definition,
      run: () => {
        stop.abort(reason);
        return new Promise(() => {});
      },
    });
    await expect(tool.run({}, context(stop.signal))).rejects.toBe(reason);
  });

  test("before the call keeps the tool from running at all", async () => {
    let ran = false;
    const reason = new Error("stopped by the person");
    const tool = defineTool({ ...definition, run: () => (ran = true) });
    await expect(tool.run({}, context(AbortSignal.abort(reason)))).rejects.toBe(reason);
    expect(ran).toBe(false);
  });
});

const definition = { name: "shop", description: "Buys things.", effect: "read" as Effect, input: z.object({}) };

function toolReturning(returned: unknown, input: z.ZodType = z.object({})) {
  return defineTool({ ...definition, input, run: () => returned });
}

function context(signal = new AbortController().signal): ToolContext {
  return {
    workspaceId: parseWorkspaceId("ada"),
    conversationId: parseConversationId("web:1"),
    runId: parseRunId("r1"),
    idempotencyKey: "r1:tool_1_1",
    attempt: 1,
    signal,
    clock: systemClock,
    log: silentLog,
  };
}
