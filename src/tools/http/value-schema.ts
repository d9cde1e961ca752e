import { z } from "zod";
import { section } from "./section.ts";

/** How a file describes a value the model fills in: the part of JSON Schema every model understands. */
export const valueSchema = section({
  type: z.enum(["string", "integer", "number", "boolean", "array", "object"]).default("string"),
  description: z.string().max(2_000).exactOptional(),
  required: z.boolean().exactOptional().describe("True unless told otherwise or there is a default."),
  default: z.json().exactOptional().describe("Used when the model gives nothing."),
  enum: z
    .array(z.union([z.string(), z.number()]))
    .min(1)
    .max(200)
    .exactOptional(),
  minimum: z.number().exactOptional(),
  maximum: z.number().exactOptional(),
  min_length: z.int().min(0).exactOptional().describe("Characters of a text, or elements of a list."),
  max_length: z.int().min(0).exactOptional().describe("Characters of a text, or elements of a list."),
  get items() {
    return valueSchema.exactOptional();
  },
  get properties() {
    return z.record(valueName(), valueSchema).exactOptional();
  },
});

/** The name of a value. Not one that every object has: it would be there without being given. */
export function valueName() {
  return z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/)
    .refine((name) => !(name in Object.prototype));
}

/** What {@link valueSchema} gives. Written out: as an inferred type it does not survive `extend`. */
export interface ValueRule {
  readonly type: "string" | "integer" | "number" | "boolean" | "array" | "object";
  readonly description?: string;
  readonly required?: boolean;
  readonly default?: z.core.util.JSONType;
  readonly enum?: readonly (string | number)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly min_length?: number;
  readonly max_length?: number;
  readonly items?: ValueRule | undefined;
  readonly properties?: Readonly<Record<string, ValueRule>> | undefined;
}
