import { describe, expect, test } from "vitest";
import { CHAT, laneLab, mail, OTHER, OUT } from "../../test/engine/lane-lab.ts";
import { answer, event, handler, hang, hire } from "../../test/engine/worker-lab.ts";
import { laneId, type LaneId } from "../kernel/ids.ts";
import { createLanes } from "../store/lanes.ts";
import { RunLost, WorkerDraining } from "./errors.ts";
import { wokenLine } from "./journal.ts";
import type { Ending, Run } from "./run.ts";

const lab = await laneLab();
const { lanes, redis } = lab;
const target = { kind: "socket", ...lab.where } as const;

const letTimePass = () => redis.zadd("{p0}delay", 1, CHAT);

async function said(): Promise<string[]> {
  return (await lanes.waiting(OUT)).map(({ body }) => JSON.parse(body).text);
}

const parked = (run: Run) => run.entries.some(({ kind }) => kind === "note");

describe("a run that waits", () => {
  test.each<{
    given: string;
    park: Partial<Extract<Ending, { kind: "park" }>>;
    wake: () => Promise<unknown>;
    saw: string;
  }>([
    { given: "for a time", park: { waitMs: 60_000 }, wake: letTimePass, saw: "m1" },
    { given: "for a short time", park: { waitMs: 20 }, wake: async () => {}, saw: "m1" },
    { given: "for no time", park: { waitMs: 0 }, wake: async () => {}, saw: "m1" },
    {
      given: "for a key",
      park: { key: "approve" },
      wake: () => lanes.wake(CHAT, "approve", wokenLine("approve", "yes", 1)),
      saw: "m1 yes",
    },
    { given: "for mail", park: { mail: true }, wake: () => lanes.admit(CHAT, mail("m2")), saw: "m1 m2" },
  ])("$given is held by nobody and goes on where it was", async ({ park, wake, saw }) => {
    const hand = await hire({
      target,
      async handle(run) {
        await run.step("one", async () => 1);
        if (!parked(run)) return { kind: "park", lines: ["#0"], ...park };
        const woken = run.entries.flatMap((entry) => (entry.kind === "woken" ? [String(entry.value)] : []));
        return answer(run, [...run.messages(), ...woken].join(" "));
      },
    });
    await lanes.admit(CHAT, mail("m1"));
    await hand.untilEnded("parked");
    await wake();
    await hand.untilEnded("finished");
    expect(await said()).toEqual([saw]);
    expect(hand.started.map(({ attempt }) => attempt)).toEqual([1, 1]);
    expect((await lanes.look(CHAT)).kind).toBe("idle");
  });

  test("lets the lane's other messages wait, and they are read in their order afterwards", async () => {
    const hand = await hire({
      target,
      async handle(run) {
        if (run.messages()[0] === "m1" && !parked(run)) return { kind: "park", key: "go", lines: ["#0"] };
        return answer(run, run.messages().join());
      },
    });
    for (const id of ["m1", "m2", "m3"]) await lanes.admit(CHAT, mail(id));
    await hand.untilEnded("parked");
    await lanes.wake(CHAT, "go", wokenLine("go", null, 1));
    await hand.untilEnded("finished", 3);
    expect(await said()).toEqual(["m1", "m2", "m3"]);
  });
});

describe("a handler that throws", () => {
  test("is tried again with growing waits, then given up in plain words", async () => {
    let calls = 0;
    const hand = await hire({
      target,
      async handle() {
        calls++;
        throw new Error("the database is on fire");
      },
    });
    await lanes.admit(CHAT, mail("m1"));
    for (let attempt = 1; attempt <= 3; attempt++) {
      await hand.untilEnded("parked", attempt);
      await letTimePass();
    }
    await hand.untilEnded("finished");
    expect(calls).toBe(4);
    expect(hand.ended.flatMap(({ waitMs }) => waitMs ?? [])).toEqual([100, 200, 400]);
    expect(hand.ended.at(-1)).toMatchObject({ kind: "finished", end: "failed" });
    expect(await said()).toEqual(["gave up: the database is on fire"]);
  });

  test("begins anew with its count after it got further", async () => {
    let calls = 0;
    const hand = await hire({
      target,
      async handle(run) {
        calls++;
        for (let step = 1; step < calls; step++) await run.step(`s${step}`, async () => step);
        if (calls < 7) throw new Error("not yet");
        return answer(run, "at last");
      },
    });
    await lanes.admit(CHAT, mail("m1"));
    for (let attempt = 1; attempt <= 6; attempt++) {
      await hand.untilEnded("parked", attempt);
      await letTimePass();
    }
    await hand.untilEnded("finished");
    expect(await said()).toEqual(["at last"]);
  });
});

