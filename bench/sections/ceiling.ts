import { bullmq } from "../engines/bullmq.ts";
import type { Engine } from "../engines/contract.ts";
import { parley } from "../engines/parley.ts";
import { fillQueue } from "../load.ts";
import { recordRuns } from "../recording.ts";
import { encodeReplay, replay } from "../replay.ts";
import { measureRound, onStage } from "../round.ts";
import type { Bench, Section } from "../section.ts";
import { median } from "../statistics.ts";
import { show } from "../table.ts";
import { startWorker } from "../worker-process.ts";
import { createMessages, IN_FLIGHT } from "../workload.ts";

/** How near our engine comes to what this Redis can do with our own commands. */
export async function ceiling(bench: Bench): Promise<Section> {
  const { redis, options } = bench;
  const small = options.size === "quick";
  const count = small ? 2_000 : 10_000;
  const rows: string[][] = [];
  const figures: Record<string, number> = {};
  bench.say("ceiling, recording");
  const sent = await recordRuns(parley, redis, { count, seed: options.seed });
  const pipeline = encodeReplay(sent);

  for (const fsync of ["everysec", "always"] as const) {
    await redis.setFsync(fsync);
    const rounds: Record<Kind, number>[] = [];
    for (let round = 1; round <= options.rounds; round++) {
      bench.say(`ceiling, ${fsync}, round ${round}`);
      rounds.push(await playRound(bench, pipeline, { count, warmUp: small ? 1_000 : 2_000 }));
    }
    const all = (kind: Kind) => rounds.map((values) => values[kind]);
    const top = median(all("replayed"));
    const share = (kind: Kind) => median(rounds.map((values) => values[kind] / values.replayed));
    const row = (name: string, kind: Kind) => [name, show(median(all(kind))), `${show(share(kind) * 100)} %`];
    rows.push(
      [`${fsync}: replayed in one pipeline`, show(top), `100 % (${show((top * sent.length) / count)} commands/s)`],
      row(`${fsync}: ours, closed loop, one worker`, "closed"),
      row(`${fsync}: ours, full queue, two workers`, "drained"),
      row(`${fsync}: peer, full queue, two workers`, "peerDrained"),
    );
    figures[`${fsync}.ceiling`] = top;
    figures[`${fsync}.closedShare`] = share("closed");
    figures[`${fsync}.drainedShare`] = share("drained");
    figures[`${fsync}.drained`] = median(all("drained"));
    figures[`${fsync}.peerDrained`] = median(all("peerDrained"));
  }
  await redis.setFsync("everysec");
  return {
    title: "Share of the replay ceiling",
    tables: [{ columns: ["appendfsync", "runs/s", "share of the ceiling"], rows }],
    notes: [
      `The very commands of ${show(count)} of our runs (driver and worker, ${show(sent.length / count, 1)} per run) are sent again over one`,
      "  connection without waiting for replies: what the server alone could do. Blocking pops are replayed as plain ones.",
      "A full queue: all messages are there before the two workers start; runs/s from the first answer to the last.",
      "Driver and workers have to share this machine's cores with the server; the replay needs next to nothing beside it.",
    ],
    figures,
  };
}

type Kind = "replayed" | "closed" | "drained" | "peerDrained";

async function playRound(
  { redis, options }: Bench,
  pipeline: Buffer,
  { count, warmUp }: { readonly count: number; readonly warmUp: number },
): Promise<Record<Kind, number>> {
  await redis.empty();
  // Someone listens in the real load too.
  const listener = await parley.openDriver(redis.socketPath, () => undefined);
  const seconds = await replay(redis.socketPath, pipeline);
  await listener.close();
  const load = { count, warmUp, inFlight: IN_FLIGHT, seed: options.seed };
  const closed = await onStage(parley, redis, { workers: 1 }, (stage) => measureRound(stage, redis, load));
  return {
    replayed: count / seconds,
    closed: count / closed.load.seconds,
    drained: await drain(parley, redis, load),
    peerDrained: await drain(bullmq, redis, load),
  };
}

async function drain(
  engine: Engine,
  redis: Bench["redis"],
  { count, seed }: { readonly count: number; readonly seed: number },
): Promise<number> {
  const { socketPath } = redis;
  return onStage(engine, redis, { workers: 0 }, async (stage) => {
    const { answered } = await fillQueue(stage, { count, message: createMessages(seed, "m") });
    const start = () => startWorker(engine, { socketPath, concurrency: IN_FLIGHT });
    const workers = await Promise.all([start(), start()]);
    try {
      const times = await answered;
      const first = times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
      const last = times.reduce((most, time) => Math.max(most, time), 0);
      return ((count - 1) / (last - first)) * 1000;
    } finally {
      await Promise.all(workers.map((worker) => worker.stop()));
    }
  });
}
