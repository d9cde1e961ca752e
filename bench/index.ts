import { writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { InvalidInput } from "../src/kernel/errors.ts";
import { HELP, parseOptions, type Options, type SectionName } from "./options.ts";
import { startPrivateRedis, type PrivateRedis } from "./private-redis.ts";
import type { Bench, Section } from "./section.ts";
import { ceiling } from "./sections/ceiling.ts";
import { claimTime } from "./sections/claim-time.ts";
import { commands } from "./sections/commands.ts";
import { processMemory } from "./sections/process-memory.ts";
import { recovery } from "./sections/recovery.ts";
import { schedules } from "./sections/schedules.ts";
import { throughput } from "./sections/throughput.ts";
import { unloaded } from "./sections/unloaded.ts";
import { workspaceMemory } from "./sections/workspace-memory.ts";
import { formatTable } from "./table.ts";
import { compareWithTargets } from "./targets.ts";

const RUN: Readonly<Record<SectionName, (bench: Bench) => Promise<Section>>> = {
  throughput,
  commands,
  ceiling,
  unloaded,
  recovery,
  "workspace-memory": workspaceMemory,
  "claim-time": claimTime,
  "process-memory": processMemory,
  schedules: (bench) => schedules(bench),
};

/**
 * Measures our engine beside its peer on a Redis of its own and prints what it found. Asserts nothing: the exit code
 * says only whether it could measure.
 */
export async function main(args: readonly string[]): Promise<number> {
  let options: Options | undefined;
  try {
    options = parseOptions(args);
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    console.error(`bench: ${error.message}\n\n${HELP}`);
    return 2;
  }
  if (options === undefined) {
    console.log(HELP);
    return 0;
  }
  const servers = new Set<PrivateRedis>();
  const startRedis = async (appendOnly: boolean) => {
    const server = await startPrivateRedis(appendOnly);
    servers.add(server);
    return server;
  };
  stopOnSignal(servers);
  const redis = await startRedis(true);
  try {
    const machine = describeMachine(redis.version, options);
    console.log(machine.join("\n"));
    const say = (what: string) => console.error(`bench: ${what}`);
    const sections: Section[] = [];
    for (const name of options.only) {
      const section = await RUN[name]({ options, redis, startRedis, say });
      sections.push(section);
      print(section);
    }
    const targets = compareWithTargets(sections);
    const title = "Against what is to be reached (nothing fails here; a small or noisy machine moves absolute figures)";
    print({ title, tables: [targets], notes: [], figures: {} });
    if (options.jsonFile !== undefined)
      writeFileSync(options.jsonFile, `${JSON.stringify({ machine, options, sections, targets }, undefined, 2)}\n`);
    return 0;
  } finally {
    await redis.stop();
  }
}

/** A server outlives a process that dies; so nobody may die of a signal before the servers have ended. */
function stopOnSignal(servers: ReadonlySet<PrivateRedis>): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      void Promise.allSettled([...servers].map((server) => server.stop())).then(() =>
        process.kill(process.pid, signal),
      );
    });
}

function describeMachine(redisVersion: string, { size, rounds, seed }: Options): string[] {
  const [load] = loadavg();
  return [
    `Node ${process.version}, ${redisVersion}, ${availableParallelism()} cores (${cpus()[0]?.model ?? "unknown"})`,
    `${size} size, ${rounds} rounds, seed ${seed}; load average at the start ${(load ?? 0).toFixed(1)}`,
  ];
}

function print({ title, tables, notes }: Section): void {
  console.log(`\n== ${title} ==`);
  for (const table of tables) console.log(`\n${formatTable(table)}`);
  if (notes.length > 0) console.log(`\n${notes.join("\n")}`);
}
