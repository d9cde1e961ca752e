import { laneId, type MessageId } from "../../src/kernel/ids.ts";
import { silentLog } from "../../src/kernel/ports.ts";
import { connectRedis } from "../../src/store/connection.ts";
import { createLanes } from "../../src/store/lanes.ts";
import type { Engine } from "./contract.ts";
import { shortId } from "../short-id.ts";

/** Our engine as the program runs it on a single Redis: one partition, default limits. */
export const parley: Engine = {
  name: "parley",
  title: "Parley",
  workerFile: new URL("parley-worker.ts", import.meta.url),
  async openDriver(socketPath) {
    const redis = connectRedis({ kind: "socket", path: socketPath }, "bench-driver", silentLog);
    const lanes = createLanes({ redis, partitions: 1, newId: shortId });
    await redis.ping();
    return {
      async admit({ id, person, body }) {
        await lanes.admit(laneId("chat", person), { id: id as MessageId, mode: "alone", body });
      },
      async close() {
        await redis.quit();
      },
    };
  },
};
