import { createHash } from "node:crypto";
import { Redis } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { CHAT, laneLab, mail, OUT } from "../../test/engine/lane-lab.ts";
import { answer, event, hang, hire, prepare } from "../../test/engine/worker-lab.ts";
import { startRedisProxy } from "../../test/setup/redis-proxy.ts";
import { privateRedis } from "../../test/setup/redis.ts";
import { laneId } from "../kernel/ids.ts";
import { createLanes } from "../store/lanes.ts";
import { claimScript } from "../store/transitions.ts";
import type { Run } from "./run.ts";

const lab = await laneLab();
const { lanes, redis } = lab;
const target = { kind: "socket", ...lab.where } as const;

async function said(): Promise<string[]> {
  return (await lanes.waiting(OUT)).map(({ body }) => JSON.parse(body).text);
}

describe("a worker that stops", () => {
  test("hands over what it has begun, and another goes on without doing it again", async () => {
    const hanging = event();
    const done: string[] = [];
    const handle = async (run: Run) => {
      await run.step("one", async () => done.push("one"));
      await run.step("two", async ({ signal }) => {
        done.push("two");
        if (done.filter((step) => step === "two").length > 1) return;
        hanging.resolve();
        await hang(signal);
      });
      return answer(run, run.messages().join());
    };
    const first = await hire({ target, handle });
    await lanes.admit(CHAT, mail("m1"));
    await hanging.promise;
    const second = await hire({ target, handle });
    await first.worker.drain(0);
    expect(first.worker.active()).toBe(0);
    expect(first.ended).toMatchObject([{ kind: "parked", waitMs: 0 }]);
    await second.untilEnded("finished");
    expect(second.started).toMatchObject([{ resumed: true, attempt: 1 }]);
    expect(done).toEqual(["one", "two", "two"]);
    expect(await said()).toEqual(["m1"]);
  });

  test("lets its runs end when they do so in time, and takes nothing more", async () => {
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
    for (const id of ["m1", "m2"]) await lanes.admit(CHAT, mail(id));
    await going.promise;
    const drained = hand.worker.drain(10_000);
    go.resolve();
    await drained;
    expect(hand.ended).toMatchObject([{ kind: "finished" }]);
    expect(await said()).toEqual(["m1"]);
    expect((await lanes.look(CHAT)).kind).toBe("ready");
    expect(await redis.zcard("{p0}workers")).toBe(0);
  });

  test("hands back what it is given while it stops, without beginning it", async () => {
    const proxy = await startRedisProxy(lab.where.path);
    const sha = claimSha();
    const hand = await hire({
      target: { ...target, path: proxy.socketPath },
      handle: async (run) => answer(run, "must not be begun"),
    });
    const drained = event();
    proxy.cutWhen = ([name, first]) => {
      if (name !== "evalsha" || first !== sha) return false;
      proxy.cutWhen = () => false;
      // Redis has given the lane to it, and the answer comes only after it was told to stop.
      drained.resolve(hand.worker.drain(10_000));
      return true;
    };
    await lanes.admit(CHAT, mail("m1"));
    await drained.promise;
    expect(hand.started).toEqual([]);
    expect(await lanes.look(CHAT)).toMatchObject({ kind: "resume" });
  });

  test("in the middle of claiming begins nothing, and leaves nothing behind", async () => {
    for (let round = 0; round < 10; round++) {
      await redis.flushdb();
      const names = Array.from({ length: 20 }, (_, index) => laneId("chat", `c${index}`));
      for (const lane of names) await lanes.admit(lane, mail("m"));
      const leaving = prepare({ target, handle: async (run) => answer(run, "left") });
      // Stopped in the middle of its start, it may say that it could not start.
      leaving.start().catch(() => undefined);
      if (round > 0) await leaving.hand.until(() => leaving.hand.started.length >= round);
      await leaving.hand.worker.drain(0);
      const begun = leaving.hand.started.length;
      expect(leaving.hand.worker.active()).toBe(0);
      const staying = await hire({ target, handle: async (run) => answer(run, "stayed") });
      const finished = leaving.hand.ended.filter(({ kind }) => kind === "finished").length;
      await staying.untilEnded("finished", names.length - finished);
      expect(leaving.hand.started.length).toBe(begun);
      expect(await said()).toHaveLength(names.length);
      await staying.worker.drain(0);
    }
  });
});

