import { Queue } from "bullmq";
import type { Engine } from "./contract.ts";

/** The queue both sides of the peer use. */
export const QUEUE = "chat";

/**
 * The peer: BullMQ, one job per run, with the same journal beside it. It is given every saving that keeps the work
 * the same: a job is removed when it is done (no memory of it is kept for recognising a redelivery later), the opening
 * line is appended together with the first step, all that is said and noted at the end goes out in one pipeline without
 * a transaction around it, the answer is announced before the job is marked as done, and no order is kept between two
 * messages of one person. The driver, the number of processes, Redis and the contents are the same as ours.
 */
export const bullmq: Engine = {
  name: "bullmq",
  title: "BullMQ",
  workerFile: new URL("bullmq-worker.ts", import.meta.url),
  async openDriver(socketPath) {
    const queue = new Queue(QUEUE, { connection: { path: socketPath, maxRetriesPerRequest: null } });
    await queue.waitUntilReady();
    return {
      async admit({ id, person, body }) {
        await queue.add("run", { person, body }, { jobId: id, removeOnComplete: true, removeOnFail: true });
      },
      close: () => queue.close(),
    };
  },
};
