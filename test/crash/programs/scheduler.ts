import { randomUUID } from "node:crypto";
import { z } from "zod";
import { createWorker } from "../../../src/engine/worker.ts";
import { silentLog, systemClock } from "../../../src/kernel/ports.ts";
import { createOccurrences } from "../../../src/schedule/occurrences.ts";
import { createSweeper } from "../../../src/schedule/sweeper.ts";
import { connectRedis } from "../../../src/store/connection.ts";
import { createLanes } from "../../../src/store/lanes.ts";
import { createScheduleStore } from "../../../src/store/schedules.ts";

// A process that fires schedules and runs what they put in their conversations, until it is killed.

const { socketPath } = z.object({ socketPath: z.string() }).parse(JSON.parse(process.argv[2] ?? "{}"));
const target = { kind: "socket", path: socketPath, db: 0 } as const;
const newId = () => randomUUID().replaceAll("-", "");
const lanes = createLanes({ redis: connectRedis(target, "main", silentLog), partitions: 2, newId });
const worker = createWorker({
  lanes,
  connect: (purpose) => connectRedis(target, purpose, silentLog),
  roles: {
    chat: {
      concurrency: 64,
      handler: {
        handle: async (run) => {
          await run.step("work", () => Promise.resolve("done"));
          return { kind: "finish", end: "done" };
        },
        giveUp: () => ({ kind: "finish", end: "failed" }),
      },
    },
  },
  clock: systemClock,
  newId,
  log: silentLog,
});
const sweeper = createSweeper({
  store: createScheduleStore({ lanes }),
  occurrences: createOccurrences(),
  newId,
  log: silentLog,
});
await worker.start();
sweeper.start();
process.stdout.write("ready\n");