test("a worker stops although Redis is away, and what it held is taken up when Redis is back", async () => {
  const server = await privateRedis({ args: ["--save", "", "--appendonly", "yes"] });
  const where = { kind: "socket", path: server.socketPath } as const;
  const client = new Redis({ path: server.socketPath, maxRetriesPerRequest: null });
  client.on("error", () => undefined);
  onTestFinished(() => client.disconnect());
  const here = createLanes({ redis: client, partitions: 1, newId: () => "n" });
  const begun = event();
  const handle = async (run: Run) => {
    begun.resolve();
    await run.step("one", ({ attempt, signal }) => (run.attempt + attempt > 2 ? Promise.resolve() : hang(signal)));
    return answer(run, run.messages().join());
  };
  const leaving = await hire({ target: where, handle });
  await here.admit(CHAT, mail("m1"));
  await begun.promise;
  await server.kill();
  const began = performance.now();
  await leaving.worker.drain(0);
  expect(performance.now() - began).toBeLessThan(9_000);
  leaving.disconnect();
  await server.restart();
  const staying = await hire({ target: where, handle });
  await staying.untilEnded("finished");
  expect((await here.waiting(OUT)).map(({ body }) => JSON.parse(body).text)).toEqual(["m1"]);
});

describe("a worker that is declared dead", () => {
  test("comes back under a new name and goes on with the run as another attempt", async () => {
    const hanging = event();
    let calls = 0;
    const hand = await hire({
      target,
      async handle(run) {
        await run.step("one", async ({ signal }) => {
          if (++calls > 1) return;
          hanging.resolve();
          await hang(signal);
        });
        return answer(run, "done");
      },
    });
    await lanes.admit(CHAT, mail("m1"));
    await hanging.promise;
    const name = hand.worker.id();
    expect(await lanes.reap(0, name, 0)).toBe(1);
    // It looks for work as soon as it is back: the bell for it rang while nobody could answer.
    await hand.untilEnded("finished");
    expect(hand.worker.id()).not.toBe(name);
    expect(hand.ended.map(({ kind }) => kind)).toEqual(["lost", "finished"]);
    expect(await redis.zrange("{p0}workers", 0, "-1")).toEqual([hand.worker.id()]);
    expect(await said()).toEqual(["done"]);
  });

  test("by mistake, and finishes late, changes nothing", async () => {
    const reached = event();
    const go = event();
    let calls = 0;
    const hand = await hire({
      target,
      async handle(run) {
        if (++calls === 1) {
          reached.resolve();
          await go.promise;
          return answer(run, "the first, late");
        }
        return answer(run, "the second");
      },
    });
    await lanes.admit(CHAT, mail("m1"));
    await reached.promise;
    await lanes.reap(0, hand.worker.id(), 0);
    await hand.untilEnded("finished");
    go.resolve();
    await hand.untilEnded("lost");
    expect(await said()).toEqual(["the second"]);
  });

  test("is taken over from at once by others when its process is gone", async () => {
    const claim = await lab.begin("m1", "gone");
    await redis.zadd("{p0}workers", Date.now() + lanes.limits.leaseMs - 300, "gone");
    const hand = await hire({ target, handle: async (run) => answer(run, "taken over") });
    await hand.untilEnded("finished");
    expect(hand.ended[0]?.claim.runId).toBe(claim.runId);
  });

  test("is not taken over from while it listens and its lease lasts", async () => {
    await lab.begin("m1", "silent");
    const listener = new Redis(lab.where);
    onTestFinished(() => listener.disconnect());
    await listener.subscribe("parley:worker:silent");
    await redis.zadd("{p0}workers", Date.now() + lanes.limits.leaseMs - 2_000, "silent");
    const hand = await hire({ target, handle: async (run) => answer(run, run.messages().join()) });
    await lanes.admit(laneId("chat", "bob"), mail("m2"));
    await hand.untilEnded("finished");
    // Several beats long it had the chance.
    for (let beats = 0; beats < 3; beats++) await nextBeat(hand.worker.id());
    expect((await lanes.look(CHAT)).kind).toBe("run");
    listener.disconnect();
    await hand.untilEnded("finished", 2);
    expect(await said()).toEqual(["m2", "m1"]);
  });
});

/** How the claim is named on the wire. */
const claimSha = () => createHash("sha1").update(claimScript.lua).digest("hex");

/** Resolves when the worker has beaten once more. */
async function nextBeat(worker: string, on: Redis = redis): Promise<void> {
  const before = await on.zscore("{p0}workers", worker);
  let now = before;
  while (now === before) now = await on.zscore("{p0}workers", worker);
}

