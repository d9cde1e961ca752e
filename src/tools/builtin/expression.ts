import { InvalidInput } from "../../kernel/errors.ts";

const MAX_LENGTH = 500;
const MAX_DEPTH = 50;
const SIGNIFICANT_DIGITS = 15;

/**
 * Computes an arithmetic expression: `+ - * / % ^`, parentheses, the functions and constants below. Runs no code,
 * and throws `InvalidInput` with the position, counted from 1, for anything it does not understand or cannot compute.
 */
export function evaluateExpression(text: string): number {
  if (text.length > MAX_LENGTH)
    throw new InvalidInput(`The expression has ${text.length} characters; at most ${MAX_LENGTH} are allowed`);
  const reader = new Reader(tokenize(text));
  const value = readExpression(reader, 0, 0);
  if (reader.next.kind !== "end") throw fault(`unexpected "${reader.next.text}"`, reader.next);
  return tidy(value);
}

type Token = { readonly kind: "number" | "name" | "symbol" | "end"; readonly text: string; readonly at: number };

const TOKEN =
  /\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z][A-Za-z0-9]*)|(\*\*|[-+*/%^(),×÷−·]))/y;
const SPELLINGS = new Map([
  ["**", "^"],
  ["×", "*"],
  ["·", "*"],
  ["÷", "/"],
  ["−", "-"],
]);

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const scanner = new RegExp(TOKEN);
  const end = text.trimEnd().length;
  while (scanner.lastIndex < end) {
    const from = scanner.lastIndex;
    const match = scanner.exec(text);
    if (match === null) {
      const at = from + (text.slice(from).length - text.slice(from).trimStart().length);
      throw fault(`unexpected "${String.fromCodePoint(text.codePointAt(at) ?? 0)}"`, { at });
    }
    const [whole, number, name, symbol] = match;
    const found = number ?? name ?? symbol ?? "";
    const at = from + whole.length - found.length;
    if (number !== undefined) tokens.push({ kind: "number", text: found, at });
    else if (name !== undefined) tokens.push({ kind: "name", text: found.toLowerCase(), at });
    else tokens.push({ kind: "symbol", text: SPELLINGS.get(found) ?? found, at });
  }
  tokens.push({ kind: "end", text: "the end", at: end });
  return tokens;
}

class Reader {
  readonly #tokens: readonly Token[];
  #position = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** The token not yet taken; the end stays the end. */
  get next(): Token {
    const token = this.#tokens[Math.min(this.#position, this.#tokens.length - 1)];
    if (token === undefined) throw new Error("a token list always ends with the end");
    return token;
  }

  take(): Token {
    const token = this.next;
    this.#position += 1;
    return token;
  }

  takeIf(symbol: string): boolean {
    const found = this.next.kind === "symbol" && this.next.text === symbol;
    if (found) this.take();
    return found;
  }

  expect(symbol: string): void {
    if (!this.takeIf(symbol)) throw fault(`expected "${symbol}" but found "${this.next.text}"`, this.next);
  }
}

interface Operator {
  readonly binding: number;
  readonly rightToLeft?: true;
  readonly apply: (left: number, right: number, at: Token) => number;
}

const SIGN_BINDING = 3;
const OPERATORS = new Map<string, Operator>([
  ["+", { binding: 1, apply: add }],
  ["-", { binding: 1, apply: (left, right) => add(left, -right) }],
  ["*", { binding: 2, apply: (left, right) => left * right }],
  ["/", { binding: 2, apply: divide }],
  ["%", { binding: 2, apply: remainder }],
  ["^", { binding: 4, rightToLeft: true, apply: (left, right) => left ** right }],
]);

// Reads as long as operators bind at least as tightly as `binding`: a Pratt parser that computes while it reads.
function readExpression(reader: Reader, binding: number, depth: number): number {
  if (depth > MAX_DEPTH) throw fault(`nested more than ${MAX_DEPTH} deep`, reader.next);
  let left = readOperand(reader, depth);
  for (;;) {
    const token = reader.next;
    const operator = token.kind === "symbol" ? OPERATORS.get(token.text) : undefined;
    if (operator === undefined || operator.binding < binding) return left;
    reader.take();
    const right = readExpression(reader, operator.rightToLeft ? operator.binding : operator.binding + 1, depth + 1);
    left = checkValue(operator.apply(left, right, token), token);
  }
}

function readOperand(reader: Reader, depth: number): number {
  const token = reader.take();
  if (token.kind === "number") return checkValue(Number(token.text), token);
  if (token.kind === "name") return readName(token, reader, depth);
  if (token.kind === "symbol") {
    if (token.text === "-") return -readExpression(reader, SIGN_BINDING, depth + 1);
    if (token.text === "+") return readExpression(reader, SIGN_BINDING, depth + 1);
    if (token.text === "(") {
      const value = readExpression(reader, 0, depth + 1);
      reader.expect(")");
      return value;
    }
  }
  throw fault(`expected a number but found "${token.text}"`, token);
}

