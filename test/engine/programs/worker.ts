import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { z } from "zod";
import type { Run } from "../../../src/engine/run.ts";
import { StepFailed } from "../../../src/engine/errors.ts";
import { createWorker } from "../../../src/engine/worker.ts";
import { deliveryId, laneId, type LaneId, type MessageId } from "../../../src/kernel/ids.ts";
import { silentLog, systemClock } from "../../../src/kernel/ports.ts";
import { connectRedis } from "../../../src/store/connection.ts";
import type { Effects } from "../../../src/store/effects.ts";
import { createLanes } from "../../../src/store/lanes.ts";

// A worker in a process of its own that can be killed, stopped and continued. It says on its standard output what it is
// doing, one word and what it is about per line, and does its one effect on the world by appending to a file.

const settings = z
  .object({
    socketPath: z.string(),
    db: z.number().default(0),
    leaseMs: z.number().default(10_000),
    /** Where effects are written that must happen at most once. */
    effects: z.string(),
    /** The point of a run at which the process kills itself. */
    dieAt: z.string().default(""),
  })
  .parse(JSON.parse(process.argv[2] ?? "{}"));

const target = { kind: "socket", path: settings.socketPath, db: settings.db } as const;
const lanes = createLanes({
  redis: connectRedis(target, "worker", silentLog),
  partitions: 1,
  newId: randomUUID,
  limits: { leaseMs: settings.leaseMs },
});
const go = Promise.withResolvers<void>();
createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "go") go.resolve();
});

const worker = createWorker({
  lanes,
  connect: (purpose) => connectRedis(target, purpose, silentLog),
  roles: { chat: { concurrency: 8, handler: { handle, giveUp } } },
  clock: systemClock,
  newId: randomUUID,
  log: silentLog,
  events: { ended: (claim, { kind }) => tell(kind, claim.runId) },
});
process.on("SIGTERM", () => {
  void worker.drain(0).then(() => process.exit(0));
});
await worker.start();
tell("ready", worker.id());

async function handle(run: Run) {
  tell("handling", run.id);
  const text = String(run.messages()[0]);
  await run.step("think", async () => point("in think"));
  point("after think");
  if (text.startsWith("hang")) await run.step("hang", hang);
  let paid: string;
  try {
    paid = await run.step("pay", async () => pay(run), { effect: "once" });
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    paid = error.code;
  }
  point("after pay");
  await run.step("tell", async () => "progress", { effects: (word) => say(run, "tell", `${word} on ${text}`) });
  point("after tell");
  await Promise.all(["left", "right"].map((side) => run.step(side, async () => point(`in ${side}`))));
  point("before the end");
  return { kind: "finish", end: "done", effects: say(run, "end", `answer to ${text}, ${paid}`) } as const;
}

function giveUp(run: Run, reason: string) {
  return { kind: "finish", end: "failed", effects: say(run, "end", `gave up: ${reason}`) } as const;
}

/** Hangs until it is told to go on, and takes no notice of anything else. */
async function hang(): Promise<void> {
  tell("hanging", "");
  await go.promise;
}

function pay(run: Run): string {
  point("before paying");
  appendFileSync(settings.effects, `${run.id}\n`);
  point("after paying");
  return "paid";
}

function say(run: Run, step: string, text: string): Effects {
  const id = deliveryId(run.id, step) as string as MessageId;
  return { put: [{ lane: outbox(run.lane), mail: { id, mode: "alone", body: JSON.stringify(text) } }] };
}

function outbox(lane: LaneId): LaneId {
  return laneId("out", lane.slice(lane.indexOf("/") + 1));
}

function point(name: string): void {
  if (name === settings.dieAt) process.kill(process.pid, "SIGKILL");
}

function tell(word: string, about: string): void {
  process.stdout.write(`${word} ${about}\n`);
}
