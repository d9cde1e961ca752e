import { bullmq } from "../engines/bullmq.ts";
import type { Engine, WorkerSettings } from "../engines/contract.ts";
import { parley } from "../engines/parley.ts";
import { fillQueue, within } from "../load.ts";
import { onStage } from "../round.ts";
import type { Bench, Section } from "../section.ts";
import { median } from "../statistics.ts";
import { show } from "../table.ts";
import { startWorker } from "../worker-process.ts";
import { createMessages } from "../workload.ts";

const RUNS = 100;
const STEP_MS = 600;
/** Long enough that no run ends before the kill. */
const UNTIL_KILLED_MS = 60_000;
const BOUND_MS = 70_000;
const TUNED = { lockMs: 5_000, stalledMs: 1_000 };

interface Recovery {
  readonly takenMs: number;
  readonly doneMs: number;
}

/** Kills the process that holds 100 runs and waits for a second one to bring them to their end. */
export async function recovery(bench: Bench): Promise<Section> {
  const small = bench.options.size === "quick";
  const ours: Recovery[] = [];
  const tuned: Recovery[] = [];
  for (let round = 1; round <= (small ? 2 : 3); round++) {
    bench.say(`recovery, ${parley.title}, round ${round}`);
    ours.push(await play(bench, parley, {}));
    if (small && round > 1) continue;
    bench.say(`recovery, ${bullmq.title} tuned, round ${round}`);
    tuned.push(await play(bench, bullmq, { tuned: TUNED }));
  }
  const byDefault: Recovery[] = [];
  if (!small) {
    bench.say(`recovery, ${bullmq.title} by default`);
    byDefault.push(await play(bench, bullmq, {}));
  }
  const over = (rounds: readonly Recovery[], name: keyof Recovery) => median(rounds.map((round) => round[name]));
  const row = (name: string, rounds: readonly Recovery[]) => [
    name,
    show(over(rounds, "takenMs")),
    show(over(rounds, "doneMs")),
    String(rounds.length),
  ];
  return {
    title: `Recovery: ${RUNS} runs in a step of ${STEP_MS} ms, kill -9 of their process, a second one is there`,
    tables: [
      {
        columns: ["engine", "all taken over after ms", "all answered after ms", "trials"],
        rows: [
          row(parley.title, ours),
          row(`${bullmq.title}, lock ${TUNED.lockMs / 1000} s, stalled check ${TUNED.stalledMs / 1000} s`, tuned),
          small
            ? [`${bullmq.title}, default`, "skipped by --quick", "", "0"]
            : row(`${bullmq.title}, default`, byDefault),
        ],
      },
    ],
    notes: [
      `Taken over: the other process has begun all ${RUNS} runs again. Answered: ${STEP_MS} ms of it is the step done again.`,
      "A trial that is not over after 70 s counts with what it had reached then.",
    ],
    figures: {
      "recovery.parley.takenMs": over(ours, "takenMs"),
      "recovery.parley.doneMs": over(ours, "doneMs"),
      "recovery.bullmqTuned.takenMs": over(tuned, "takenMs"),
      "recovery.bullmqTuned.doneMs": over(tuned, "doneMs"),
      ...(small ? {} : { "recovery.bullmqDefault.takenMs": over(byDefault, "takenMs") }),
      ...(small ? {} : { "recovery.bullmqDefault.doneMs": over(byDefault, "doneMs") }),
    },
  };
}

async function play({ redis, options }: Bench, engine: Engine, more: Partial<WorkerSettings>): Promise<Recovery> {
  const { socketPath } = redis;
  const settings = { socketPath, concurrency: RUNS, tellEvents: true, ...more };
  return onStage(engine, redis, { workers: 0 }, async (stage) => {
    const doomed = await startWorker(engine, { ...settings, holdMs: UNTIL_KILLED_MS });
    let heir: Awaited<ReturnType<typeof startWorker>> | undefined;
    try {
      const { answered } = await fillQueue(stage, { count: RUNS, message: createMessages(options.seed, "m") });
      // Whoever waits below sees it fail; until then nobody does.
      answered.catch(() => undefined);
      await within(20_000, `${RUNS} runs in their step`, doomed.said("holding", RUNS));
      heir = await startWorker(engine, { ...settings, holdMs: STEP_MS });
      const killedAt = performance.now();
      await doomed.kill();
      const since = () => performance.now() - killedAt;
      const atMost = (promise: Promise<unknown>) =>
        within(BOUND_MS - since(), "recovery", promise).then(since, () => BOUND_MS);
      const [takenMs, doneMs] = await Promise.all([atMost(heir.said("taken", RUNS)), atMost(answered)]);
      return { takenMs, doneMs };
    } finally {
      await doomed.kill();
      await heir?.stop();
    }
  });
}
