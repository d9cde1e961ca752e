import { createHash } from "node:crypto";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, expect, test } from "vitest";
import { endedLine, parseLines, wokenLine } from "../../src/engine/journal.ts";
import type { Ending, Run } from "../../src/engine/run.ts";
import type { LaneId, MessageId } from "../../src/kernel/ids.ts";
import { silentLog } from "../../src/kernel/ports.ts";
import { connectRedis } from "../../src/store/connection.ts";
import type { Effects } from "../../src/store/effects.ts";
import { recordKey } from "../../src/store/keys.ts";
import { createLanes, type Lanes } from "../../src/store/lanes.ts";
import * as transitions from "../../src/store/transitions.ts";
import { startRedisProxy, type Command, type RedisProxy } from "../setup/redis-proxy.ts";
import { privateRedis } from "../setup/redis.ts";
import { checkJournal } from "./check-journal.ts";
import { explainKeys } from "./explain-keys.ts";
import { CHAT, mail, OUT } from "./lane-lab.ts";
import { event, handler, hang, hire, say, type Hand } from "./worker-lab.ts";

// A conversation that uses everything: it is held again and again, and each time the connection breaks after another
// command has reached Redis and before its reply has come back. The client sends that command again.

const server = await privateRedis({ until: afterAll });
const direct = new Redis({ path: server.socketPath });
afterAll(() => direct.disconnect());

/** What people saw, in order, whatever was cut. */
const SEEN = ["progress", "asked", "answer to m1,m2", "answer to m3!", "stopped m5", "answer to m6"];

const SCRIPTS = Object.entries(transitions).map(([name, { lua }]) => ({
  name: name.replace("Script", ""),
  lua,
  sha: createHash("sha1").update(lua).digest("hex"),
}));

/** What the conversation must use, so that it is cut. */
const KINDS = [
  "admit",
  "claim",
  "rpushx",
  "commit",
  "park",
  "wake",
  "absorb",
  "finish",
  "cancel",
  "changeWaiting",
  "lrange",
];

/** A command, or the transition it runs. */
function verbOf([verb = "", first = ""]: Command): string {
  if (verb !== "evalsha" && verb !== "eval") return verb;
  return SCRIPTS.find(({ sha, lua }) => sha === first || lua === first)?.name ?? first;
}

/** The same; undefined for those that come by the clock and not because of the conversation. */
function nameOf(command: Command): string | undefined {
  const verb = verbOf(command);
  return ["blpop", "pubsub", "beat", "reap"].includes(verb) ? undefined : verb;
}

test.each([
  { given: "a Redis that knows the scripts", prepare: async () => {} },
  { given: "a Redis that has forgotten the scripts", prepare: () => direct.script("FLUSH") },
])(
  "on $given, a lost reply, whichever one, loses nothing, doubles nothing and leaves nothing stuck",
  { timeout: 120_000 },
  async ({ prepare }) => {
    const proxy = await startRedisProxy(server.socketPath);
    const occurrences = new Map<string, number>();
    proxy.cutWhen = (command) => {
      const name = nameOf(command);
      if (name !== undefined) occurrences.set(name, (occurrences.get(name) ?? 0) + 1);
      return false;
    };
    await prepare();
    await holdConversation(proxy);
    expect([...occurrences.keys()]).toEqual(expect.arrayContaining(KINDS));

    for (const [name, times] of occurrences)
      for (let nth = 1; nth <= times; nth++) {
        let count = 0;
        proxy.cutWhen = (command) => nameOf(command) === name && ++count === nth;
        await prepare();
        await holdConversation(proxy).catch((error: unknown) => {
          throw new Error(`after the reply to ${name} number ${nth} of ${times} was lost`, { cause: error });
        });
        if (nth === 1) expect(count).toBeGreaterThan(0);
      }
  },
);