test("a run that Redis says is ours and we know nothing of is handed back", async () => {
  const hand = await hire({
    target,
    more: { reconcileMs: 50 },
    handle: async (run) => answer(run, run.messages().join()),
  });
  const id = hand.worker.id();
  await lanes.beat(0, "decoy", true);
  await lanes.admit(laneId("other", "ada"), mail("m1"));
  // A claim in the worker's name whose answer never reaches it; of a kind it does not serve, so that it cannot be quicker.
  const lost = await lanes.claim(0, id, 5_000, { kind: "other", room: 1 });
  expect(lost).toHaveLength(1);
  await expect.poll(async () => (await lanes.look(laneId("other", "ada"))).kind).toBe("resume");
  expect(await lanes.held(0, id)).toEqual(new Map());
});

describe("a Redis that is out of memory", () => {
  test("stops a worker for as long as it lasts, and loses nothing", async () => {
    const server = await privateRedis();
    const full = new Redis({ path: server.socketPath });
    onTestFinished(() => full.disconnect());
    const crowded = createLanes({ redis: full, partitions: 1, newId: () => "n" });
    const hanging = event();
    let calls = 0;
    const hand = await hire({
      target: { kind: "socket", path: server.socketPath },
      limits: { leaseMs: 600 },
      async handle(run) {
        if (++calls === 1) {
          hanging.resolve();
          await hang(run.signal);
        }
        return answer(run, run.messages().join());
      },
    });
    await crowded.admit(CHAT, mail("m1"));
    await hanging.promise;
    const name = hand.worker.id();
    await full.config("SET", "maxmemory", "1");
    await expect(crowded.admit(CHAT, mail("m2"))).rejects.toThrow(/OOM/);
    // Without a beat it drops its work before its lease ends, however short that is.
    await hand.untilEnded("lost");
    expect(hand.worker.ready()).not.toBe(true);
    await full.config("SET", "maxmemory", "0");
    await crowded.admit(CHAT, mail("m3"));
    await hand.untilEnded("finished", 2);
    expect(hand.worker.id()).not.toBe(name);
    expect((await crowded.waiting(OUT)).map(({ body }) => JSON.parse(body).text)).toEqual(["m1", "m3"]);
  });
});

describe("after Redis was away for a moment", () => {
  test("a worker that is back sooner than another does not declare it dead", async () => {
    const server = await privateRedis({ args: ["--save", "", "--appendonly", "yes"] });
    const go = event();
    const handle = async (run: Run) => {
      await go.promise;
      return answer(run, run.messages().join());
    };
    const client = new Redis({ path: server.socketPath, maxRetriesPerRequest: null });
    client.on("error", () => undefined);
    onTestFinished(() => client.disconnect());
    const here = createLanes({ redis: client, partitions: 1, newId: () => "n" });
    // The late one is connected by a way of its own, which stays closed for longer.
    const way = await startRedisProxy(server.socketPath);
    const late = await hire({ target: { kind: "socket", path: way.socketPath }, handle, concurrency: 1 });
    await here.admit(CHAT, mail("m1"));
    await late.until(() => late.started.length === 1);
    const soon = await hire({ target: { kind: "socket", path: server.socketPath }, handle });
    const lateName = late.worker.id();

    way.closed = true;
    await server.kill();
    await server.restart();
    // For longer than the time after which an absent worker counts as dead otherwise.
    for (let beats = 0; beats < 6; beats++) await nextBeat(soon.worker.id(), client);
    way.closed = false;
    await nextBeat(lateName, client);

    go.resolve();
    await late.untilEnded("finished");
    expect(late.worker.id()).toBe(lateName);
    expect(soon.started).toEqual([]);
  });

  test("a worker that never comes back is declared dead all the same", async () => {
    const server = await privateRedis({ args: ["--save", "", "--appendonly", "yes"] });
    const client = new Redis({ path: server.socketPath, maxRetriesPerRequest: null });
    client.on("error", () => undefined);
    onTestFinished(() => client.disconnect());
    const here = createLanes({ redis: client, partitions: 1, newId: () => "n" });
    const hand = await hire({
      target: { kind: "socket", path: server.socketPath },
      handle: async (run) => answer(run, run.messages().join()),
    });
    await here.beat(0, "gone", true);
    await client.zadd("{p0}workers", Date.now() + here.limits.leaseMs, "gone");
    await server.kill();
    await server.restart();
    await here.admit(CHAT, mail("m1"));
    await hand.untilEnded("finished");
    await expect.poll(() => client.zrange("{p0}workers", 0, "-1"), { timeout: 5_000 }).toEqual([hand.worker.id()]);
  });
});
