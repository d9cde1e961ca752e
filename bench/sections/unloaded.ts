import { timeBareCommand } from "../bare-command.ts";
import { bullmq } from "../engines/bullmq.ts";
import type { Engine } from "../engines/contract.ts";
import { parley } from "../engines/parley.ts";
import { measureRound, onStage } from "../round.ts";
import type { Bench, Section } from "../section.ts";
import { median } from "../statistics.ts";
import { show } from "../table.ts";

interface Unloaded {
  readonly runMs: number;
  readonly stepMs: number;
  readonly reads: number;
}

/** One message at a time: what the engines cost when nothing else is going on. */
export async function unloaded(bench: Bench): Promise<Section> {
  const rows: string[][] = [];
  const figures: Record<string, number> = {};
  for (const fsync of ["everysec", "always"] as const) {
    await bench.redis.setFsync(fsync);
    const results = new Map<Engine, Unloaded[]>([
      [parley, []],
      [bullmq, []],
    ]);
    const bare: number[] = [];
    for (let round = 1; round <= bench.options.rounds; round++) {
      bench.say(`unloaded, ${fsync}, bare command, round ${round}`);
      bare.push(await timeBareCommand(bench.redis.socketPath, bench.options.size === "quick" ? 600 : 3_000));
      for (const [engine, rounds] of results) {
        bench.say(`unloaded, ${fsync}, ${engine.title}, round ${round}`);
        rounds.push(await play(bench, engine));
      }
    }
    rows.push([fsync, "bare command", "", show(median(bare), 3), ""]);
    figures[`${fsync}.bareMs`] = median(bare);
    for (const [engine, rounds] of results) {
      const over = (name: keyof Unloaded) => median(rounds.map((round) => round[name]));
      rows.push([fsync, engine.title, show(over("runMs"), 2), show(over("stepMs"), 3), show(over("reads"), 1)]);
      figures[`${fsync}.${engine.name}.runMs`] = over("runMs");
      figures[`${fsync}.${engine.name}.stepMs`] = over("stepMs");
    }
  }
  await bench.redis.setFsync("everysec");
  return {
    title: "Unloaded: one message at a time",
    tables: [{ columns: ["appendfsync", "engine", "run p50 ms", "per journalled step p50 ms", "reads per run"], rows }],
    notes: [
      "run: from handing a message over to hearing its answer, three steps. per journalled step: how long an instant step takes",
      "  because its result is recorded before the run goes on; the last step is not in it, ours is written with the end.",
      "bare command: the command of such a step on an idle server, in the same rounds: what of a step is the machine's.",
      "reads per run: times the server read from a socket, heartbeats included; without load nearly one per round trip.",
    ],
    figures,
  };
}

async function play({ redis, options }: Bench, engine: Engine): Promise<Unloaded> {
  const load = { count: options.size === "quick" ? 300 : 1_500, warmUp: 300, inFlight: 1, seed: options.seed };
  return onStage(engine, redis, { workers: 1, settings: { timeSteps: true } }, async (stage) => {
    const { load: result, redis: counted, usages } = await measureRound(stage, redis, load);
    return {
      runMs: median(result.latenciesMs),
      stepMs: median(usages.flatMap(({ stepMs }) => stepMs)),
      reads: counted.reads / load.count,
    };
  });
}
