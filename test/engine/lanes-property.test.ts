import fc from "fast-check";
import { expect, test } from "vitest";
import { parseLines } from "../../src/engine/journal.ts";
import type { LaneId } from "../../src/kernel/ids.ts";
import { checkJournal } from "./check-journal.ts";
import { explainKeys } from "./explain-keys.ts";
import { finishRun, laneCommands, LANES, shorten, take, type Real } from "./lane-commands.ts";
import { laneLab, mail } from "./lane-lab.ts";
import { MAX_WAITING, Model } from "./lane-model.ts";

const RUNS = 1_500;

const lab = await laneLab({ limits: { maxWaiting: MAX_WAITING } });
const { lanes, redis } = lab;

/** Every script call and every append is remembered as it goes over the wire, so that it can be sent again. */
const real: Real = { lanes, redis, sent: [], latest: () => Promise.resolve() };
const evalsha = redis.evalsha.bind(redis);
redis.evalsha = ((...call: Parameters<typeof evalsha>) => {
  real.latest = () => evalsha(...call);
  return real.latest();
}) as typeof redis.evalsha;
const rpushx = redis.rpushx.bind(redis);
redis.rpushx = ((...call: [string, string]) => {
  real.latest = () => rpushx(...call);
  return real.latest();
}) as typeof redis.rpushx;

test(
  "whatever happens in whatever order: nothing is lost, doubled, stuck, or done by somebody whose turn is over",
  { timeout: 120_000 },
  async () => {
    let commands = 0;
    await fc.assert(
      fc.asyncProperty(fc.commands(laneCommands(), { maxCommands: 80, size: "max" }), async (sequence) => {
        await redis.flushdb();
        real.sent.length = 0;
        const model = new Model(LANES);
        await fc.asyncModelRun(() => ({ model, real }), sequence);
        commands += [...sequence].length;
        expect(await explainKeys(redis)).toEqual([]);
        await compareJournals(model);
        await bringToAnEnd(model);
        expect(await explainKeys(redis)).toEqual([]);
        await compareJournals(model);
        await checkPromises(model);
      }),
      { numRuns: RUNS, endOnFailure: false },
    );
    expect(commands).toBeGreaterThan(RUNS * 10);
  },
);

/** All workers are gone; a new one does what is left, until every lane is idle. */
async function bringToAnEnd(model: Model): Promise<void> {
  for (const worker of model.registered) expect(await lanes.reap(0, worker, 0)).toBe(model.reap(worker));
  await lanes.beat(0, "last", true);
  model.registered.add("last");
  for (;;) {
    for (const [name, lane] of model.lanes) {
      if (lane.state !== "parked") continue;
      const id = model.unique("m");
      if (lane.mail)
        expect(await lanes.admit(name as LaneId, mail(id))).toMatchObject(
          model.admit(name, { id, mode: "alone", run: "" }),
        );
      else if (lane.key !== "") {
        expect(await lanes.wake(name as LaneId, lane.key, `~{"key":"${id}","v":1,"at":1}`)).toBe(true);
        model.write(name, `woken ${id}`);
        model.resume(lane, 1);
      } else {
        await redis.zadd("{p0}delay", 1, name);
        await lanes.beat(0, "last", false);
        model.resume(lane, lane.attempt);
      }
    }
    const claims = await lanes.claim(0, "last", (model.counter += 10), { kind: "chat", room: 5 });
    if (claims === "gone") throw new Error("the last worker is registered");
    expect(claims).toHaveLength(model.claimable().length);
    if (claims.length === 0) return;
    for (const claim of claims) {
      take(model, claim);
      const hold = model.holds.at(-1);
      if (hold !== undefined) await finishRun(model, real, hold);
    }
  }
}

async function compareJournals(model: Model): Promise<void> {
  for (const [name, { state, token, journal }] of model.lanes) {
    const [archive, recent] = await Promise.all([
      lanes.readArchive(name as LaneId),
      lanes.readJournal(name as LaneId, state === "run" ? token : undefined),
    ]);
    const lines = [...(archive?.toString().split("\n") ?? []), ...recent];
    expect(checkJournal(lines)).toEqual([]);
    expect(parseLines(lines).map(shorten)).toEqual(journal);
  }
}

async function checkPromises(model: Model): Promise<void> {
  // Every message was settled by exactly one delivery, or withdrawn by its author.
  const said = (await lanes.waiting("out/all" as LaneId)).map(({ id }) => id as string);
  expect(said).toEqual(model.said);
  const settled = said
    .filter((text) => !/^(tell|ask)/.test(text))
    .flatMap((text) => text.split(":")[2]?.split(",") ?? []);
  expect(settled.sort()).toEqual([...model.fates].flatMap(([id, { fate }]) => (fate === "settled" ? [id] : [])).sort());
  for (const { fate } of model.fates.values()) expect(["settled", "withdrawn"]).toContain(fate);
  // Every run has exactly one end.
  const ends = said.filter((text) => !/^(tell|ask)/.test(text)).map((text) => text.split(":")[1]);
  expect(new Set(ends).size).toBe(ends.length);
  for (const name of LANES) expect((await lanes.look(name as LaneId)).kind).toBe("idle");
}
