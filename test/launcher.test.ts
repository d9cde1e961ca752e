import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { countTests } from "../bin/launcher/check.ts";
import { findOutdated } from "../bin/launcher/install.ts";
import { planCommand } from "../bin/launcher/plan.ts";

const ROOT = resolve(import.meta.dirname, "..");
const LOCK = { packages: { "": {}, "node_modules/a": { version: "1.0.0", integrity: "sha512-a" } } };

/** A checkout in miniature: the real launcher, a program that shows what reached it, and an npm that only notes calls. */
function miniature(options: { installed: boolean }): string {
  const root = mkdtempSync(join(tmpdir(), "parley-launcher-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  cpSync(join(ROOT, "bin"), join(root, "bin"), { recursive: true });
  for (const file of ["store/folder-lock.ts", "store/process-identity.ts", "kernel/errors.ts"])
    cpSync(join(ROOT, "src", file), join(root, "src", file));
  writeFileSync(join(root, "package.json"), '{"type": "module"}');
  writeFileSync(join(root, "package-lock.json"), JSON.stringify(LOCK));
  if (options.installed) {
    mkdirSync(join(root, "node_modules"));
    writeFileSync(join(root, "node_modules/.package-lock.json"), JSON.stringify(LOCK));
  }

  writeFileSync(
    join(root, "src/main.ts"),
    `export async function main(args: readonly string[]): Promise<number> {
       if (args[0] === "fail") throw new Error("it broke");
       if (args[0] === "echo") for await (const chunk of process.stdin) process.stdout.write(chunk);
       if (args[0] === "wait") {
         await new Promise<void>((done) => {
           const keepAlive = setInterval(() => {}, 1000);
           process.once("SIGTERM", () => { clearInterval(keepAlive); console.log("drained"); done(); });
           console.log("waiting");
         });
       }
       return Number(args[1] ?? 0);
     }`,
  );
  mkdirSync(join(root, "src/cli"));
  writeFileSync(join(root, "src/cli/index.ts"), `export const main = async (args: string[]) => console.log(...args);`);

  mkdirSync(join(root, "tools"));
  const npm = `#!/bin/sh
    echo "$@" >> npm-calls
    sleep 0.3
    mkdir -p node_modules && cp package-lock.json node_modules/.package-lock.json`;
  writeFileSync(join(root, "tools/npm"), npm);
  chmodSync(join(root, "tools/npm"), 0o755);
  return root;
}

function run(root: string, ...args: string[]): ChildProcessWithoutNullStreams {
  const PATH = [join(root, "tools"), dirname(process.execPath), process.env["PATH"]].join(delimiter);
  const child = spawn(process.execPath, [join(root, "bin/parley.mjs"), ...args], { env: { ...process.env, PATH } });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

async function result(child: ChildProcessWithoutNullStreams) {
  const [out, error, [code, signal]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { out, error, code: code as number | null, signal: signal as string | null };
}

test.each([
  [["start"], { do: "call", module: "src/main.ts", args: [], dev: false }],
  [["start", "--x"], { do: "call", module: "src/main.ts", args: ["--x"], dev: false }],
  [["chat", "hello"], { do: "call", module: "src/cli/index.ts", args: ["chat", "hello"], dev: false }],
  [["--help"], { do: "call", module: "src/cli/index.ts", args: ["--help"], dev: false }],
  [[], { do: "call", module: "src/cli/index.ts", args: [], dev: false }],
  [["dev", "check"], { do: "check", dev: true }],
  [["dev", "bench", "queue", "--n=1"], { do: "call", module: "bench/index.ts", args: ["queue", "--n=1"], dev: true }],
  [["dev"], { do: "refuse", message: "dev: a command is missing; known are: check, bench" }],
  [["dev", "tset"], { do: "refuse", message: 'dev: there is no command "tset"; known are: check, bench' }],
  [["dev", "check", "x"], { do: "refuse", message: "dev check takes no arguments, but was given: x" }],
])("the command line %j is planned", (args, plan) => {
  expect(planCommand(args)).toEqual(plan);
});

const a = { version: "1.0.0", integrity: "sha512-a" };
test.each([
  ["the same", { a }, { a }, true, []],
  ["nothing there", { a }, {}, true, ["a"]],
  ["another version", { a }, { a: { ...a, version: "1.0.1" } }, true, ["a"]],
  ["another content", { a }, { a: { ...a, integrity: "sha512-b" } }, true, ["a"]],
  ["more than wanted", { a }, { a, b: a }, true, []],
  ["an optional one missing", { a: { ...a, optional: true } }, {}, true, []],
  ["a developer's one missing", { a: { ...a, dev: true } }, {}, true, ["a"]],
  ["a developer's one missing for an operator", { a: { ...a, dev: true } }, {}, false, []],
  ["the project itself", { "": {} }, {}, true, []],
])("installed packages against the lock file: %s", (_, wanted, installed, dev, outdated) => {
  expect(findOutdated({ packages: wanted }, { packages: installed }, { dev })).toEqual(outdated);
});

const file = (status: string, tests: number) => ({
  status,
  assertionResults: Array.from({ length: tests }, () => ({})),
});
test.each([
  ["all well", { numPassedTests: 5, numFailedTests: 0, testResults: [file("passed", 5)] }, 0, 5, 0],
  ["failed tests", { numPassedTests: 3, numFailedTests: 2, testResults: [file("failed", 5)] }, 1, 3, 2],
  ["a file that does not load", { numPassedTests: 3, numFailedTests: 0, testResults: [file("failed", 0)] }, 1, 3, 1],
  ["an error outside any test", { numPassedTests: 3, numFailedTests: 0, testResults: [] }, 1, 3, 1],
  ["no report", undefined, 1, 0, 1],
  ["no report, though the run ended well", undefined, 0, 0, 1],
])("test counts: %s", (_, report, exitCode, passed, failed) => {
  expect(countTests(report, exitCode)).toEqual({ passed, failed });
});

test("start passes input, arguments and the exit code through", async () => {
  const child = run(miniature({ installed: true }), "start", "echo", "7");
  child.stdin.end("some input");
  expect(await result(child)).toEqual({ out: "some input", error: "", code: 7, signal: null });
});

test("SIGTERM reaches the program, which ends in its own time", async () => {
  const child = run(miniature({ installed: true }), "start", "wait");
  child.stdout.once("data", () => child.kill("SIGTERM"));
  expect(await result(child)).toMatchObject({ out: "waiting\ndrained\n", code: 0 });
});

test("any other word goes to the command line program", async () => {
  expect(await result(run(miniature({ installed: true }), "status", "--json"))).toMatchObject({
    out: "status --json\n",
    code: 0,
  });
});

test("a failure is one line and exit code 1, a wrong command one line and exit code 2", async () => {
  const root = miniature({ installed: true });
  const failed = await result(run(root, "start", "fail"));
  expect(failed).toMatchObject({ error: "parley: it broke\n", code: 1 });
  const refused = await result(run(root, "dev", "lint"));
  expect(refused).toMatchObject({
    error: 'parley: dev: there is no command "lint"; known are: check, bench\n',
    code: 2,
  });
});

test("two first starts at the same time install once, say so, and both run", async () => {
  const root = miniature({ installed: false });
  const both = await Promise.all([result(run(root, "start", "x", "3")), result(run(root, "start", "x", "4"))]);
  expect(both.map(({ code }) => code)).toEqual([3, 4]);
  const said = "parley: installing dependencies with npm ci, because they are missing\n";
  expect(both.map(({ error }) => error).toSorted()).toEqual(["", said]);
  expect(readFileSync(join(root, "npm-calls"), "utf8")).toBe(
    "ci --include=dev --no-audit --no-fund --loglevel=error\n",
  );
});

test("a changed lock file is installed at the next start, what already fits is left alone", async () => {
  const root = miniature({ installed: true });
  await result(run(root, "start"));
  const changed = { packages: { ...LOCK.packages, "node_modules/b": { version: "2.0.0" } } };
  writeFileSync(join(root, "package-lock.json"), JSON.stringify(changed));
  const { error } = await result(run(root, "start"));
  expect(error).toBe("parley: installing dependencies with npm ci, because they do not fit package-lock.json\n");
  expect(await result(run(root, "start"))).toMatchObject({ error: "", code: 0 });
});
