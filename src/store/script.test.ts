import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Redis } from "ioredis";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { privateRedis, testRedis } from "../../test/setup/redis.ts";
import { defineScript } from "./script.ts";

const SCRIPTS = join(import.meta.dirname, "scripts");
const files = readdirSync(SCRIPTS).filter((name) => name.endsWith(".lua"));
const libraries = files.filter((name) => name.startsWith("lib-"));

const redis = new Redis(await testRedis());
afterAll(() => redis.disconnect());

describe("the header of a Lua file", () => {
  const definitions = readDefinitions();

  test("is compared for every definition in the store", () => {
    expect(definitions.map(({ file }) => file).sort()).toEqual(
      files.filter((name) => !libraries.includes(name)).sort(),
    );
  });

  test.each(definitions)("$file names the keys and arguments of its definition", ({ file, keys, args }) => {
    const header = readHeader(file);
    expect(header.title).toBe(file);
    expect({ keys: header.keys, args: header.args }).toEqual({ keys, args });
  });

  test.each(definitions.filter(({ words }) => words.length > 0))(
    "$file names the words its definition expects as a reply",
    ({ file, words }) => {
      expect(readHeader(file).words).toEqual(words);
    },
  );
});

describe("a script", () => {
  test.each(files.filter((name) => !libraries.includes(name)))(
    "%s has its libraries in it and compiles",
    async (name) => {
      const script = defineScript({
        file: new URL(`./scripts/${name}`, import.meta.url),
        keys: [],
        args: [],
        reply: z.unknown(),
      });
      expect(script.lua).not.toContain("@include");
      await expect(redis.script("LOAD", script.lua)).resolves.toMatch(/^[0-9a-f]{40}$/);
    },
  );

  test("uses every library", () => {
    const included = new Set(
      files.flatMap((name) => [...readLua(name).matchAll(/^--@include (\S+)$/gm)].map(([, library]) => library)),
    );
    expect(included).toEqual(new Set(libraries));
  });

  test("that replies with something undescribed fails with the name of its file", async () => {
    const script = define(`return { "surprise", 1 }`, z.enum(["good", "bad"]));
    await expect(script.run(redis, { first: "a", second: "b" }, { left: 1, right: 2 })).rejects.toThrow(
      /^Redis script given\.lua gave an unexpected reply/,
    );
  });

  test("gets its keys and arguments in the order of the definition, whatever the order of the call", async () => {
    const script = define(`return { KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3] }`, z.array(z.string()));
    const reply = await script.run(redis, { second: "{x}b", first: "{x}a" }, { right: "r", left: 7 }, ["more"]);
    expect(reply).toEqual(["{x}a", "{x}b", "7", "r", "more"]);
  });

  test("runs on a Redis that has never seen it, and on one that forgot it", async () => {
    const server = await privateRedis();
    const connection = new Redis({ path: server.socketPath, maxRetriesPerRequest: null });
    connection.on("error", () => undefined);
    onTestFinished(() => connection.disconnect());
    const script = define(`return redis.call("INCR", KEYS[1])`, z.number());
    const count = () => script.run(connection, { first: "n", second: "n" }, { left: "", right: "" });
    await expect(count()).resolves.toBe(1);
    await connection.script("FLUSH");
    await expect(count()).resolves.toBe(2);
    await server.restart();
    await expect(count()).resolves.toBe(1);
  });

  test("passes on what Redis refuses", async () => {
    const script = define(`return redis.call("NOSUCHCOMMAND")`, z.string());
    await expect(script.run(redis, { first: "a", second: "b" }, { left: 1, right: 2 })).rejects.toThrow(
      /Unknown Redis command/,
    );
  });
});

function define<Reply extends z.ZodType>(lua: string, reply: Reply) {
  const folder = mkdtempSync(join(tmpdir(), "parley-lua-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "given.lua");
  writeFileSync(path, lua);
  return defineScript({ file: pathToFileURL(path), keys: ["first", "second"], args: ["left", "right"], reply });
}

interface Definition {
  readonly file: string;
  readonly keys: readonly string[];
  readonly args: readonly string[];
  /** The words a reply may begin with, sorted. */
  readonly words: readonly string[];
}

/** Every definition as its source says it; most are private to the file that runs them. */
function readDefinitions(): Definition[] {
  const sources = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && name !== "script.ts")
    .map((name) => readFileSync(join(import.meta.dirname, name), "utf8"));
  const pattern =
    /= defineScript\(\{\s*file: (?:lua\("|new URL\("\.\/scripts\/)([\w-]+)(?:\.lua)?"[^)]*\),\s*keys: \[([^\]]*)\],\s*args: \[([^\]]*)\],\s*reply: ([\s\S]*?),?\n\}\);/g;
  return sources.flatMap((source) => {
    const found = [...source.matchAll(pattern)].map(([, file = "", keys = "", args = "", reply = ""]) => ({
      file: `${file}.lua`,
      keys: quoted(keys),
      args: quoted(args),
      words: [...new Set(quoted(reply))].sort(),
    }));
    expect(found).toHaveLength(source.split("= defineScript(").length - 1);
    return found;
  });
}

function readHeader(file: string) {
  const [, title = "", text = ""] = /^--\[\[ (\S+)\n([\s\S]*?) \]\]/.exec(readLua(file)) ?? [];
  const [, keys = "", args = "", reply = ""] =
    /\n {2}KEYS([\s\S]*?)\n {2}ARGV([\s\S]*?)\n {2}Reply([\s\S]*)$/.exec(`\n${text}`) ?? [];
  return {
    title,
    keys: names(keys),
    args: names(args),
    words: [...new Set(quoted(reply))].filter((word) => word !== "").sort(),
  };
}

/** The first word of every line that begins a description; a line that goes on with one is indented further. */
function names(section: string): string[] {
  return section.split("\n").flatMap((line, index) => {
    const [, name] = (index === 0 ? /^ +(\w+) / : /^ {8}(\w+) /).exec(line) ?? [];
    return name === undefined ? [] : [name];
  });
}

function quoted(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"/g)].map(([, word = ""]) => word);
}

function readLua(name: string): string {
  return readFileSync(join(SCRIPTS, name), "utf8");
}
