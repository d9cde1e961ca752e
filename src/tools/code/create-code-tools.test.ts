import { execFile } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { existsSync, watch } from "node:fs";
import { createRequire } from "node:module";
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { parseConversationId, parseRunId, parseWorkspaceId } from "../../kernel/ids.ts";
import { silentLog, systemClock, type Log } from "../../kernel/ports.ts";
import type { ToolContext } from "../contract.ts";
import { createCodeTools } from "./create-code-tools.ts";

const NEVER_MS = 2 ** 30;
const ADA = parseWorkspaceId("ada");

// The test runner's own import would look for the files in this checkout; what Node itself loads imports as Node does.
let nativeImport: (url: string) => Promise<unknown>;
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "parley-import-"));
  await writeFile(join(folder, "native.mjs"), "export const load = (url) => import(url);");
  nativeImport = createRequire(import.meta.url)(join(folder, "native.mjs")).load;
  await rm(folder, { recursive: true });
});

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "parley-code-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
});

describe("tool files", () => {
  test("give their tools by default and named exports, each once, sorted by file", async () => {
    await write(
      "b.ts",
      toolFile("beta", '"from b"') +
        "export { tool as again };\nexport const other = 1;\nexport function helper() {}\n",
    );
    await write(
      "a.ts",
      `${toolFile("alpha.one", "1")}export default defineTool({ ...definition, name: "alpha.two" });\n`,
    );
    const source = await start();
    expect(await names(source)).toEqual(["alpha.two", "alpha.one", "beta"]);
    expect(source.problems()).toEqual([]);
    expect(await call(source, "beta")).toEqual({ kind: "result", value: "from b" });
  });

  test("are typed tools: arguments are checked, and approval is asked when the file says so", async () => {
    await write(
      "shop.ts",
      `import { defineTool, question, z } from "#parley/tools";
       export const buy = defineTool({
         name: "buy", description: "Buys.", effect: "once", approval: "ask",
         input: z.object({ count: z.number() }),
         run: ({ count }, { workspaceId }) => question(\`\${workspaceId} buys \${count}?\`, ["Yes"]),
       });
       export const look = defineTool({ name: "look", description: "", effect: "read", input: z.object({}), run: () => 1 });`,
    );
    const source = await start();
    const [buy, look] = await source.toolsFor(ADA);
    expect(buy).toMatchObject({ approval: "ask", effect: "once", parameters: { required: ["count"] } });
    expect(look).toMatchObject({ approval: "never" });
    await expect(buy?.run({ count: "many" }, context())).rejects.toThrow("count: ");
    expect(await buy?.run({ count: 2 }, context())).toEqual({
      kind: "question",
      question: { ask: "ada buys 2?", choices: ["Yes"] },
    });
  });

  test("of other kinds, helpers and folders are left alone", async () => {
    for (const name of ["_shared.ts", "types.d.ts", "x.test.ts", "notes.md", "api.yaml", ".hidden.ts"])
      await write(name, "throw new Error('loaded');");
    await mkdir(join(dir, "sub"));
    const source = await start();
    expect(await names(source)).toEqual([]);
    expect(source.problems()).toEqual([]);
  });

  test("are found in a folder that is a symbolic link, and imports next to them work", async () => {
    await write("_shared.ts", "export const word: string = 'shared';");
    await write("a.ts", toolFile("alpha", "word", 'import { word } from "./_shared.ts";\n'));
    const link = join(dir, "link");
    await symlink(dir, link);
    const source = await start({ dir: link });
    expect(await call(source, "alpha")).toMatchObject({ value: "shared" });
  });

  test("may have any name a file can have", async () => {
    await write("my tool #1 ü?.ts", toolFile("alpha", "1"));
    expect(await names(await start())).toEqual(["alpha"]);
  });

  test("need no folder", async () => {
    const source = await start({ dir: join(dir, "missing") });
    expect(await names(source)).toEqual([]);
    expect(source.problems()).toEqual([]);
  });
});

