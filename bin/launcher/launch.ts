import { existsSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { runChecks } from "./check.ts";
import { ensureInstalled } from "./install.ts";
import { planCommand } from "./plan.ts";

/** Installs what is missing, then does what the command line asks for. Answers with the exit code, if there is one yet. */
export async function launch(args: readonly string[]): Promise<number | undefined> {
  const root = resolve(import.meta.dirname, "../..");
  const plan = planCommand(args);
  if (plan.do === "refuse") {
    console.error(`parley: ${plan.message}`);
    return 2;
  }
  // npm and the developer tools start with `env node`, which must be this one.
  process.env["PATH"] = [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter);
  await ensureInstalled({ root, dev: plan.dev });
  return plan.do === "check" ? await runChecks(root) : await callMain(join(root, plan.module), plan.args);
}

/**
 * The program runs inside this process, so signals, input and output are its own. Its module exports
 * `main(args): Promise<number | void>`; a number becomes the exit code.
 */
async function callMain(file: string, args: readonly string[]): Promise<number | undefined> {
  if (!existsSync(file)) throw new Error(`${file} is missing from this checkout`);
  const module: unknown = await import(pathToFileURL(file).href);
  if (!hasMain(module)) throw new Error(`${file} does not export a function "main"`);
  const code = await module.main(args);
  return typeof code === "number" ? code : undefined;
}

function hasMain(module: unknown): module is { main: (args: readonly string[]) => unknown } {
  return typeof module === "object" && module !== null && "main" in module && typeof module.main === "function";
}
