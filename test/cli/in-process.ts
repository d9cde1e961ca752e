import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { runProgram } from "../../src/cli/program.ts";

/** What a command line comes to, between pipes, inside this process; nothing is configured but what `env` says. */
export async function runHere(
  args: readonly string[],
  { env = {}, input: lines = "" }: { env?: Readonly<Record<string, string>>; input?: string } = {},
) {
  const [input, output, errors] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const [out, err] = [text(output), text(errors)];
  input.end(lines);
  const code = await runProgram(args, {
    env: { PARLEY_CONFIG: "no-such-folder", ...env },
    input,
    output,
    errors,
    fetch,
    untilSignal: () => new AbortController().signal,
  });
  output.end();
  errors.end();
  return { out: await out, err: await err, code };
}
