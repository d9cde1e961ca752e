import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChild } from "./run-child.mjs";

/**
 * Runs every check, also after one failed, and prints the counted result as the very last line. Each static check
 * counts as one, each test as one. Answers with the exit code.
 */
export async function runChecks(root: string): Promise<number> {
  let passed = 0;
  let failed = 0;
  for (const { title, tool, args } of STATIC_CHECKS) {
    const code = await timed(title, () => runTool(root, tool, args));
    if (code === 0) passed++;
    else failed++;
  }
  const tests = await runTests(root);
  passed += tests.passed;
  failed += tests.failed;
  console.log(`\n${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

/** The counts in a vitest JSON report; undefined stands for a report that was never written. */
export function countTests(report: unknown, exitCode: number): { passed: number; failed: number } {
  const passed = numberIn(report, "numPassedTests");
  const failed = numberIn(report, "numFailedTests") + filesThatDidNotLoad(report);
  // An error outside any test, or no report at all, fails the run without failing a test.
  return { passed, failed: failed === 0 && (exitCode !== 0 || report === undefined) ? 1 : failed };
}

interface Tool {
  readonly package: string;
  readonly bin: string;
}

const STATIC_CHECKS: readonly { title: string; tool: Tool; args: readonly string[] }[] = [
  { title: "Format", tool: { package: "oxfmt", bin: "oxfmt" }, args: ["--check"] },
  { title: "Lint", tool: { package: "oxlint", bin: "oxlint" }, args: ["--type-aware", "--deny-warnings"] },
  { title: "Types", tool: { package: "typescript", bin: "tsc" }, args: ["--noEmit", "-p", "."] },
  { title: "Dead code", tool: { package: "knip", bin: "knip" }, args: [] },
];

async function runTests(root: string): Promise<{ passed: number; failed: number }> {
  const folder = mkdtempSync(join(tmpdir(), "parley-check-"));
  const file = join(folder, "report.json");
  const args = ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  try {
    const code = await timed("Tests", () => runTool(root, { package: "vitest", bin: "vitest" }, args));
    return countTests(readReport(file), code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function timed(title: string, run: () => Promise<number>): Promise<number> {
  console.log(`\n== ${title}`);
  const began = performance.now();
  const code = await run();
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`== ${title}: ${code === 0 ? "passed" : "FAILED"} after ${seconds} s`);
  return code;
}

/** Runs the tool's own script with this Node: the links in `.bin` would take whatever Node the system has. */
async function runTool(root: string, tool: Tool, args: readonly string[]): Promise<number> {
  const folder = join(root, "node_modules", tool.package);
  const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const bin = entries(manifest)["bin"];
  const script = typeof bin === "string" ? bin : stringIn(bin, tool.bin);
  return await runChild(process.execPath, [join(folder, script), ...args], { cwd: root });
}

function stringIn(value: unknown, key: string): string {
  const found = entries(value)[key];
  if (typeof found !== "string") throw new Error(`the package of ${key} has no program of that name`);
  return found;
}

function readReport(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function filesThatDidNotLoad(report: unknown): number {
  const files = entries(report)["testResults"];
  if (!Array.isArray(files)) return 0;
  return files.map(entries).filter((file) => {
    const tests = file["assertionResults"];
    return file["status"] === "failed" && Array.isArray(tests) && tests.length === 0;
  }).length;
}

function numberIn(value: unknown, key: string): number {
  const found = entries(value)[key];
  return typeof found === "number" ? found : 0;
}

function entries(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
