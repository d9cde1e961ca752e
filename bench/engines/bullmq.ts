import { Queue, QueueEvents } from "bullmq";
import { RECORD_MS } from "../workload.ts";
import type { Engine } from "./contract.ts";

/** The queue both sides of the peer use. */
export const QUEUE = "chat";

/**
 * The peer: BullMQ, one job per run, with the same journal beside it; the driver, the number of processes, Redis and the
 * contents are the same as ours. What our engine promises of a message, it promises too, by BullMQ's own means:
 * - A redelivered message is recognised for 48 hours: the job has the message's id and is kept as long, and its return
 *   value is the record of what became of the message.
 * - An answer counts when its run is complete: the driver hears of it from `QueueEvents`. (Announced by the worker before
 *   the job is complete it would be a third cheaper, and wrong after a crash in between. Announced by the worker
 *   afterwards it costs the same.)
 * - What is said at the end is stored in one step: the last lines, the outbox entry and the look for more are one MULTI.
 *
 * It is spared what it would need besides: keeping the order of two messages of one person, and fencing a worker that
 * lost its lock. The opening line is appended together with the first step.
 */
export const bullmq: Engine = {
  name: "bullmq",
  title: "BullMQ",
  workerFile: new URL("bullmq-worker.ts", import.meta.url),
  async openDriver(socketPath, heard) {
    const connection = { path: socketPath, maxRetriesPerRequest: null };
    const queue = new Queue(QUEUE, { connection });
    const events = new QueueEvents(QUEUE, { connection });
    events.on("completed", ({ jobId }) => heard(jobId));
    await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
    const keep = { age: RECORD_MS / 1000 };
    return {
      async admit({ id, person, body }) {
        await queue.add("run", { person, body }, { jobId: id, removeOnComplete: keep, removeOnFail: keep });
      },
      async close() {
        await events.close();
        await queue.close();
      },
    };
  },
};