test("a run that was taken over again and again without one line is given up", async () => {
  // As the twelfth takeover leaves it: whatever the run does, it does not live to write a line.
  const claim = await lab.begin("m1", "fallen");
  await lanes.reap(0, "fallen", 0);
  await redis.hset("{p0}own", CHAT, `resume|${claim.runId}|13|1|`);
  const hand = await hire({
    target,
    async handle() {
      throw new Error("it is not even tried");
    },
  });
  await hand.untilEnded("finished");
  expect(await said()).toEqual(["gave up: it was taken over 12 times without progress"]);
});

describe("messages for steering", () => {
  test("join the run that is going, at its next step", async () => {
    const going = event();
    const hand = await hire({
      target,
      async handle(run) {
        for (let step = 1; step <= 1_000; step++) {
          await run.step(`s${step}`, async () => step);
          going.resolve();
          if ((await run.absorb()) > 0) return answer(run, run.messages().join());
        }
        return answer(run, "nothing came");
      },
    });
    await lanes.admit(CHAT, mail("m1", "steer"));
    await going.promise;
    await lanes.admit(CHAT, mail("m2", "steer"));
    await hand.untilEnded("finished");
    expect(await said()).toEqual(["m1,m2"]);
  });

  test("that came while the run waited join it when it goes on", async () => {
    const hand = await hire({
      target,
      async handle(run) {
        if (!parked(run)) return { kind: "park", key: "go", lines: ["#0"] };
        await run.absorb();
        return answer(run, run.messages().join());
      },
    });
    await lanes.admit(CHAT, mail("m1", "steer"));
    await hand.untilEnded("parked");
    await lanes.admit(CHAT, mail("m2", "steer"));
    await lanes.wake(CHAT, "go", wokenLine("go", null, 1));
    await hand.untilEnded("finished");
    expect(await said()).toEqual(["m1,m2"]);
  });

  test("that nobody took any more get a run of their own", async () => {
    const going = event();
    const go = event();
    const hand = await hire({
      target,
      async handle(run) {
        going.resolve();
        await go.promise;
        return answer(run, run.messages().join());
      },
    });
    await lanes.admit(CHAT, mail("m1", "steer"));
    await going.promise;
    await lanes.admit(CHAT, mail("m2", "steer"));
    go.resolve();
    await hand.untilEnded("finished", 2);
    expect(await said()).toEqual(["m1", "m2"]);
  });
});

describe("a cancelled run", () => {
  const stop = async (lane: LaneId) => {
    const state = await lanes.look(lane);
    if (state.kind !== "run") throw new Error(`the lane is ${state.kind}`);
    const { length } = await lanes.readJournal(lane, state.token);
    const line = `.{"run":"${state.runId}","end":"stopped","at":1}`;
    return lanes.cancel({ lane, runId: state.runId, linesRead: length, line, effects: {} });
  };

  test("aborts its hanging step within a second, and what follows is read at once", async () => {
    const hanging = event();
    const aborted = event<unknown>();
    const hand = await hire({
      target,
      async handle(run) {
        if (run.messages()[0] === "m2") return answer(run, "second");
        await run.step("hang", ({ signal }) => {
          hanging.resolve();
          signal.addEventListener("abort", () => aborted.resolve(signal.reason));
          return hang(signal);
        });
        return answer(run, "never");
      },
    });
    await lanes.admit(CHAT, mail("m1"));
    await lanes.admit(CHAT, mail("m2"));
    await hanging.promise;
    expect(await stop(CHAT)).toBe("cancelled");
    expect(await aborted.promise).toBeInstanceOf(RunLost);
    await hand.untilEnded("finished");
    expect(await said()).toEqual(["second"]);
  });

  test("stays cancelled when its step takes no notice and completes late", async () => {
    const hanging = event();
    const late = event();
    const hand = await hire({
      target,
      async handle(run) {
        await run.step("deaf", async () => {
          hanging.resolve();
          await late.promise;
          return "late";
        });
        return answer(run, "late");
      },
    });
    await lanes.admit(CHAT, mail("m1"));
    await hanging.promise;
    await stop(CHAT);
    const before = await lanes.readJournal(CHAT);
    late.resolve();
    await hand.untilEnded("lost");
    expect(await lanes.readJournal(CHAT)).toEqual(before);
    expect(before.at(-1)).toContain('"stopped"');
    expect(await said()).toEqual([]);
  });

  test("is found out without any hint", async () => {
    const hanging = event();
    const hand = await hire({
      target,
      more: { reconcileMs: 50 },
      async handle(run) {
        await run.step("hang", ({ signal }) => {
          hanging.resolve();
          return hang(signal);
        });
        return answer(run, "never");
      },
    });
    await lanes.admit(CHAT, mail("m1"));
    await hanging.promise;
    const state = await lanes.look(CHAT);
    if (state.kind !== "run") throw new Error("the run is going");
    // As if it had been cancelled while the worker could not be told.
    await redis.hdel("{p0}own", CHAT);
    await redis.rename(`{p0}j:${state.token}`, "{p0}c:chat/ada");
    await hand.untilEnded("lost");
    expect(hand.worker.active()).toBe(0);
  });
});