describe("a broken file is named, with its line when that is known, and the others keep working", () => {
  const broken = [
    {
      what: "a mistake in the types' syntax",
      text: "const a: number = 1;\nconst b = = 2;\n",
      says: "broken.ts:2: Expression expected",
    },
    {
      what: "something Node cannot strip",
      text: "\nexport enum A { B }",
      says: "broken.ts:2: TypeScript enum is not supported",
    },
    { what: "a throw", text: "const a: number = 1;\n\n  throw new Error('no key');", says: "broken.ts:3:9: no key" },
    {
      what: "a bug",
      text: "const a = undefined as unknown as { b: 1 };\na.b;\nexport {};",
      says: "broken.ts:2:3: TypeError: Cannot read",
    },
    { what: "a missing module", text: 'import "./nothing.ts";', says: "broken.ts: Cannot find module" },
    {
      what: "a missing export",
      text: '\nimport { nope } from "#parley/tools";',
      says: "broken.ts:2: The requested module",
    },
    { what: "a thrown text", text: 'throw "text";', says: "broken.ts: text" },
    {
      what: "a bad definition",
      text: `${toolFile("x", "1")}defineTool({ ...definition, timeoutMs: -1 });`,
      says: 'broken.ts:4:1: Tool "x": timeoutMs is -1',
    },
    { what: "no tool", text: "export const a = { name: 'a' };", says: "broken.ts: exports no tool" },
    {
      what: "a name no model can call",
      text: toolFile("two words", "1"),
      says: 'broken.ts: Tool name "two words" must be',
    },
    { what: "an exit", text: "process.exit(3);", says: "broken.ts: ended the process with code 3 when imported" },
    {
      what: "a failure nobody waits for",
      text: "void Promise.reject(new Error('later'));\nexport {};",
      says: "broken.ts:1:21: later",
    },
  ];
  test.each(broken)("$what", async ({ text, says }) => {
    await write("a.ts", toolFile("alpha", "1"));
    await write("broken.ts", text);
    await write("c.ts", toolFile("gamma", "1"));
    const source = await start();
    expect(await names(source)).toEqual(["alpha", "gamma"]);
    expect(source.problems()).toEqual([expect.stringContaining(says)]);
    expect(source.problems()[0]).toMatch(/^[^/]+\/broken\.ts/);
    expect(source.problems()[0]).not.toContain("parley=");
  });

  test("a mistake in a helper is found there", async () => {
    await write("_shared.ts", "\nthrow new Error('bad helper');");
    await write("a.ts", 'import "./_shared.ts";');
    const source = await start();
    expect(source.problems()).toEqual([expect.stringContaining("/a.ts (in _shared.ts:2:7): bad helper")]);
  });

  test.each([
    { what: "waits for ever", text: "await new Promise(() => setInterval(() => {}, 1000));\nexport {};" },
    { what: "never gives the processor back", text: "while (true) {}\nexport {};" },
  ])("one that $what is abandoned", async ({ text }) => {
    await write("a.ts", toolFile("alpha", "1"));
    await write("broken.ts", text);
    await write("c.ts", toolFile("gamma", "1"));
    const source = await start({ importMs: 1_000 });
    expect(source.problems()).toEqual([expect.stringContaining("/broken.ts: was not imported within 1 s")]);
    expect(await names(source)).toEqual(["alpha", "gamma"]);
  });

  test("one that eats all memory is abandoned", async () => {
    await write("a.ts", toolFile("alpha", "1"));
    await write("broken.ts", "const all: unknown[] = [];\nfor (;;) all.push(new Array(1e5).fill({}));\nexport {};");
    const source = await start();
    expect(source.problems()).toEqual([expect.stringContaining("/broken.ts: took more than 256 MB when imported")]);
    expect(await names(source)).toEqual(["alpha"]);
  });

  test("what is no file is named too", async () => {
    await mkdir(join(dir, "folder.ts"));
    await write("large.ts", "x".repeat(1024 * 1024 + 1));
    const source = await start();
    expect(source.problems()).toEqual([
      expect.stringContaining("/folder.ts: is not a file"),
      expect.stringContaining("/large.ts: is larger than 1048576 bytes"),
    ]);
  });
});

