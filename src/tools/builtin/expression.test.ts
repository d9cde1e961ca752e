import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidInput } from "../../kernel/errors.ts";
import { evaluateExpression } from "./expression.ts";

describe("what is computed", () => {
  test.each([
    ["1 + 2 * 3", 7],
    ["(1 + 2) * 3", 9],
    ["10 - 4 - 3", 3],
    ["100 / 10 / 5", 2],
    ["2 ^ 3 ^ 2", 512],
    ["-2 ^ 2", -4],
    ["(-2) ^ 2", 4],
    ["2 ^ -1", 0.5],
    ["2 * -3", -6],
    ["--3", 3],
    ["+5 - +2", 3],
    ["17 % 5", 2],
    ["-17 % 5", -2],
    ["2 * 17 % 5", 4],
    ["1e3 + .5 + 2.", 1002.5],
    ["  7  ", 7],
    ["6 × 7 ÷ 2 − 1", 20],
    ["2 ** 10", 1024],
    ["sqrt(16) + abs(-3)", 7],
    ["floor(-1.5) + ceil(1.2)", 0],
    ["round(2.5)", 3],
    ["round(-2.5)", -3],
    ["round(2.675, 2)", 2.68],
    ["round(1234, -2)", 1200],
    ["min(3, 1, 2) + max(4)", 5],
    ["sin(pi) + cos(pi / 2) + tan(pi)", 0],
    ["sin(pi / 6)", 0.5],
    ["ln(e ^ 2)", 2],
    ["log(1000)", 3],
    ["SQRT(PI * pi)", Number(Math.PI.toPrecision(15))],
  ])("%s is %d", (expression, value) => {
    expect(evaluateExpression(expression)).toBe(value);
  });

  test.each([
    ["0.1 + 0.2", 0.3],
    ["0.1 + 0.2 - 0.3", 0],
    ["1.1 * 1.1", 1.21],
    ["1000000.1 - 1000000", 0.1],
    ["0.3 % 0.1", 0],
    ["4.35 * 100", 435],
    ["floor((0.1 + 0.7) * 10)", 8],
    ["1 / 3 * 3", 1],
    ["-0.0", 0],
    ["9007199254740992 - 9007199254740991", 1],
    ["1e-20 + 1e-20", 2e-20],
    ["1e300 * 1e-300 + 1e-12", 1.000000000001],
  ])("%s is %d, without decimal noise", (expression, value) => {
    expect(evaluateExpression(expression)).toBe(value);
  });

  test("sums of whole numbers agree with the machine's", () => {
    const terms = fc.array(fc.integer({ min: -1_000_000, max: 1_000_000 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(terms, (values) => {
        expect(evaluateExpression(values.join(" + "))).toBe(values.reduce((sum, value) => sum + value, 0));
      }),
    );
  });
});

describe("what is refused", () => {
  test.each([
    ["", "expected a number", 1],
    ["1 +", 'expected a number but found "the end"', 4],
    ["(1 + 2", 'expected ")"', 7],
    ["1 + 2)", 'unexpected ")"', 6],
    ["1 2", 'unexpected "2"', 3],
    ["2pi", 'unexpected "pi"', 2],
    ["1,000", 'unexpected ","', 2],
    ["1 $ 2", 'unexpected "$"', 3],
    ["1 + 😀", 'unexpected "😀"', 5],
    ["* 2", 'found "*"', 1],
    ["7 / (3 - 3)", "division by zero", 3],
    ["7 % 0", "division by zero", 3],
    ["sqrt(-1)", "no real result", 1],
    ["(-8) ^ 0.5", "no real result", 6],
    ["tan(pi / 2)", "no real result", 1],
    ["round(1, 0.5)", "no real result", 1],
    ["ln(0)", "not a finite number", 1],
    ["10 ^ 400", "not a finite number", 4],
    ["1e999", "not a finite number", 1],
    ["sqrt 4", 'expected "("', 6],
    ["sqrt(1, 2)", "takes 1 value, not 2", 1],
    ["round(1, 2, 3)", "takes 1 or 2 values, not 3", 1],
    ["max()", 'found ")"', 5],
    ["exit(1)", 'unknown name "exit"', 1],
    ["constructor", 'unknown name "constructor"', 1],
    ["__proto__", 'unexpected "_"', 1],
  ])("%s: %s at position %d", (expression, why, position) => {
    const evaluate = () => evaluateExpression(expression);
    expect(evaluate).toThrow(InvalidInput);
    expect(evaluate).toThrow(why);
    expect(evaluate).toThrow(new RegExp(` at position ${position}$`));
  });

  test("an expression that is too long", () => {
    expect(() => evaluateExpression("1+".repeat(250) + "1")).toThrow("501 characters; at most 500");
    expect(evaluateExpression("1+".repeat(249) + "1")).toBe(250);
  });

  test.each(["(", "-", "2^", "sqrt("])("%s nested too deep", (opening) => {
    expect(() => evaluateExpression(opening.repeat(90) + "1")).toThrow("nested more than 50 deep");
  });

  test("anything else, without ever crashing or hanging", () => {
    const pieces = fc.constantFrom(
      "1",
      "2.5",
      "+",
      "-",
      "*",
      "/",
      "%",
      "^",
      "(",
      ")",
      ",",
      "sqrt",
      "round",
      "pi",
      " ",
      "e",
      ".",
      "x",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        try {
          expect(Number.isFinite(evaluateExpression(parts.join("")))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidInput);
        }
      }),
    );
  });
});
