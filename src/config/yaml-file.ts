import { isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, Scalar, type Node } from "yaml";
import type { Environment } from "./environment.ts";
import { textToValue } from "./environment.ts";
import { interpolate } from "./interpolate.ts";
import type { ConfigKey } from "./keys.ts";

/** What a YAML file says, and where it says it. */
export interface YamlFile {
  /** The file as plain data: references filled in, keys without a value left out. */
  readonly values: Record<string, unknown>;
  /** What is wrong with the file itself, each with its place. */
  readonly problems: readonly { readonly place: string; readonly message: string }[];
  /** Where the value of this key stands, as `line:column`, or else the nearest section around it. */
  placeOf(path: readonly PropertyKey[]): string | undefined;
  /** Where the key itself stands, for keys that should not be there. */
  placeOfKey(path: readonly PropertyKey[]): string | undefined;
}

/** Reads YAML text. Never throws: everything wrong with it is in `problems`. `keys` says which text becomes a number. */
export function parseYamlFile(text: string, env: Environment, keys: readonly ConfigKey[]): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    logLevel: "error",
  });
  const problems: { place: string; message: string }[] = [];
  const valuePlaces = new Map<string, string>();
  const keyPlaces = new Map<string, string>();
  const placeAt = (offset: number | undefined): string => {
    const { line, col } = lines.linePos(offset ?? 0);
    return `${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };

  const read = (node: unknown, path: readonly string[]): unknown => {
    if (isMap(node)) {
      const entries: [string, unknown][] = [];
      for (const pair of node.items) {
        if (!isPair(pair) || !isScalar(pair.key)) continue;
        const inner = [...path, String(pair.key.value)];
        keyPlaces.set(inner.join("."), placeAt(pair.key.range?.[0]));
        valuePlaces.set(inner.join("."), placeAt(startOf(pair.value) ?? pair.key.range?.[0]));
        const value = read(pair.value, inner);
        if (value !== undefined) entries.push([String(pair.key.value), value]);
      }
      // Not by assignment: a key like "__proto__" is a key like any other.
      return Object.fromEntries(entries);
    }
    if (isSeq(node)) {
      return node.items.map((item, index) => {
        const inner = [...path, String(index)];
        valuePlaces.set(inner.join("."), placeAt(startOf(item)));
        return read(item, inner);
      });
    }
    if (isScalar(node)) return readScalar(node, path);
    if (node !== null && node !== undefined) {
      problems.push({ place: placeAt(startOf(node)), message: `${path.join(".")}: an alias cannot be used here` });
    }
    return undefined;
  };

  const readScalar = (node: Scalar, path: readonly string[]): unknown => {
    if (typeof node.value !== "string" || !node.value.includes("${")) return node.value ?? undefined;
    const result = interpolate(node.value, env);
    if ("problem" in result) {
      problems.push({ place: placeAt(node.range?.[0]), message: `${path.join(".")}: ${result.problem}` });
      return undefined;
    }
    // Quotes say "this is text"; without them the key decides, as it does for environment variables.
    if (node.type !== Scalar.PLAIN) return result.text;
    return textToValue(result.text, keys.find((key) => key.path.join(".") === path.join("."))?.kind);
  };

  // Some messages go on with a piece of the file after a colon, and that piece may be a secret.
  for (const error of [...document.errors, ...document.warnings])
    problems.push({ place: placeAt(error.pos[0]), message: error.message.split(":")[0] ?? "" });
  const values = problems.length > 0 ? {} : (read(document.contents, []) ?? {});
  if (!isRecord(values))
    problems.push({ place: "1:1", message: "expected keys and values, such as `log_level: info`" });
  return {
    values: isRecord(values) ? values : {},
    problems,
    placeOf: (path) => nearest(valuePlaces, path),
    placeOfKey: (path) => keyPlaces.get(path.join(".")) ?? nearest(valuePlaces, path),
  };
}

function startOf(node: unknown): number | undefined {
  return (node as Partial<Node> | null | undefined)?.range?.[0];
}

function nearest(places: ReadonlyMap<string, string>, path: readonly PropertyKey[]): string | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const place = places.get(path.slice(0, length).join("."));
    if (place !== undefined) return place;
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