describe("two tools of one name", () => {
  test.each([
    { second: "alpha", says: /\/b\.ts: the tool "alpha" is left out: [^/]+\/a\.ts has one of that name$/ },
    {
      second: "alpha_x",
      first: "alpha.x",
      says: /\/b\.ts: the tool "alpha_x" is left out: models could not tell it from "alpha\.x" in [^/]+\/a\.ts$/,
    },
  ])("$second: the later file's is refused and both files are named", async ({ first = "alpha", second, says }) => {
    await write("a.ts", toolFile(first, '"first"'));
    await write("b.ts", `${toolFile(second, '"second"')}export default defineTool({ ...definition, name: "beta" });`);
    const source = await start();
    expect(await names(source)).toEqual([first, "beta"]);
    expect(await call(source, first)).toMatchObject({ value: "first" });
    expect(source.problems()).toEqual([expect.stringMatching(says)]);
  });

  test("the second takes its place when the first file goes", async () => {
    await write("a.ts", toolFile("alpha", '"first"'));
    await write("b.ts", toolFile("alpha", '"second"'));
    const source = await start();
    await rm(join(dir, "a.ts"));
    await source.check();
    expect(await call(source, "alpha")).toMatchObject({ value: "second" });
    expect(source.problems()).toEqual([]);
  });
});

describe("a changed file", () => {
  test("is loaded again, noticed by itself, also when it is replaced as editors do", async () => {
    await write("a.ts", toolFile("alpha", "1"));
    const { log, line } = listening();
    const source = await start({ log, debounceMs: 20 });
    for (const version of [2, 3]) {
      const reloaded = line("tool files loaded");
      await write("a.ts.new", toolFile("alpha", String(version)));
      await rename(join(dir, "a.ts.new"), join(dir, "a.ts"));
      await reloaded;
      expect(await call(source, "alpha")).toMatchObject({ value: version });
    }
  });

  test("that is broken leaves its last good version in use, and is mended by the next", async () => {
    await write("a.ts", toolFile("alpha", "1"));
    const source = await start();
    await write("a.ts", "const a = = 1;");
    await source.check();
    expect(await call(source, "alpha")).toMatchObject({ value: 1 });
    expect(source.problems()).toEqual([
      expect.stringMatching(/\/a\.ts:1: Expression expected; its last good version stays in use$/),
    ]);
    await write("a.ts", "export const nothing = 1;");
    await source.check();
    expect(await call(source, "alpha")).toMatchObject({ value: 1 });
    await write("a.ts", toolFile("alpha", "2"));
    await source.check();
    expect(await call(source, "alpha")).toMatchObject({ value: 2 });
    expect(source.problems()).toEqual([]);
  });

  test("leaves the state of the others alone, and only a changed helper loads all again", async () => {
    await write("_shared.ts", "export const word: string = 'old';");
    const counting = (name: string) =>
      `import { word } from "./_shared.ts";\nlet calls = 0;\n${toolFile(name, "`${word} ${++calls}`")}`;
    await write("a.ts", counting("alpha"));
    await write("b.ts", counting("beta"));
    const source = await start();
    await call(source, "alpha");
    await write("b.ts", `${counting("beta")}\n`);
    await source.check();
    expect(await call(source, "alpha")).toMatchObject({ value: "old 2" });
    await write("_shared.ts", "export const word: string = 'new';");
    await source.check();
    expect(await call(source, "alpha")).toMatchObject({ value: "new 1" });
    expect(await call(source, "beta")).toMatchObject({ value: "new 1" });
  });

  test("that is as it was once before is loaded anew all the same", async () => {
    const text = `let calls = 0;\n${toolFile("alpha", "++calls")}`;
    await write("a.ts", text);
    const source = await start();
    await call(source, "alpha");
    await write("a.ts", toolFile("alpha", '"other"'));
    await source.check();
    await write("a.ts", text);
    await source.check();
    expect(await call(source, "alpha")).toMatchObject({ value: 1 });
  });

  test("does not disturb a call that is under way", async () => {
    await write(
      "a.ts",
      `const { promise, resolve } = Promise.withResolvers();\n${toolFile("alpha", "promise")}export default defineTool({ ...definition, name: "end", run: () => resolve("old") });`,
    );
    const source = await start();
    const running = call(source, "alpha");
    const [end] = (await source.toolsFor(ADA)).filter(({ name }) => name === "end");
    await write("a.ts", toolFile("alpha", "1"));
    await source.check();
    expect(await names(source)).toEqual(["alpha"]);
    await end?.run({}, context());
    expect(await running).toMatchObject({ value: "old" });
  });

  test("the tools of a deleted file go, and those of a new one come", async () => {
    await write("a.ts", toolFile("alpha", "1"));
    const source = await start();
    await rm(join(dir, "a.ts"));
    await write("b.ts", toolFile("beta", "1"));
    await source.check();
    expect(await names(source)).toEqual(["beta"]);
  });

  test("is told to the log, a problem only once", async () => {
    const { log, lines } = listening();
    await write("a.ts", "const a = = 1;");
    await write("b.ts", toolFile("beta", "1"));
    const source = await start({ log });
    await write("b.ts", toolFile("beta", "2"));
    await source.check();
    expect(lines.filter((text) => text === "a tool file cannot be used")).toHaveLength(1);
    expect(lines.filter((text) => text === "tool files loaded")).toHaveLength(2);
  });
});

