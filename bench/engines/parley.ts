import { laneId, type MessageId } from "../../src/kernel/ids.ts";
import { silentLog } from "../../src/kernel/ports.ts";
import { connectRedis } from "../../src/store/connection.ts";
import { createLanes } from "../../src/store/lanes.ts";
import { shortId } from "../short-id.ts";
import type { Engine } from "./contract.ts";

/** Where our worker announces which message it answered, in the step that ends the run. */
export const ANSWERS = "bench:answers";

/** Our engine as the program runs it on a single Redis: one partition, default limits. */
export const parley: Engine = {
  name: "parley",
  title: "Parley",
  workerFile: new URL("parley-worker.ts", import.meta.url),
  async openDriver(socketPath, heard) {
    const connect = (purpose: string) => connectRedis({ kind: "socket", path: socketPath }, purpose, silentLog);
    const redis = connect("bench-driver");
    const listener = connect("bench-answers");
    const lanes = createLanes({ redis, partitions: 1, newId: shortId });
    listener.on("message", (_channel: string, id: string) => heard(id));
    await listener.subscribe(ANSWERS);
    return {
      async admit({ id, person, body }) {
        await lanes.admit(laneId("chat", person), { id: id as MessageId, mode: "alone", body });
      },
      async close() {
        listener.disconnect();
        await redis.quit();
      },
    };
  },
};
