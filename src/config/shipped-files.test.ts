import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { renderConfigDocument } from "./document.ts";
import { renderConfigJsonSchema } from "./json-schema.ts";
import { listConfigKeys } from "./keys.ts";
import { loadConfig } from "./load.ts";

const ROOT = join(import.meta.dirname, "../..");

describe("the files made from the schema are up to date", () => {
  test.each([
    ["config/parley.schema.json", "json-schema.ts", renderConfigJsonSchema],
    ["docs/configuration.md", "document.ts", renderConfigDocument],
  ])("%s (otherwise run `node src/config/%s`)", async (file, _script, render) => {
    expect(await readFile(join(ROOT, file), "utf8")).toBe(render());
  });
});

describe("the shipped config folder", () => {
  test("changes no default and warns of nothing", async () => {
    const shipped = await loadConfig({ env: {}, dir: join(ROOT, "config") });
    const empty = await loadConfig({ env: {}, dir: join(ROOT, "config"), readFile: withSettings(() => "") });
    expect(shipped.config).toEqual(empty.config);
    expect(shipped.warnings).toEqual([]);
  });

  test("shows every key, each with its default or a valid example", async () => {
    const { keys } = listConfigKeys();
    const env = Object.fromEntries(EXAMPLE_VARIABLES.map((name) => [name, "an-example-of-16"]));
    const load = (left: RegExp) => {
      const readSettings = withSettings((text) =>
        uncommented(text)
          .filter((line) => !left.test(line))
          .join("\n"),
      );
      return loadConfig({ env, dir: join(ROOT, "config"), readFile: readSettings });
    };
    // The three answers to where Redis is exclude each other, so the file is tried once with each.
    const tries = await Promise.all([
      load(/sentinels:|cluster_nodes:/),
      load(/ url: redis|cluster_nodes:/),
      load(/ url: redis|sentinels:/),
    ]);
    const given = new Set(
      tries.flatMap(({ sources }) => Object.keys(sources).filter((key) => sources[key] !== "default")),
    );
    expect([...given].toSorted()).toEqual(keys.map(({ path }) => path.join(".")).toSorted());
    const values = JSON.parse(JSON.stringify(tries[0].config)) as unknown;
    for (const key of keys.filter((one) => one.default !== undefined))
      expect(valueAt(values, key.path)).toEqual(key.default);
  });

  test("tells editors where the schema is", async () => {
    const text = await readFile(join(ROOT, "config/parley.yaml"), "utf8");
    expect(text.split("\n")[0]).toBe("# yaml-language-server: $schema=./parley.schema.json");
  });
});

const EXAMPLE_VARIABLES = [
  "OPENAI_API_KEY",
  "MY_ADMIN_KEY",
  "REDIS_PASSWORD",
  "MY_MASTER_KEY",
  "MY_SLACK_BOT_TOKEN",
  "MY_SLACK_APP_TOKEN",
  "MY_SLACK_SIGNING_SECRET",
  "MY_DISCORD_TOKEN",
  "MY_TELEGRAM_BOT_TOKEN",
  "MY_TELEGRAM_WEBHOOK_SECRET",
];

function withSettings(change: (text: string) => string): (path: string) => Promise<string> {
  return async (path) => {
    const text = await readFile(path, "utf8");
    return path.endsWith("parley.yaml") ? change(text) : text;
  };
}

/** The lines of the file with its commented keys in force. */
function uncommented(text: string): readonly string[] {
  return text.split("\n").map((line) => line.replace(/^(\s*)#(?=[a-z_]+:)/, "$1"));
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce(
    (inner, key): unknown => (typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  );
}