test("replies that are lost again and again, anywhere, disturb nothing", { timeout: 120_000 }, async () => {
  const proxy = await startRedisProxy(server.socketPath);
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(fc.integer({ min: 1, max: 8 })), async (dice) => {
      proxy.cutWhen = () => dice.next().value === 1;
      await holdConversation(proxy);
    }),
    { numRuns: 8, endOnFailure: true },
  );
});

test.each([
  { verb: "beat", times: 4 },
  { verb: "blpop", times: 4 },
  { verb: "subscribe", times: 4 },
  { verb: "pubsub", times: 1 },
  { verb: "reap", times: 1 },
])("a lost reply to $verb, $times times in a row, disturbs nothing", async ({ verb, times }) => {
  const proxy = await startRedisProxy(server.socketPath);
  const enough = event();
  let cuts = 0;
  proxy.cutWhen = (command) => {
    if (cuts === times || verbOf(command) !== verb) return false;
    if (++cuts === times) enough.resolve();
    return true;
  };
  await holdConversation(proxy, enough.promise);
});

/**
 * Messages come, are answered, asked about, steered, edited, withdrawn and stopped; when `until` has come as well, the
 * worker is drained and everything is checked.
 */
async function holdConversation(proxy: RedisProxy, until: Promise<void> = Promise.resolve()): Promise<void> {
  await direct.flushdb();
  const target = { kind: "socket", path: proxy.socketPath } as const;
  const client = connectRedis(target, "client", silentLog);
  const lanes = clientLanes(client, "c");
  const inspector = clientLanes(direct, "i");
  const seen: string[] = [];
  const paid: string[] = [];
  const hanging = event();
  const hand = await hire({
    target,
    // A bell whose ring was lost on the way is what the look without one is for.
    more: { bellS: 1 },
    handle: {
      chat: { concurrency: 4, handler: handler((run) => converse(run, paid, hanging.resolve)) },
      out: {
        concurrency: 4,
        handler: handler(async (run) => {
          const message = run.messages()[0] as { text: string };
          await run.step("send", async () => seen.push(message.text));
          return { kind: "finish", end: "done", journal: "drop" };
        }),
      },
    },
  });
  // A worker that is gone, so that there is one to take over from.
  await inspector.beat(0, "gone", true);
  await direct.zadd("{p0}workers", Date.now() + inspector.limits.leaseMs - 300, "gone");

  const accepted = [await lanes.admit(CHAT, mail("m1"))];
  // A park whose reply was lost looks like a lost run to the worker; the run waits all the same.
  await hand.until(() => hand.ended.some(({ claim }) => claim.lane === CHAT));
  accepted.push(await lanes.admit(CHAT, mail("m2", "steer")));
  for (const id of ["m3", "m4"]) accepted.push(await lanes.admit(CHAT, mail(id)));
  expect(accepted.map(({ status }) => status)).toEqual(["started", "queued", "queued", "queued"]);
  expect(await lanes.edit(CHAT, { ...mail("m3"), body: '"m3!"' })).toBe("changed");
  expect(await lanes.withdraw(CHAT, mail("m4").id)).toBe("withdrawn");
  expect(await lanes.wake(CHAT, "go", wokenLine("go", "yes", 1))).toBe(true);
  expect((await lanes.admit(CHAT, mail("m1"))).status).toBe("duplicate");
  await untilEnds(hand, 2);
  await lanes.admit(CHAT, mail("m5"));
  await hanging.promise;
  await stop(lanes);
  await lanes.admit(CHAT, mail("m6"));
  await untilEnds(hand, 3);
  await hand.until(() => hand.ended.filter(({ claim }) => claim.lane === OUT).length === SEEN.length);

  await until;
  const name = hand.worker.id();
  await hand.worker.drain(0);
  expect(seen).toEqual(SEEN);
  expect(paid).toHaveLength(1);
  // Nobody was declared dead on the way: all of it is one worker's work under one name.
  expect(new Set(hand.started.map(({ token }) => token.slice(0, token.indexOf("."))))).toEqual(new Set([name]));
  await checkWhatIsLeft(inspector);
  client.disconnect();
}