describe("a lane's order", () => {
  test("is kept with two workers and many lanes, with one run of a lane at a time", async () => {
    const names = ["a", "b", "c", "d", "e"].map((name) => laneId("chat", name));
    const active = new Set<LaneId>();
    const overlaps: LaneId[] = [];
    const handle = async (run: Run) => {
      if (active.has(run.lane)) overlaps.push(run.lane);
      active.add(run.lane);
      await run.step("one", async () => 1);
      active.delete(run.lane);
      return answer(run, run.messages().join(), laneId("out", run.lane.slice(5)));
    };
    const hands = await Promise.all([
      hire({ target, handle, concurrency: 3 }),
      hire({ target, handle, concurrency: 3 }),
    ]);
    const perLane = 30;
    for (let index = 0; index < perLane; index++)
      await Promise.all(names.map((lane) => lanes.admit(lane, mail(`${index}`))));
    const finished = () => hands.flatMap(({ ended }) => ended).filter(({ kind }) => kind === "finished").length;
    await Promise.race(hands.map((hand) => hand.until(() => finished() === perLane * names.length)));
    expect(overlaps).toEqual([]);
    for (const lane of names) {
      const outbox = await lanes.waiting(laneId("out", lane.slice(5)));
      expect(outbox.map(({ body }) => JSON.parse(body).text)).toEqual(
        Array.from({ length: perLane }, (_, index) => `${index}`),
      );
    }
    expect(hands.every(({ ended }) => ended.length > 0)).toBe(true);
  });

  test("is kept across kinds: what a run said is delivered in the order in which it was said", async () => {
    const delivered: string[] = [];
    const all = event();
    const hand = await hire({
      target,
      handle: {
        chat: {
          concurrency: 4,
          handler: handler(async (run) => {
            for (const number of [1, 2, 3])
              await run.step(`s${number}`, async () => number, {
                effects: () => answerEffects(run, `s${number}`),
              });
            return answer(run, "end");
          }),
        },
        out: {
          concurrency: 4,
          handler: handler(async (run) => {
            delivered.push(JSON.parse(JSON.stringify(run.messages()[0])).text);
            if (delivered.length === 4) all.resolve();
            return { kind: "finish", end: "done", journal: "drop" };
          }),
        },
      },
    });
    await lanes.admit(CHAT, mail("m1"));
    await all.promise;
    await hand.untilEnded("finished", 5);
    expect(delivered).toEqual(["s1", "s2", "s3", "end"]);
  });
});

function answerEffects(run: Run, step: string) {
  return { put: [{ lane: OUT, mail: { ...mail(`${run.id}:${step}`), body: JSON.stringify({ text: step }) } }] };
}

test("a worker that is full leaves the rest to the others, and takes it up when it has room", async () => {
  const started: string[] = [];
  const go = event();
  const hand = await hire({
    target,
    concurrency: 2,
    async handle(run) {
      started.push(run.lane);
      await go.promise;
      return answer(run, run.lane);
    },
  });
  for (const name of ["a", "b", "c"]) await lanes.admit(laneId("chat", name), mail("m"));
  await hand.until(() => hand.started.length === 2);
  expect(hand.worker.active()).toBe(2);
  go.resolve();
  await hand.untilEnded("finished", 3);
  expect(started).toEqual(["chat/a", "chat/b", "chat/c"]);
});

