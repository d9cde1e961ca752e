import { z } from "zod";
import { configSchema } from "./schema.ts";

/** What a key holds; text from the environment is turned into this. */
export type KeyKind = "text" | "number" | "whole number" | "yes or no" | "list";

/** One key an operator can set, as the schema describes it. */
export interface ConfigKey {
  /** From the top, for instance `["server", "port"]`. */
  readonly path: readonly string[];
  readonly kind: KeyKind;
  readonly description: string;
  readonly secret: boolean;
  /** Absent when the key is unset by default. */
  readonly default?: unknown;
  /** The only values allowed, when there are only some. */
  readonly choices?: readonly string[];
}

/** A group of keys. */
export interface ConfigSection {
  readonly path: readonly string[];
  readonly description: string;
}

/** Reads all keys and sections from the schema, in its order. */
export function listConfigKeys(): { readonly keys: readonly ConfigKey[]; readonly sections: readonly ConfigSection[] } {
  const keys: ConfigKey[] = [];
  const sections: ConfigSection[] = [];
  const walk = (schema: z.core.JSONSchema.BaseSchema, path: readonly string[]): void => {
    const description = schema.description ?? "";
    if (schema.properties === undefined) {
      keys.push({
        path,
        description,
        kind: kindOf(schema),
        secret: schema.writeOnly === true,
        ...(schema.default === undefined ? {} : { default: schema.default }),
        ...choicesOf(schema),
      });
      return;
    }
    sections.push({ path, description });
    for (const [name, inner] of Object.entries(schema.properties)) {
      if (typeof inner === "object") walk(inner, [...path, name]);
    }
  };
  walk(z.toJSONSchema(configSchema, { target: "draft-7", io: "input" }), []);
  return { keys, sections };
}

function kindOf(schema: z.core.JSONSchema.BaseSchema): KeyKind {
  if (schema.type === "array") return "list";
  if (schema.type === "integer") return "whole number";
  if (schema.type === "boolean") return "yes or no";
  return schema.type === "number" ? "number" : "text";
}

function choicesOf(schema: z.core.JSONSchema.BaseSchema): { choices?: readonly string[] } {
  const one = Array.isArray(schema.items) || typeof schema.items !== "object" ? schema : schema.items;
  return one.enum === undefined ? {} : { choices: one.enum.map(String) };
}
