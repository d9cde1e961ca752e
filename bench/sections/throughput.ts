import { bullmq } from "../engines/bullmq.ts";
import type { Engine } from "../engines/contract.ts";
import { parley } from "../engines/parley.ts";
import type { Fsync } from "../private-redis.ts";
import { measureRound, onStage, type Round } from "../round.ts";
import type { Bench, Section } from "../section.ts";
import { median, medianRatio, quantile } from "../statistics.ts";
import { show } from "../table.ts";
import { IN_FLIGHT } from "../workload.ts";

const SETTINGS: readonly { readonly fsync: Fsync; readonly workers: number }[] = [
  { fsync: "everysec", workers: 1 },
  { fsync: "always", workers: 1 },
  { fsync: "everysec", workers: 2 },
  { fsync: "always", workers: 2 },
];

/** Both engines under the same closed loop, round by round in turn. */
export async function throughput(bench: Bench): Promise<Section> {
  const rows: string[][] = [];
  const figures: Record<string, number> = {};
  for (const { fsync, workers } of SETTINGS) {
    await bench.redis.setFsync(fsync);
    const ours: Figures[] = [];
    const peers: Figures[] = [];
    for (let round = 1; round <= bench.options.rounds; round++) {
      bench.say(`throughput, ${fsync}, ${workers} worker(s), round ${round}`);
      ours.push(await play(bench, parley, workers));
      peers.push(await play(bench, bullmq, workers));
    }
    const ratios = ours.map(({ perSecond }, index) => perSecond / (peers[index]?.perSecond ?? Number.NaN));
    const name = `${fsync}, ${workers} worker${workers === 1 ? "" : "s"}`;
    rows.push([
      name,
      parley.title,
      ...describe(ours),
      show(median(ratios), 2),
      ratios.map((r) => show(r, 2)).join(" "),
    ]);
    rows.push(["", bullmq.title, ...describe(peers), "1.00", ""]);
    Object.assign(figures, named(`${fsync}.${workers}.parley`, ours), named(`${fsync}.${workers}.bullmq`, peers));
    figures[`${fsync}.${workers}.ratio`] = medianRatio(
      ours.map(({ perSecond }) => perSecond),
      peers.map(({ perSecond }) => perSecond),
    );
  }
  await bench.redis.setFsync("everysec");
  return {
    title: `Runs: two model steps and one tool step, 200 people, ${IN_FLIGHT} in flight, closed loop`,
    tables: [
      {
        columns: ["appendfsync, workers", "engine", ...FIGURES.map(({ title }) => title), "x peer", "by round"],
        rows,
      },
    ],
    notes: [
      "Medians over the rounds; CPU, bytes and counts are per run. p50 and p99: from handing a message over to hearing its answer.",
      "Redis CPU: user and system time of the whole server. Worker CPU: of the worker process or processes, not of the driver.",
      "executed: commands the server executed, those inside scripts included. reads: times the server read from a socket, so",
      "  commands that were written together count once. Commands as clients send them are in the next section.",
      "AOF bytes: how much the append-only file grew; both engines store the same contents, about 1.9 kB of them per run.",
      "x peer: the median of the ratios of pairs that ran one after the other, which a noisy machine moves least.",
    ],
    figures,
  };
}

type Figures = Readonly<Record<(typeof FIGURES)[number]["name"], number>>;

const FIGURES = [
  { name: "perSecond", title: "runs/s", digits: 0, of: ({ count, load }: Round) => count / load.seconds },
  { name: "p50Ms", title: "p50 ms", digits: 1, of: ({ load }: Round) => quantile(load.latenciesMs, 0.5) },
  { name: "p99Ms", title: "p99 ms", digits: 1, of: ({ load }: Round) => quantile(load.latenciesMs, 0.99) },
  { name: "redisCpuUs", title: "Redis CPU us", digits: 0, of: ({ redis, count }: Round) => redis.cpuUs / count },
  {
    name: "workerCpuUs",
    title: "worker CPU us",
    digits: 0,
    of: ({ workerCpuUs, count }: Round) => workerCpuUs / count,
  },
  { name: "aofBytes", title: "AOF bytes", digits: 0, of: ({ redis, count }: Round) => redis.aofBytes / count },
  { name: "executed", title: "executed", digits: 1, of: ({ redis, count }: Round) => redis.executed / count },
  { name: "reads", title: "reads", digits: 1, of: ({ redis, count }: Round) => redis.reads / count },
] as const;

async function play({ redis, options }: Bench, engine: Engine, workers: number): Promise<Figures> {
  const small = options.size === "quick";
  const load = {
    count: small ? 2_000 : 10_000,
    warmUp: small ? 1_000 : 2_000,
    inFlight: IN_FLIGHT,
    seed: options.seed,
  };
  const round = await onStage(engine, redis, { workers }, (stage) => measureRound(stage, redis, load));
  return Object.fromEntries(FIGURES.map(({ name, of }) => [name, of(round)])) as Figures;
}

const over = (rounds: readonly Figures[], name: keyof Figures) => median(rounds.map((round) => round[name]));

function describe(rounds: readonly Figures[]): string[] {
  return FIGURES.map(({ name, digits }) => show(over(rounds, name), digits));
}

function named(prefix: string, rounds: readonly Figures[]): Record<string, number> {
  return Object.fromEntries(FIGURES.map(({ name }) => [`${prefix}.${name}`, over(rounds, name)]));
}
