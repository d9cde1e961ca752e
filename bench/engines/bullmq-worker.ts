import { Worker } from "bullmq";
import { Redis } from "ioredis";
import { z } from "zod";
import { deliveryId, parseRunId } from "../../src/kernel/ids.ts";
import { endedLine, stepLine } from "../../src/engine/journal.ts";
import { FINAL_REPLY, FIRST_REPLY, TOOL_RESULT } from "../workload.ts";
import { QUEUE } from "./bullmq.ts";
import { createWorkerSide } from "./worker-side.ts";

// A process of the benchmark: the peer's worker. Per run: the last 50 lines of the history are read, each step is one
// RPUSH of the same line that our engine writes, and the end is one transaction: the last lines, the outbox entry and
// the look whether more is waiting.

const side = createWorkerSide();
const { socketPath, concurrency, tuned } = side.settings;
const redis = new Redis({ path: socketPath, maxRetriesPerRequest: null });
const jobSchema = z.object({ person: z.string(), body: z.string() });

async function run(id: string, person: string, body: string): Promise<object> {
  side.taken();
  const journal = `j:${person}`;
  const runId = parseRunId(`run-${id}`);
  await redis.lrange(journal, -50, -1);
  const opening = `>-${id} ${runId} ${body}`;
  await side.timed(() => redis.rpush(journal, opening, line("ai_call_1", FIRST_REPLY)));
  await side.timed(async () => {
    await side.hold();
    await redis.rpush(journal, line("tool_1_1", TOOL_RESULT));
  });
  const delivery = deliveryId(runId, "ai_call_2");
  await redis
    .multi()
    .rpush(journal, line("ai_call_2", FINAL_REPLY), endedLine(runId, "done", Date.now()))
    .rpush(`out:${person}`, JSON.stringify({ id: delivery, text: FINAL_REPLY.text }))
    .llen(`q:${person}`)
    .exec();
  return { run: runId, end: "done", steps: 3 };
}

function line(step: string, value: unknown): string {
  return stepLine({ step, outcome: { value }, at: Date.now(), ms: 0, tries: 1 });
}

const worker = new Worker(
  QUEUE,
  async (job) => {
    const { person, body } = jobSchema.parse(job.data);
    return run(job.id ?? "", person, body);
  },
  {
    connection: { path: socketPath, maxRetriesPerRequest: null },
    concurrency,
    ...(tuned === undefined ? {} : { lockDuration: tuned.lockMs, stalledInterval: tuned.stalledMs }),
  },
);
// Losing a job to another worker is what the recovery section provokes; it is not this process' failure.
worker.on("error", () => undefined);
await worker.waitUntilReady();
side.serve(async () => {
  await worker.close();
  redis.disconnect();
});
