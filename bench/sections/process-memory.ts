import { parley } from "../engines/parley.ts";
import { closedLoop } from "../load.ts";
import { onStage } from "../round.ts";
import type { Bench, Section } from "../section.ts";
import { show } from "../table.ts";
import { createMessages, IN_FLIGHT } from "../workload.ts";

const MARKS = {
  quick: [1_000, 4_000, 8_000],
  default: [5_000, 20_000, 50_000, 100_000],
  full: [20_000, 100_000, 200_000, 400_000],
} as const;

/** Whether a worker process grows with the runs it has done. */
export async function processMemory(bench: Bench): Promise<Section> {
  const { redis, options } = bench;
  const marks = MARKS[options.size];
  const rows: string[][] = [];
  const figures: Record<string, number> = {};
  await onStage(parley, redis, { workers: 1 }, async (stage) => {
    let done = 0;
    for (const mark of marks) {
      bench.say(`process memory, up to ${show(mark)} runs`);
      const message = createMessages(options.seed, `m${mark}-`);
      await closedLoop(stage, { count: mark - done, inFlight: IN_FLIGHT, message });
      done = mark;
      const [usage] = await Promise.all(stage.workers.map((worker) => worker.collect()));
      const heap = (usage?.heapBytes ?? Number.NaN) / 2 ** 20;
      rows.push([show(mark), show(heap, 1), show((usage?.residentBytes ?? Number.NaN) / 2 ** 20, 1)]);
      figures[`heapMiB.${mark}`] = heap;
    }
  });
  const [first, last] = [figures[`heapMiB.${marks.at(-3)}`], figures[`heapMiB.${marks.at(-1)}`]];
  if (first !== undefined && last !== undefined) figures["heapGrowthMiB"] = last - first;
  return {
    title: "Memory of the worker process",
    tables: [{ columns: ["runs done", "heap used MiB, after collection", "resident MiB"], rows }],
    notes: [
      "The same 200 people all the time, never idle. Histories of recent lanes are kept in the process up to a fixed size,",
      "  so the heap may grow until that is full (about 85 MiB in all) and must be flat from there on.",
    ],
    figures,
  };
}
