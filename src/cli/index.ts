import { processIo } from "./io.ts";
import { runProgram } from "./program.ts";

/** The operator's commands. Resolves with the exit code: 0 done, 1 failed, 2 a wrong command line or configuration. */
export function main(args: readonly string[]): Promise<number> {
  return runProgram(args, processIo());
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
