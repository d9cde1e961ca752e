import { parseArgs } from "node:util";
import { InvalidInput } from "../src/kernel/errors.ts";

/** The sections there are, in the order in which they run. */
export const SECTIONS = [
  "throughput",
  "commands",
  "ceiling",
  "unloaded",
  "recovery",
  "workspace-memory",
  "claim-time",
  "process-memory",
  "schedules",
] as const;
export type SectionName = (typeof SECTIONS)[number];

export interface Options {
  readonly size: "quick" | "default" | "full";
  readonly rounds: number;
  readonly seed: number;
  readonly only: readonly SectionName[];
  readonly jsonFile: string | undefined;
}

export const HELP = `npm run bench -- [options]

  --quick          2 small rounds of everything, without what needs minutes; about two minutes
  --full           also a million idle workspaces, and more runs in one process
  --rounds <n>     rounds per comparison (5; 2 with --quick)
  --only <names>   only these sections: ${SECTIONS.join(", ")}
  --seed <n>       another seed for texts and choices (1)
  --json <file>    the same figures for machines
  --help`;

/** Reads the command line; undefined means that help is wanted. Throws `InvalidInput` for what it does not know. */
export function parseOptions(args: readonly string[]): Options | undefined {
  const values = readArguments(args);
  if (values.help === true) return undefined;
  if (values.quick === true && values.full === true) throw new InvalidInput("--quick and --full exclude each other");
  const size = values.quick === true ? "quick" : values.full === true ? "full" : "default";
  return {
    size,
    rounds: wholeNumber("--rounds", values.rounds, size === "quick" ? 2 : 5),
    seed: wholeNumber("--seed", values.seed, 1),
    only: values.only === undefined ? SECTIONS : values.only.split(",").map(sectionName),
    jsonFile: values.json,
  };
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: "boolean" },
        full: { type: "boolean" },
        rounds: { type: "string" },
        only: { type: "string" },
        seed: { type: "string" },
        json: { type: "string" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    throw new InvalidInput(error instanceof Error ? error.message : "unreadable arguments", { cause: error });
  }
}

function wholeNumber(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidInput(`${name} must be a whole number from 1, not "${text}"`);
  return Number(text);
}

function sectionName(text: string): SectionName {
  const name = SECTIONS.find((section) => section === text.trim());
  if (name === undefined)
    throw new InvalidInput(`--only: there is no section "${text}"; known are ${SECTIONS.join(", ")}`);
  return name;
}
