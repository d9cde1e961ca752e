import { deliveryId, laneId, laneParts, type MessageId } from "../../src/kernel/ids.ts";
import { silentLog, systemClock } from "../../src/kernel/ports.ts";
import { startCompactor } from "../../src/engine/compactor.ts";
import type { Handler } from "../../src/engine/execute.ts";
import type { Ending, Run } from "../../src/engine/run.ts";
import { createWorker } from "../../src/engine/worker.ts";
import { connectRedis } from "../../src/store/connection.ts";
import { recordKey } from "../../src/store/keys.ts";
import { createLanes } from "../../src/store/lanes.ts";
import { toMail } from "../../src/store/mail.ts";
import { FINAL_REPLY, FIRST_REPLY, RECORD_MS, TOOL_RESULT } from "../workload.ts";
import { ANSWERS } from "./parley.ts";
import { createWorkerSide } from "./worker-side.ts";
import { shortId } from "../short-id.ts";

// A process of the benchmark: our worker with a handler of two model steps and one tool step. Reading the history is
// the engine's own doing, as is looking at the queue; the handler only adds what is said and noted at the end.

const side = createWorkerSide();
const connect = (purpose: string) =>
  connectRedis({ kind: "socket", path: side.settings.socketPath }, `bench-${purpose}`, silentLog);
const redis = connect("main");

const handler: Handler = {
  async handle(run) {
    side.taken();
    await side.timed(() => run.step("ai_call_1", () => Promise.resolve(FIRST_REPLY)));
    await side.timed(() =>
      run.step("tool_1_1", async () => {
        await side.hold();
        return TOOL_RESULT;
      }),
    );
    const reply = await run.step("ai_call_2", () => Promise.resolve(FINAL_REPLY), { last: () => true });
    return answer(run, reply.text);
  },
  giveUp: () => ({ kind: "finish", end: "failed" }),
};

function answer(run: Run, text: string): Ending {
  const { name } = laneParts(run.lane);
  const { id } = run.messages()[0] as { id: MessageId };
  const delivery = deliveryId(run.id, "ai_call_2");
  return {
    kind: "finish",
    end: "done",
    effects: {
      put: [
        {
          lane: laneId("out", name),
          mail: toMail({ id: delivery, text }),
        },
      ],
      records: [
        {
          key: recordKey(run.lane, id),
          value: JSON.stringify({ run: run.id, end: "done", steps: 3 }),
          ttlMs: RECORD_MS,
        },
      ],
      announce: [{ channel: ANSWERS, payload: id }],
    },
  };
}

const lanes = createLanes({ redis, partitions: 1, newId: shortId });
const compactor = startCompactor({ lanes, clock: systemClock, log: silentLog });
const worker = createWorker({
  lanes,
  connect,
  roles: { chat: { handler, concurrency: side.settings.concurrency } },
  clock: systemClock,
  newId: shortId,
  log: silentLog,
});
await worker.start();
side.serve(async () => {
  compactor.stop();
  await worker.drain(1_000);
  redis.disconnect();
});
