import { bullmq } from "../engines/bullmq.ts";
import { parley } from "../engines/parley.ts";
import { recordRuns } from "../recording.ts";
import type { Bench, Section } from "../section.ts";
import { show } from "../table.ts";

/** What each engine sends to Redis for one run, seen at the server. */
export async function commands(bench: Bench): Promise<Section> {
  const count = bench.options.size === "quick" ? 1_000 : 4_000;
  const perRun: Map<string, number>[] = [];
  for (const engine of [parley, bullmq]) {
    bench.say(`commands, ${engine.title}`);
    const sent = await recordRuns(engine, bench.redis, { count, seed: bench.options.seed });
    const counts = new Map<string, number>();
    for (const { name } of sent) counts.set(name, (counts.get(name) ?? 0) + 1 / count);
    perRun.push(counts);
  }
  const [ours, peers] = perRun;
  const names = [...new Set(perRun.flatMap((counts) => [...counts.keys()]))].sort();
  const total = (counts: Map<string, number> | undefined) =>
    [...(counts?.values() ?? [])].reduce((sum, value) => sum + value, 0);
  const rows = names.map((name) => [name, show(ours?.get(name), 2), show(peers?.get(name), 2)]);
  return {
    title: "Commands that clients send per run, one worker, 50 in flight",
    tables: [
      {
        columns: ["command", parley.title, bullmq.title],
        rows: [...rows, ["all", show(total(ours), 2), show(total(peers), 2)]],
      },
    ],
    notes: [
      "Counted at the server with MONITOR in a round of its own, over driver and worker; what scripts do inside is left out.",
      "pubsub, evalsha of heartbeats and the like are in it; the shorter the round takes, the fewer they are.",
    ],
    figures: { "commands.parley": total(ours), "commands.bullmq": total(peers) },
  };
}
