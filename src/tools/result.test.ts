import { describe, expect, test } from "vitest";
import { InvalidInput, OutsideError } from "../kernel/errors.ts";
import { cutWithReference, parseToolArgs, renderToolFailure, renderToolResult, unknownTool } from "./result.ts";

describe("a result", () => {
  test.each([
    { value: "as it is\n", text: "as it is\n" },
    { value: "", text: "" },
    { value: { a: 1, b: [true, null] }, text: '{"a":1,"b":[true,null]}' },
    { value: 5, text: "5" },
    { value: null, text: "null" },
    { value: undefined, text: "done" },
  ])("$value is shown as $text", ({ value, text }) => {
    expect(renderToolResult(value)).toBe(text);
  });

  test("as long as the limit is shown whole", () => {
    expect(renderToolResult("x".repeat(32_000))).toBe("x".repeat(32_000));
  });

  test("that is longer is cut to the limit and says how much is missing", () => {
    const shown = renderToolResult("x".repeat(5_000_000));
    expect(shown.length).toBeLessThanOrEqual(32_000);
    const [, missing] = /\n\[cut: (\d+) of 5000000 characters are not shown\]$/.exec(shown) ?? [];
    expect(Number(missing)).toBe(5_000_000 - shown.indexOf("\n"));
  });

  test("that is large JSON is cut the same way", () => {
    const shown = renderToolResult(
      { rows: Array.from({ length: 200_000 }, (_, id) => ({ id, name: "somebody" })) },
      500,
    );
    expect(shown.length).toBeLessThanOrEqual(500);
    expect(shown).toMatch(/^\{"rows":\[\{"id":0,/);
  });

  test("is never cut in the middle of a character", () => {
    for (const maxChars of [100, 101]) expect(renderToolResult("😀".repeat(200), maxChars).isWellFormed()).toBe(true);
  });

  test("that is kept elsewhere names the reference and where to read on", () => {
    const text = `${"x".repeat(400)}😀${"y".repeat(5_000)}`;
    for (const maxChars of [520, 521, 522, 523]) {
      const shown = cutWithReference(text, maxChars, { reference: "res_1", keptChars: text.length });
      expect(shown.length).toBeLessThanOrEqual(maxChars);
      expect(shown.isWellFormed()).toBe(true);
      const [, offset] = /result_read, reference "res_1", offset (\d+)\]$/.exec(shown) ?? [];
      expect(shown.split("\n[cut")[0]).toBe(text.slice(0, Number(offset)));
    }
  });

  test("that is kept only in part says so", () => {
    expect(cutWithReference("x".repeat(5_000), 500, { reference: "res_1", keptChars: 4_000 })).toMatch(
      /only the first 4000 are kept\]$/,
    );
  });

  test("with no room at all is only the note", () => {
    expect(renderToolResult("x".repeat(50), 5)).toBe("\n[cut: 50 of 50 characters are not shown]");
  });
});

describe("a failure", () => {
  test.each([
    { error: new OutsideError("shop closed", { code: "unavailable" }), code: "unavailable", message: "shop closed" },
    { error: new InvalidInput("no such zone"), code: "invalid_request", message: "no such zone" },
    { error: new TypeError("oops"), code: "failed", message: "oops" },
    { error: "thrown text", code: "failed", message: "thrown text" },
    {
      error: unknownTool("x", [{ name: "a" }, { name: "b.c" }]),
      code: "unknown_tool",
      message: 'unknown tool "x"; available: a, b.c',
    },
    { error: unknownTool('y"\n', []), code: "unknown_tool", message: 'unknown tool "y\\"\\n"; available: none' },
  ])("$error is shown with the code $code", ({ error, code, message }) => {
    expect(JSON.parse(renderToolFailure(error))).toEqual({ error: { code, message } });
  });

  test("with an endless message is cut", () => {
    expect(renderToolFailure(new Error("x".repeat(100_000))).length).toBeLessThan(2_200);
  });
});

describe("the text of arguments", () => {
  test.each([
    { text: '{"a":1}', args: { a: 1 } },
    { text: "", args: {} },
    { text: " \n", args: {} },
    { text: "null", args: null },
  ])("$text is read as $args", ({ text, args }) => {
    expect(parseToolArgs("shop", text)).toEqual(args);
  });

  test.each(['{"pin": hunter2}', '{"pin":"hunter2"', "hunter2", "{'pin':'hunter2'}", '{"pin":"hunter2"}}'])(
    "%s is refused without quoting it",
    (text) => {
      const parse = () => parseToolArgs("shop", text);
      expect(parse).toThrow(InvalidInput);
      expect(parse).toThrow(/^Arguments of "shop" are not JSON: /);
      expect(parse).not.toThrow(/hunter/);
    },
  );
});