interface MathFunction {
  readonly least: number;
  readonly most: number;
  readonly apply: (...values: number[]) => number;
}

const CONSTANTS = new Map([
  ["pi", Math.PI],
  ["e", Math.E],
]);
const FUNCTIONS = new Map<string, MathFunction>([
  ["sqrt", unary(Math.sqrt)],
  ["abs", unary(Math.abs)],
  ["floor", unary((value) => Math.floor(tidy(value)))],
  ["ceil", unary((value) => Math.ceil(tidy(value)))],
  ["sin", unary((angle) => withoutAngleNoise(Math.sin(angle), angle))],
  ["cos", unary((angle) => withoutAngleNoise(Math.cos(angle), angle))],
  ["tan", unary((angle) => tangent(angle))],
  ["ln", unary(Math.log)],
  ["log", unary(Math.log10)],
  ["round", { least: 1, most: 2, apply: round }],
  ["min", { least: 1, most: Infinity, apply: Math.min }],
  ["max", { least: 1, most: Infinity, apply: Math.max }],
]);

function unary(apply: (value: number) => number): MathFunction {
  return { least: 1, most: 1, apply };
}

function readName(token: Token, reader: Reader, depth: number): number {
  const constant = CONSTANTS.get(token.text);
  if (constant !== undefined) return constant;
  const called = FUNCTIONS.get(token.text);
  if (called === undefined)
    throw fault(
      `unknown name "${token.text}" (known: ${[...FUNCTIONS.keys(), ...CONSTANTS.keys()].join(", ")})`,
      token,
    );
  reader.expect("(");
  const values = [readExpression(reader, 0, depth + 1)];
  while (reader.takeIf(",")) values.push(readExpression(reader, 0, depth + 1));
  reader.expect(")");
  if (values.length < called.least || values.length > called.most)
    throw fault(`${token.text} takes ${describeCount(called)}, not ${values.length}`, token);
  return checkValue(called.apply(...values), token);
}

function describeCount({ least, most }: MathFunction): string {
  if (least === most) return least === 1 ? "1 value" : `${least} values`;
  return most === Infinity ? `at least ${least}` : `${least} or ${most} values`;
}

function checkValue(value: number, token: Token): number {
  if (Number.isNaN(value)) throw fault(`"${token.text}" has no real result here`, token);
  if (!Number.isFinite(value)) throw fault(`the result of "${token.text}" is not a finite number`, token);
  return value;
}

function fault(why: string, { at }: Pick<Token, "at">): InvalidInput {
  return new InvalidInput(`Cannot calculate: ${why} at position ${at + 1}`, { code: "invalid_expression" });
}

// Digits below the last certain one of the larger part are noise: 0.1 + 0.2 - 0.3 is 0, 1000000.1 - 1000000 is 0.1.
function add(left: number, right: number): number {
  const sum = left + right;
  if ((Number.isInteger(left) && Number.isInteger(right)) || sum === 0) return sum;
  const wholeDigits = Math.ceil(Math.log10(Math.max(Math.abs(left), Math.abs(right))));
  const places = SIGNIFICANT_DIGITS - wholeDigits;
  return places >= 0 && places <= 100 ? Number(sum.toFixed(places)) : sum;
}

function divide(left: number, right: number, at: Token): number {
  if (right === 0) throw fault("division by zero", at);
  return left / right;
}

function remainder(left: number, right: number, at: Token): number {
  if (right === 0) throw fault("division by zero", at);
  if (Number.isInteger(left) && Number.isInteger(right)) return left % right;
  return add(left, -right * Math.trunc(tidy(left / right)));
}

function round(value: number, places = 0): number {
  if (!Number.isInteger(places) || Math.abs(places) > SIGNIFICANT_DIGITS) return NaN;
  const scale = 10 ** places;
  const rounded = (Math.sign(value) * Math.round(tidy(Math.abs(value) * scale))) / scale;
  return Number.isFinite(rounded) ? rounded : value;
}

function tangent(angle: number): number {
  const cosine = withoutAngleNoise(Math.cos(angle), angle);
  return cosine === 0 ? NaN : withoutAngleNoise(Math.tan(angle), angle);
}

// pi itself is rounded, so sin(pi) is not quite 0: what is smaller than that error is 0.
function withoutAngleNoise(value: number, angle: number): number {
  return Math.abs(angle) > 1 && Math.abs(value) < Math.abs(angle) * Number.EPSILON * 2 ? 0 : value;
}

function tidy(value: number): number {
  if (Number.isInteger(value)) return value === 0 ? 0 : value;
  return Number(value.toPrecision(SIGNIFICANT_DIGITS));
}
