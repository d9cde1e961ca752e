import { CommanderError } from "commander";
import { describeError, InvalidInput, OutsideError } from "../kernel/errors.ts";
import { CommandFailed } from "./command-failed.ts";
import { printLine, processIo } from "./io.ts";
import { createProgram } from "./program.ts";

/** The operator's commands. Resolves with the exit code: 0 done, 1 failed, 2 a wrong command line or configuration. */
export async function main(args: readonly string[]): Promise<number> {
  const io = processIo();
  const { program, exitCode } = createProgram(io);
  try {
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync([...args], { from: "user" });
    return exitCode();
  } catch (error) {
    // The program has already said what was wrong, or was asked for help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const isExpected = error instanceof CommandFailed || error instanceof OutsideError || error instanceof InvalidInput;
    if (!isExpected) throw error;
    printLine(io.errors, `parley: ${describeError(error)}`);
    return error instanceof CommandFailed ? error.exitCode : 1;
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
