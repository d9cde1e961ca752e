import { z } from "zod";
import type { ValueRule } from "./value-schema.ts";

/** An object with these properties; what is not among them is left out. */
export function objectInput(properties: Readonly<Record<string, ValueRule>>): z.ZodObject {
  return z.object(Object.fromEntries(Object.entries(properties).map(([name, rule]) => [name, valueInput(rule)])));
}

/** Something wrong with a rule, and the key it is about. */
interface RuleIssue {
  readonly path: readonly string[];
  readonly message: string;
}

/** What is wrong with a rule, each with the key it is about; nothing when {@link objectInput} understands it. */
export function checkValueRule(rule: ValueRule): readonly RuleIssue[] {
  const misplaced = FITS.filter(({ key, types }) => rule[key] !== undefined && !types.includes(rule.type)).map(
    ({ key, types }) => ({ path: [key], message: `only for type ${types.join(" or ")}` }),
  );
  const inside = Object.entries(rule.properties ?? {}).flatMap(([name, inner]) =>
    prefixed(["properties", name], checkValueRule(inner)),
  );
  const elements = rule.items === undefined ? [] : prefixed(["items"], checkValueRule(rule.items));
  const own = [...misplaced, ...inside, ...elements];
  return own.length > 0 ? own : checkMeaning(rule);
}

/** Keys that make sense for some types only. */
const FITS: readonly {
  readonly key: "enum" | "minimum" | "maximum" | "min_length" | "max_length" | "items" | "properties";
  readonly types: readonly ValueRule["type"][];
}[] = [
  { key: "enum", types: ["string", "integer", "number"] },
  { key: "minimum", types: ["integer", "number"] },
  { key: "maximum", types: ["integer", "number"] },
  { key: "min_length", types: ["string", "array"] },
  { key: "max_length", types: ["string", "array"] },
  { key: "items", types: ["array"] },
  { key: "properties", types: ["object"] },
];

function valueInput(rule: ValueRule): z.ZodType {
  const given = describe(givenInput(rule), rule.description);
  if (rule.default !== undefined) return given.default(rule.default);
  return rule.required === false ? given.optional() : given;
}

function givenInput(rule: ValueRule): z.ZodType {
  switch (rule.type) {
    case "string":
      return rule.enum === undefined ? sized(z.string(), rule) : z.enum(rule.enum.map(String));
    case "integer":
    case "number":
      return rule.enum === undefined ? ranged(rule) : z.literal(rule.enum);
    case "boolean":
      return z.boolean();
    case "array":
      return sized(z.array(rule.items === undefined ? z.unknown() : valueInput(rule.items)), rule);
    case "object":
      return rule.properties === undefined ? z.record(z.string(), z.unknown()) : objectInput(rule.properties);
  }
}

function describe(schema: z.ZodType, description: string | undefined): z.ZodType {
  return description === undefined ? schema : schema.describe(description);
}

function sized<Schema extends z.ZodString | z.ZodArray>(schema: Schema, rule: ValueRule): z.ZodType {
  const atLeast = rule.min_length === undefined ? schema : schema.min(rule.min_length);
  return rule.max_length === undefined ? atLeast : atLeast.max(rule.max_length);
}

function ranged(rule: ValueRule): z.ZodType {
  const schema = rule.type === "integer" ? z.int() : z.number();
  const atLeast = rule.minimum === undefined ? schema : schema.min(rule.minimum);
  return rule.maximum === undefined ? atLeast : atLeast.max(rule.maximum);
}

function checkMeaning(rule: ValueRule): readonly RuleIssue[] {
  const wrongChoice = rule.enum?.some((one) => (typeof one === "string") !== (rule.type === "string")) === true;
  if (wrongChoice) return [{ path: ["enum"], message: `expected only values of type ${rule.type}` }];
  if (rule.default === undefined || givenInput(rule).safeParse(rule.default).success) return [];
  return [{ path: ["default"], message: "is not a value this parameter takes" }];
}

function prefixed(path: readonly string[], issues: readonly RuleIssue[]): RuleIssue[] {
  return issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] }));
}
