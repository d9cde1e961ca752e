import { once } from "node:events";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { laneId, type LaneId } from "../../src/kernel/ids.ts";
import { checkJournal } from "./check-journal.ts";
import { explainKeys } from "./explain-keys.ts";
import { CHAT, laneLab, mail, OUT } from "./lane-lab.ts";
import { effectsFile, startWorkerProcess, type WorkerProcess } from "./processes.ts";

const lab = await laneLab();
const { lanes, redis } = lab;
const where = { socketPath: lab.where.path, db: lab.where.db };

const said = async (lane: LaneId = OUT): Promise<string[]> =>
  (await lanes.waiting(lane)).map(({ body }) => JSON.parse(body) as string);

describe("a worker process that is killed", () => {
  test.each([
    { point: "in think", paid: "paid", times: 1 },
    { point: "after think", paid: "paid", times: 1 },
    { point: "before paying", paid: "outcome-unknown", times: 0 },
    { point: "after paying", paid: "outcome-unknown", times: 1 },
    { point: "after pay", paid: "paid", times: 1 },
    { point: "after tell", paid: "paid", times: 1 },
    { point: "in left", paid: "paid", times: 1 },
    { point: "in right", paid: "paid", times: 1 },
    { point: "before the end", paid: "paid", times: 1 },
  ])("$point leaves a run that another one brings to its one end", async ({ point, paid, times }) => {
    const effects = effectsFile();
    const mortal = await startWorkerProcess({ ...where, effects: effects.path, dieAt: point });
    const gone = once(mortal.child, "exit");
    await lanes.admit(CHAT, mail("m1"));
    await gone;
    const began = performance.now();
    const heir = await startWorkerProcess({ ...where, effects: effects.path });
    await heir.heard("finished");
    // Far sooner than its lease ends: its socket closed, so nobody listened for it any more.
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(await said()).toEqual(["progress on m1", `answer to m1, ${paid}`]);
    expect(effects.read()).toHaveLength(times);
    expect(checkJournal(await lanes.readJournal(CHAT))).toEqual([]);
  });
});

describe("a worker process that is stopped for longer than its lease", () => {
  test("is fenced off: it finishes late and says nothing, and comes back under another name", async () => {
    const effects = effectsFile();
    const stopped = await startWorkerProcess({ ...where, effects: effects.path, leaseMs: 700 });
    await lanes.admit(CHAT, mail("hang1"));
    await stopped.heard("hanging");
    stopped.child.kill("SIGSTOP");
    const heir = await startWorkerProcess({ ...where, effects: effects.path, leaseMs: 700 });
    await heir.heard("hanging");
    heir.tell("go");
    await heir.heard("finished");
    const before = [await said(), await lanes.readJournal(CHAT)];
    expect(before[0]).toEqual(["progress on hang1", "answer to hang1, paid"]);

    stopped.tell("go");
    stopped.child.kill("SIGCONT");
    await stopped.heard("lost");
    expect([await said(), await lanes.readJournal(CHAT)]).toEqual(before);
    expect(effects.read()).toHaveLength(1);

    await heir.kill();
    await lanes.admit(CHAT, mail("m2"));
    await stopped.heard("finished");
    expect((await said()).slice(2)).toEqual(["progress on m2", "answer to m2, paid"]);
  });

  test("takes no work after it was declared dead: what rang for it while it stood still is done by others", async () => {
    const effects = effectsFile();
    const stopped = await startWorkerProcess({ ...where, effects: effects.path, leaseMs: 700 });
    // It waits at the bell: what rings now is answered in its name.
    stopped.child.kill("SIGSTOP");
    const names = Array.from({ length: 20 }, (_, index) => laneId("chat", `c${index}`));
    for (const lane of names) await lanes.admit(lane, mail(`for-${lane}`));
    const heir = await startWorkerProcess({ ...where, effects: effects.path, leaseMs: 700 });
    for (const _ of names) await heir.heard("finished");
    stopped.child.kill("SIGCONT");
    await lanes.admit(CHAT, mail("after"));
    await Promise.race([stopped.heard("finished"), heir.heard("finished")]);
    for (const lane of names) expect(await said(laneId("out", lane.slice(5)))).toHaveLength(2);
    expect(new Set(effects.read()).size).toBe(names.length + 1);
  });
});

test(
  "workers killed, stopped and continued at random: every message is answered once, in order, and nothing is left behind",
  { timeout: 60_000 },
  async () => {
    const effects = effectsFile();
    const settings = { ...where, effects: effects.path, leaseMs: 800 };
    const names = Array.from({ length: 20 }, (_, index) => laneId("chat", `c${index}`));
    const perLane = 40;
    const crew: WorkerProcess[] = await Promise.all([1, 2, 3].map(() => startWorkerProcess(settings)));
    const [seed] = fc.sample(fc.integer({ min: 1, max: 2 ** 31 - 1 }), 1);
    const dice = rollDice(seed ?? 1);

    const flood = (async () => {
      for (let index = 0; index < perLane; index++)
        await Promise.all(names.map((lane) => lanes.admit(lane, mail(`m${index}`))));
    })();
    const total = names.length * perLane;
    let [kills, stops] = [0, 0];
    for (let answered = 0; answered < total || kills < 6;) {
      const victim = dice(crew.length);
      const worker = crew[victim];
      if (worker === undefined) break;
      if (dice(3) > 0) {
        await worker.kill();
        kills++;
        crew[victim] = await startWorkerProcess(settings);
      } else {
        worker.child.kill("SIGSTOP");
        stops++;
        // Until the others have noticed: then its lease is over.
        await expect.poll(() => redis.zcard("{p0}workers"), { timeout: 10_000 }).toBeLessThan(crew.length);
        worker.child.kill("SIGCONT");
      }
      answered = (await Promise.all(names.map((lane) => ends(lane)))).reduce((sum, each) => sum + each.length, 0);
      if (kills + stops > 60)
        throw new Error(`seed ${seed}: after ${kills} kills and ${stops} stops ${answered} of ${total}`);
    }
    await flood;
    await expect.poll(async () => (await lanes.active(0)).size, { timeout: 20_000 }).toBe(names.length);
    for (const worker of crew) {
      const gone = once(worker.child, "exit");
      worker.child.kill("SIGTERM");
      await gone;
    }

    for (const lane of names) {
      const order = (await ends(lane)).map((text) => text.split(",")[0]);
      expect(order).toEqual(Array.from({ length: perLane }, (_, index) => `answer to m${index}`));
      expect(checkJournal(await lanes.readJournal(lane))).toEqual([]);
    }
    const paid = effects.read();
    expect(new Set(paid).size).toBe(paid.length);
    // The outboxes are full because nobody here delivers; everything else is at rest.
    const complaints = (await explainKeys(redis)).filter((text) => !text.includes("workers"));
    expect(complaints).toEqual([]);
  },
);

async function ends(lane: LaneId): Promise<string[]> {
  return (await said(laneId("out", lane.slice(5)))).filter((text) => text.startsWith("answer"));
}

/** Numbers below `sides` that look like chance and are the same for the same seed. */
function rollDice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 16) % sides;
  };
}