function clientLanes(redis: ReturnType<typeof connectRedis>, name: string): Lanes {
  let ids = 0;
  return createLanes({ redis, partitions: 1, newId: () => `${name}${++ids}` });
}

/** A handler that speaks, pays, asks, waits, absorbs and hangs, depending on the message. */
async function converse(run: Run, paid: string[], onHang: () => void): Promise<Ending> {
  const [first] = run.messages();
  if (first === "m5") {
    await run.step("hang", ({ signal }) => {
      onHang();
      return hang(signal);
    });
  }
  if (first === "m1") {
    await run.step("think", async () => "about it");
    await run.step("pay", async () => paid.push(run.id), { effect: "once" });
    await run.step("tell", async () => "progress", { effects: (text) => say(run, "tell", text) });
    await Promise.all(["left", "right"].map((side) => run.step(side, async () => side)));
    if (!run.entries.some(({ kind }) => kind === "woken"))
      return { kind: "park", key: "go", lines: ['#"asked"'], effects: say(run, "ask", "asked") };
    await run.absorb();
  }
  const text = await run.step("answer", async () => `answer to ${run.messages().join()}`, { last: () => true });
  return { kind: "finish", end: "done", text, effects: settle(run, text) };
}

/** Says how a run ended and notes it beside its messages. */
function settle(run: Run, text: string): Effects {
  return {
    ...say(run, "end", text),
    records: run.messages().map((id) => ({
      key: recordKey(run.lane, String(id).replace("!", "") as MessageId),
      value: `settled by ${run.id}`,
      ttlMs: 60_000,
    })),
  };
}

/** Stops the current run as the program does: reads what it did, and ends it unless it went on meanwhile. */
async function stop(lanes: Lanes): Promise<void> {
  for (;;) {
    const state = await lanes.look(CHAT);
    if (state.kind !== "run") throw new Error(`nothing to stop: the lane is ${state.kind}`);
    const lines = await lanes.readJournal(CHAT, state.token);
    const { runId } = state;
    const outcome = await lanes.cancel({
      lane: CHAT,
      runId,
      linesRead: lines.length,
      line: endedLine(runId, "stopped", 1),
      effects: {
        put: [{ lane: OUT, mail: { ...mail(`${runId}:stop`), body: JSON.stringify({ text: "stopped m5" }) } }],
        records: [{ key: recordKey(CHAT, "m5" as MessageId), value: `settled by ${runId}`, ttlMs: 60_000 }],
      },
    });
    if (outcome === "cancelled") return;
    expect(outcome).toBe("changed");
  }
}

/** Resolves when so many runs of the conversation have been finished. */
function untilEnds(hand: Hand, count: number): Promise<void> {
  return hand.until(
    () => hand.ended.filter(({ kind, claim }) => kind === "finished" && claim.lane === CHAT).length === count,
  );
}

async function checkWhatIsLeft(lanes: Lanes): Promise<void> {
  expect(await explainKeys(direct)).toEqual([]);
  for (const lane of [CHAT, OUT] as LaneId[]) expect((await lanes.look(lane)).kind).toBe("idle");
  const lines = await lanes.readJournal(CHAT);
  expect(checkJournal(lines)).toEqual([]);
  const steps = parseLines(lines).flatMap((entry) => (entry.kind === "step" ? [entry.step] : []));
  expect(steps.toSorted()).toEqual(["answer", "answer", "answer", "left", "pay", "right", "tell", "think"]);
  for (const id of ["m1", "m2", "m3", "m5", "m6"])
    expect(await lanes.record(CHAT, id as MessageId)).toMatch(/^settled by /);
  expect(await lanes.record(CHAT, "m4" as MessageId)).toBe("withdrawn");
}
