import { z } from "zod";
import { call, failureIn, notOffered, readResult, say, type Move, type Rule } from "./move.ts";
import type { Turn } from "./transcript.ts";

const TOOL = "calculate";
const MAX_STEPS = 200;
const stepArgsSchema = z.object({ expression: z.string().regex(/^\d+ \+ 1$/) });
const resultSchema = z.object({ result: z.number() });

/** Long jobs that call a tool once per step, so that stopping, crashing and resuming can be watched. */
export const jobRules: readonly Rule[] = [
  {
    pattern: /^(?:run|do|start) (?:me )?(?:a |another )?(?:long )?job (?:of|with) (\d+) steps?\b(.*)$/i,
    respond: ([, steps = "", how = ""], turn) => nextStep(Number(steps), /parallel/i.test(how), turn),
  },
  {
    pattern: /^count (?:slowly )?(?:up )?to (\d+)\b(.*)$/i,
    respond: ([, steps = "", how = ""], turn) => nextStep(Number(steps), /parallel/i.test(how), turn),
  },
];

function nextStep(wanted: number, parallel: boolean, turn: Turn): Move {
  const steps = Math.min(wanted, MAX_STEPS);
  if (steps === 0) return say("A job of no steps is done already.");
  if (!turn.offered.has(TOOL)) return say(notOffered(TOOL));
  const done = turn.results.filter((result) => result.tool === TOOL && stepArgsSchema.safeParse(result.args).success);
  // Each step computes its own number, so no two calls are alike and none looks like a loop.
  const next = Array.from({ length: Math.min(parallel ? 2 : 1, steps - done.length) }, (_, i) => ({
    tool: TOOL,
    args: { expression: `${done.length + i} + 1` },
  }));
  return next.length > 0
    ? call(...next)
    : say(
        report(
          done.map((result) => result.content),
          wanted,
        ),
      );
}

function report(contents: readonly string[], wanted: number): string {
  const failures = contents.map(failureIn).filter((failure) => failure !== undefined);
  const numbers = contents
    .filter((content) => failureIn(content) === undefined)
    .map((content) => String(readResult(resultSchema, content)?.result ?? content));
  const more = wanted > contents.length ? ` I stop at ${MAX_STEPS} steps.` : "";
  const failed = failures.length === 0 ? "" : ` ${failures.length} failed: ${failures[0]}`;
  return `Done: ${numbers.length} of ${contents.length} steps, one tool call each: ${numbers.join(", ")}.${more}${failed}`;
}