describe("work for several workers is begun by all of them at once", () => {
  /** Three workers with room for two runs each, which all hang until the end. */
  async function crew() {
    const go = event();
    const handle = async (run: Run) => {
      await go.promise;
      return answer(run, run.lane);
    };
    const hands = await Promise.all([1, 2, 3].map(() => hire({ target, handle, concurrency: 2 })));
    const started = () => hands.flatMap((hand) => hand.started).length;
    return { go, hands, allStarted: () => Promise.race(hands.map((hand) => hand.until(() => started() === 6))) };
  }

  test("when many lanes become ready together", async () => {
    const { go, hands, allStarted } = await crew();
    await Promise.all(Array.from({ length: 6 }, (_, index) => lanes.admit(laneId("chat", `c${index}`), mail("m"))));
    await allStarted();
    expect(hands.map(({ worker }) => worker.active())).toEqual([2, 2, 2]);
    go.resolve();
  });

  test("when a worker dies that held much", async () => {
    await lab.register("dies");
    for (let index = 0; index < 6; index++) await lanes.admit(laneId("chat", `c${index}`), mail("m"));
    expect(await lab.take("dies")).toHaveLength(6);
    const { go, allStarted } = await crew();
    await redis.zadd("{p0}workers", 1, "dies");
    await allStarted();
    go.resolve();
  });

  test("when many runs wake at the same time", async () => {
    await lab.register("first");
    for (let index = 0; index < 6; index++) await lanes.admit(laneId("chat", `c${index}`), mail("m"));
    for (const { lane, token } of await lab.take("first"))
      await lanes.park({ lane, token, waitMs: 300, mail: false, failed: false, lines: [] });
    await lanes.reap(0, "first", 0);
    const { go, allStarted } = await crew();
    await allStarted();
    go.resolve();
  });
});

test("a kind without room does not keep a ready lane waiting for longer than its runs", async () => {
  const go = event();
  const hand = await hire({
    target,
    partitions: 2,
    handle: {
      chat: {
        concurrency: 1,
        handler: handler(async (run) => {
          if (run.messages()[0] === "m1") await go.promise;
          return { kind: "finish", end: "silent" };
        }),
      },
      out: { concurrency: 1, handler: handler(async () => ({ kind: "finish", end: "silent" })) },
    },
  });
  const spread = laneLabOf(2);
  const [here, there] = spread.onePerPartition;
  await spread.lanes.admit(here, mail("m1"));
  await hand.until(() => hand.started.length === 1);
  await spread.lanes.admit(there, mail("m2"));
  go.resolve();
  await hand.untilEnded("finished", 2);
});

test("a worker that is woken and has become full meanwhile wakes another one", async () => {
  const go = event();
  const handle = async (run: Run) => {
    await go.promise;
    return answer(run, run.lane);
  };
  await lanes.admit(CHAT, mail("m1"));
  await redis.del("{p0}bell:chat");
  // It takes the lane as it starts, and has begun to wait at the bell by then.
  const full = await hire({ target, handle, concurrency: 1 });
  await full.until(() => full.started.length === 1);
  const other = await hire({ target, handle, concurrency: 1 });
  await lanes.admit(OTHER, mail("m2"));
  await other.until(() => other.started.length === 1);
  go.resolve();
});

/** Lanes over several partitions of the same database. */
function laneLabOf(partitions: number) {
  const spread = createLanes({ redis, partitions, newId: () => `${Math.random()}` });
  const candidates = [CHAT, OTHER, ...Array.from({ length: 20 }, (_, index) => laneId("chat", `c${index}`))];
  const inPartition = (partition: number) => candidates.find((lane) => spread.partitionOf(lane) === partition) ?? CHAT;
  return {
    lanes: spread,
    onePerPartition: [inPartition(0), inPartition(1)] as const,
  };
}

test("a draining worker's reason is told to its steps", async () => {
  const hanging = event();
  const reason = event<unknown>();
  const hand = await hire({
    target,
    async handle(run) {
      await run.step("hang", async ({ signal }) => {
        hanging.resolve();
        signal.addEventListener("abort", () => reason.resolve(signal.reason));
        return hang(signal);
      });
      return answer(run, "never");
    },
  });
  await lanes.admit(CHAT, mail("m1"));
  await hanging.promise;
  await hand.worker.drain(0);
  expect(await reason.promise).toBeInstanceOf(WorkerDraining);
});