test("closing abandons files that are being loaded, and loads none any more", async () => {
  const source = await start({ importMs: 60_000 });
  const begun = join(dir, "begun");
  const watcher = watch(dir);
  onTestFinished(() => watcher.close());
  await write(
    "a.ts",
    `import { writeFileSync } from "node:fs";\nwriteFileSync(${JSON.stringify(begun)}, "");\nwhile (true) {}`,
  );
  const checking = source.check();
  while (!existsSync(begun)) await once(watcher, "change");
  await source.close();
  await checking;
  await write("a.ts", toolFile("alpha", "1"));
  await source.check();
  expect(await names(source)).toEqual([]);
});

test("in a process of its own, from a folder outside of any package, it works with nothing but Node", async () => {
  await write("a.ts", toolFile("alpha", "word", 'import { word } from "./_shared.ts";\n'));
  await write("_shared.ts", "export const word: string = 'native';");
  const module = new URL("./create-code-tools.ts", import.meta.url).href;
  const program = `
    const { createCodeTools } = await import(${JSON.stringify(module)});
    const log = { debug() {}, info() {}, warn() {}, error() {}, with: () => log };
    const source = await createCodeTools({ dir: ${JSON.stringify(dir)}, log });
    const [tool] = await source.toolsFor("ada");
    const outcome = await tool.run({}, { signal: new AbortController().signal });
    console.log(JSON.stringify({ outcome, problems: source.problems() }));
    await source.close();`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  expect(JSON.parse(stdout)).toEqual({ outcome: { kind: "result", value: "native" }, problems: [] });
  expect(stderr).toBe("");
});

test("the shipped example is off, and works when it is turned on", async () => {
  const shipped = join(import.meta.dirname, "../../../config/tools");
  const off = await start({ dir: shipped });
  expect(await names(off)).toEqual([]);
  await write("example.ts", await readFile(join(shipped, "_example.ts"), "utf8"));
  const on = await start();
  expect(on.problems()).toEqual([]);
  expect((await names(on)).length).toBeGreaterThan(0);
});

type Source = Awaited<ReturnType<typeof createCodeTools>>;

async function start(options: Partial<Parameters<typeof createCodeTools>[0]> = {}): Promise<Source> {
  const source = await createCodeTools({
    dir,
    log: silentLog,
    debounceMs: 5,
    pollMs: NEVER_MS,
    importModule: nativeImport,
    ...options,
  });
  onTestFinished(() => source.close());
  return source;
}

const write = (name: string, text: string) => writeFile(join(dir, name), text);

/** A file with one tool that gives what `value` says. */
function toolFile(name: string, value: string, imports = ""): string {
  return `${imports}import { defineTool, z } from "#parley/tools";
const definition = { name: ${JSON.stringify(name)}, description: "d", effect: "read" as const, input: z.object({}), run: () => ${value} };
export const tool = defineTool(definition);
`;
}

async function names(source: Source): Promise<string[]> {
  return (await source.toolsFor(ADA)).map(({ name }) => name);
}

async function call(source: Source, name: string) {
  return (await source.toolsFor(ADA)).find((tool) => tool.name === name)?.run({}, context());
}

function context(): ToolContext {
  return {
    workspaceId: ADA,
    conversationId: parseConversationId("web:1"),
    runId: parseRunId("r1"),
    idempotencyKey: "r1:tool_1_1",
    attempt: 1,
    signal: new AbortController().signal,
    clock: systemClock,
    log: silentLog,
  };
}

/** A log whose lines can be waited for. */
function listening(): { log: Log; lines: string[]; line: (text: string) => Promise<unknown> } {
  const events = new EventEmitter();
  const lines: string[] = [];
  const say = (_fields: object, message: string) => {
    lines.push(message);
    events.emit(message);
  };
  const log: Log = { debug: say, info: say, warn: say, error: say, with: () => log };
  return { log, lines, line: (text) => once(events, text) };
}
