import fc from "fast-check";
import type { Redis } from "ioredis";
import { expect } from "vitest";
import { parseLine, type JournalEntry } from "../../src/engine/journal.ts";
import type { LaneId, MessageId, RunId } from "../../src/kernel/ids.ts";
import { recordKey } from "../../src/store/keys.ts";
import type { Claim } from "../../src/store/lane-contract.ts";
import { workerOf } from "../../src/store/lane-state.ts";
import type { Lanes } from "../../src/store/lanes.ts";
import type { InboxMode } from "../../src/store/mail.ts";
import { mail } from "./lane-lab.ts";
import type { Hold, Model, Waiting } from "./lane-model.ts";

/** The real lanes, and every script call that had an effect, as it went over the wire. */
export interface Real {
  readonly lanes: Lanes;
  readonly redis: Redis;
  /** The latest calls, oldest first. */
  readonly sent: (() => Promise<unknown>)[];
  /** The call on its way now. */
  latest: () => Promise<unknown>;
}

type Command = fc.AsyncCommand<Model, Real>;

export const LANES = ["chat/a", "chat/b", "chat/c"] as const;
const OUT = "out/all" as LaneId;
const SLOTS = ["v", "w", "x"] as const;

/** All that can happen to lanes, from outside and by workers that may long have been declared dead. */
export function laneCommands(): fc.Arbitrary<Command>[] {
  const lane = fc.constantFrom(...LANES).map((name) => name as LaneId);
  const mode = fc.constantFrom<InboxMode>("alone", "alone", "together", "steer");
  const slot = fc.constantFrom(...SLOTS);
  const pick = fc.nat({ max: 1_000 });
  const often = <T>(arbitrary: fc.Arbitrary<T>, times: number) => Array.from({ length: times }, () => arbitrary);
  return [
    ...often(fc.record({ lane, mode }).map(admit), 3),
    fc.record({ pick }).map(admitAgain),
    ...often(fc.record({ slot, room: fc.integer({ min: 1, max: 3 }) }).map(claim), 3),
    ...often(fc.record({ pick, speaks: fc.boolean() }).map(write), 3),
    ...often(fc.record({ pick, journal: fc.constantFrom("keep", "keep", "drop"), next: fc.boolean() }).map(finish), 3),
    ...often(
      fc
        .record({
          pick,
          mail: fc.boolean(),
          key: fc.boolean(),
          timed: fc.boolean(),
          handOver: fc.boolean(),
          failed: fc.boolean(),
        })
        .map(park),
      2,
    ),
    fc.record({ lane, right: fc.boolean() }).map(wake),
    fc.record({ slot }).map(letTimePass),
    ...often(fc.record({ slot }).map(register), 2),
    fc.record({ slot, how: fc.constantFrom("reap", "lease") }).map(die),
    fc.record({ lane, late: fc.boolean() }).map(cancel),
    fc.record({ pick }).map(withdraw),
    fc.record({ pick }).map(edit),
    ...often(fc.record({ pick }).map(absorb), 2),
    fc.record({ lane }).map(compact),
    ...often(fc.record({ back: fc.integer({ min: 1, max: 8 }) }).map(repeat), 3),
  ];
}

function command<Parameters>(
  name: string,
  parameters: Parameters,
  run: (model: Model, real: Real, parameters: Parameters) => Promise<void>,
  check: (model: Model, parameters: Parameters) => boolean = () => true,
): Command {
  return {
    check: (model) => check(model, parameters),
    run: (model, real) => run(model, real, parameters),
    toString: () => `${name}(${JSON.stringify(parameters)})`,
  };
}

const admit = (parameters: { lane: LaneId; mode: InboxMode }) =>
  command("admit", parameters, async (model, real, { lane, mode }) => {
    const id = model.unique("m");
    const message: Waiting = { id, mode, run: "" };
    const expected = model.admit(lane, message);
    expect(await real.lanes.admit(lane, mail(id, mode))).toMatchObject(expected);
    message.run = await namedRun(real.lanes, lane, id);
    // A refused message may well be accepted later.
    if (expected.status !== "full") remember(real);
    await compare(model, real, lane);
  });

const admitAgain = (parameters: { pick: number }) =>
  command(
    "admitAgain",
    parameters,
    async (model, real, { pick }) => {
      const [id, { lane }] = chosen([...model.fates], pick);
      expect(await real.lanes.admit(lane as LaneId, mail(id))).toMatchObject({ status: "duplicate" });
      await compare(model, real, lane);
    },
    (model) => model.fates.size > 0,
  );

const claim = (parameters: { slot: string; room: number }) =>
  command("claim", parameters, async (model, real, { slot, room }) => {
    const worker = current(model, slot);
    const first = (model.counter += 10);
    const claims = await real.lanes.claim(0, worker, first, { kind: "chat", room: room });
    if (!model.registered.has(worker)) return expect(claims).toBe("gone");
    if (claims === "gone") throw new Error(`${worker} is registered and was turned away`);
    expect(claims).toHaveLength(Math.min(room, model.claimable().length));
    for (const each of claims) take(model, each);
    if (claims.length > 0) remember(real);
  });

const write = (parameters: { pick: number; speaks: boolean }) =>
  command(
    "write",
    parameters,
    async (model, real, { pick, speaks }) => {
      const hold = chosen(model.holds, pick);
      const step = model.unique("s");
      const line = `={"s":"${step}","v":0,"at":1,"ms":0}`;
      const [lane, owns] = [hold.lane as LaneId, model.owns(hold)];
      const effects = { put: [{ lane: OUT, mail: mail(`tell:${step}`) }] };
      expect(
        await (speaks ? real.lanes.commit(lane, hold.token, line, effects) : real.lanes.append(lane, hold.token, line)),
      ).toBe(owns);
      if (owns) {
        model.write(lane, `step ${step}`);
        if (speaks) model.said.push(`tell:${step}`);
      }
      remember(real);
      await compare(model, real, lane);
    },
    (model) => model.holds.length > 0,
  );

const finish = (parameters: { pick: number; journal: "keep" | "drop"; next: boolean }) =>
  command(
    "finish",
    parameters,
    async (model, real, { pick, journal, next }) => {
      const hold = chosen(model.holds, pick);
      await finishRun(model, real, hold, journal, next);
    },
    (model) => model.holds.length > 0,
  );

/** Ends the run of a hold as a worker would, whether or not it still has it. */
export async function finishRun(
  model: Model,
  real: Real,
  hold: Hold,
  journal: "keep" | "drop" = "keep",
  wantsNext = false,
): Promise<void> {
  const [lane, owns, worker] = [hold.lane as LaneId, model.owns(hold), workerOf(hold.token)];
  const messages = model.lane(lane).messages;
  const nextToken = `${worker}.${(model.counter += 10)}`;
  const outcome = await real.lanes.finish({
    lane,
    token: hold.token,
    ...(wantsNext ? { nextToken } : {}),
    journal,
    lines: journal === "keep" ? [ended(hold.run, ++model.counter)] : [],
    effects: {
      put: [{ lane: OUT, mail: mail(`end:${hold.run}:${messages.join()}`) }],
      records: messages.map((id) => ({ key: recordKey(lane, id as MessageId), value: "settled", ttlMs: 60_000 })),
    },
  });
  remember(real);
  expect(outcome.lost).toBe(!owns);
  if (owns) model.end(lane, "end", journal);
  const expectNext = owns && wantsNext && model.registered.has(worker) && model.claimable().length > 0;
  expect(outcome.next !== undefined).toBe(expectNext);
  if (outcome.next !== undefined) take(model, outcome.next);
  await compare(model, real, lane);
}

const park = (parameters: {
  pick: number;
  mail: boolean;
  key: boolean;
  timed: boolean;
  handOver: boolean;
  failed: boolean;
}) =>
  command(
    "park",
    parameters,
    async (model, real, { pick, mail: forMail, key, timed, handOver, failed }) => {
      const hold = chosen(model.holds, pick);
      const [lane, owns] = [hold.lane as LaneId, model.owns(hold)];
      const note = model.unique("n");
      // A run that waits for nothing would wait for ever.
      const wait = { mail: forMail, key: key ? "k" : "", timed: timed || !(forMail || key), handOver, failed };
      const parked = await real.lanes.park({
        lane,
        token: hold.token,
        ...(handOver ? { waitMs: 0 } : wait.timed ? { waitMs: 3_600_000 } : {}),
        mail: wait.mail,
        key: wait.key,
        failed,
        lines: [`#"${note}"`],
        effects: { put: [{ lane: OUT, mail: mail(`ask:${note}`) }] },
      });
      expect(parked).toBe(owns);
      if (owns) {
        // Its own lines are part of giving up: they are no progress of the attempt that follows.
        const { progress } = model.lane(lane);
        model.write(lane, `note ${note}`);
        model.lane(lane).progress = progress;
        model.park(lane, wait);
        model.said.push(`ask:${note}`);
      }
      remember(real);
      await compare(model, real, lane);
    },
    (model) => model.holds.length > 0,
  );

const wake = (parameters: { lane: LaneId; right: boolean }) =>
  command("wake", parameters, async (model, real, { lane, right }) => {
    const mine = model.lane(lane);
    const key = model.unique("k");
    const wakes = right && mine.state === "parked" && mine.key === "k";
    expect(await real.lanes.wake(lane, right ? "k" : "wrong", `~{"key":"${key}","v":1,"at":1}`)).toBe(wakes);
    if (wakes) {
      model.write(lane, `woken ${key}`);
      model.resume(mine, 1);
      remember(real);
    }
    await compare(model, real, lane);
  });

const letTimePass = (parameters: { slot: string }) =>
  command("letTimePass", parameters, async (model, real, { slot }) => {
    const worker = current(model, slot);
    if (!model.registered.has(worker)) {
      expect(await real.lanes.beat(0, worker, false)).toMatchObject({ registered: false });
      return;
    }
    for (const name of await real.redis.zrange("{p0}delay", 0, "-1")) await real.redis.zadd("{p0}delay", 1, name);
    expect(await real.lanes.beat(0, worker, false)).toMatchObject({ registered: true });
    for (const lane of model.lanes.values())
      if (lane.state === "parked" && lane.timed) model.resume(lane, lane.attempt);
    for (const name of LANES) await compare(model, real, name);
  });

const register = (parameters: { slot: string }) =>
  command("register", parameters, async (model, real, { slot }) => {
    if (model.registered.has(current(model, slot))) return;
    const worker = `${slot}_${model.unique("")}`;
    await real.lanes.beat(0, worker, true);
    model.registered.add(worker);
  });

const die = (parameters: { slot: string; how: "reap" | "lease" }) =>
  command(
    "die",
    parameters,
    async (model, real, { slot, how }) => {
      const worker = current(model, slot);
      const other = [...model.registered].find((each) => each !== worker);
      if (how === "reap" || other === undefined) {
        expect(await real.lanes.reap(0, worker, 0)).toBe(model.reap(worker));
        remember(real);
      } else {
        await real.redis.zadd("{p0}workers", 1, worker);
        expect((await real.lanes.beat(0, other, false)).taken).toBe(model.reap(worker));
      }
      for (const name of LANES) await compare(model, real, name);
    },
    (model, { slot }) => model.registered.has(current(model, slot)),
  );

const cancel = (parameters: { lane: LaneId; late: boolean }) =>
  command(
    "cancel",
    parameters,
    async (model, real, { lane, late }) => {
      const mine = model.lane(lane);
      const lines = await real.lanes.readJournal(lane, mine.state === "run" ? mine.token : undefined);
      const reply = await real.lanes.cancel({
        lane,
        runId: mine.run as RunId,
        linesRead: lines.length - (late ? 1 : 0),
        line: ended(mine.run, ++model.counter),
        effects: { put: [{ lane: OUT, mail: mail(`stop:${mine.run}:${mine.messages.join()}`) }] },
      });
      expect(reply).toBe(late ? "changed" : "cancelled");
      if (!late) model.end(lane, "stop");
      remember(real);
      await compare(model, real, lane);
    },
    (model, { lane }) => !["idle", "ready"].includes(model.lane(lane).state),
  );

const withdraw = (parameters: { pick: number }) =>
  command(
    "withdraw",
    parameters,
    async (model, real, { pick }) => {
      const [id, known] = chosen([...model.fates], pick);
      const waits = known.fate === "waiting" || known.fate === "withdrawn";
      expect(await real.lanes.withdraw(known.lane as LaneId, id as MessageId)).toBe(waits ? "withdrawn" : "taken");
      if (waits) {
        known.fate = "withdrawn";
        const lane = model.lane(known.lane);
        lane.inbox = lane.inbox.filter((message) => message.id !== id);
      }
      remember(real);
      await compare(model, real, known.lane);
    },
    (model) => model.fates.size > 0,
  );

const edit = (parameters: { pick: number }) =>
  command(
    "edit",
    parameters,
    async (model, real, { pick }) => {
      const [id, known] = chosen([...model.fates], pick);
      const reply = await real.lanes.edit(known.lane as LaneId, { ...mail(id), body: JSON.stringify(`${id}!`) });
      expect(reply).toBe(known.fate === "waiting" ? "changed" : "taken");
      remember(real);
      await compare(model, real, known.lane);
    },
    (model) => model.fates.size > 0,
  );

const absorb = (parameters: { pick: number }) =>
  command(
    "absorb",
    parameters,
    async (model, real, { pick }) => {
      const hold = chosen(model.holds, pick);
      const lines = await real.lanes.absorb(hold.lane as LaneId, hold.token, hold.linesKnown);
      if (!model.owns(hold)) return expect(lines).toBeUndefined();
      const ids = model.absorb(hold.lane);
      expect(lines?.map((line) => shorten(parseLine(line)))).toEqual(ids.map((id) => `joined ${id}`));
      if (ids.length === 0) return;
      hold.linesKnown = (await real.lanes.readJournal(hold.lane as LaneId, hold.token)).length;
      remember(real);
      await compare(model, real, hold.lane);
    },
    (model) => model.holds.length > 0,
  );

const compact = (parameters: { lane: LaneId }) =>
  command("compact", parameters, async (_model, real, { lane }) => {
    const [lines, archive] = await Promise.all([real.lanes.readJournal(lane), real.lanes.readArchive(lane)]);
    const last = lines.at(-1);
    if (last === undefined || lines.length < 2) return;
    const { kind } = await real.lanes.look(lane);
    const packed = Buffer.from([...(archive?.toString().split("\n") ?? []), ...lines.slice(0, -1)].join("\n"));
    const compacted = await real.lanes.compact(lane, { length: lines.length, last }, lines.length - 1, packed);
    expect(compacted).toBe(kind === "idle");
    if (compacted) remember(real);
  });

const repeat = (parameters: { back: number }) =>
  command("repeat", parameters, async (model, real, { back }) => {
    await real.sent.at(-back)?.();
    for (const name of LANES) await compare(model, real, name);
  });

/** The run that was named for a message when it came, "" when it was not kept. */
async function namedRun(lanes: Lanes, lane: LaneId, id: string): Promise<string> {
  return /^waiting (.*)/.exec((await lanes.record(lane, id as MessageId)) ?? "")?.[1] ?? "";
}

/** A worker got a run. */
export function take(model: Model, { lane, token, runId, attempt, resumed, linesBefore, opening }: Claim): void {
  expect(model.claimable()).toContain(lane);
  const expected = model.start(lane, token);
  expect({ run: runId, attempt, resumed }).toEqual({
    run: expected.run,
    attempt: expected.attempt,
    resumed: expected.resumed,
  });
  const { journal } = model.lane(lane);
  if (!resumed) expect(opening.map((line) => shorten(parseLine(line)))).toEqual(journal.slice(-opening.length));
  model.holds.push({
    lane,
    token,
    run: runId,
    linesKnown: linesBefore + opening.length,
  });
}

/** A journal line in the model's words; what an edited message says is not part of it. */
export function shorten(entry: JournalEntry): string {
  switch (entry.kind) {
    case "opened":
      expect(entry.message).toMatch(new RegExp(`^${entry.id}!*$`));
      return `opened ${entry.runId} ${entry.id}`;
    case "joined":
      expect(entry.message).toMatch(new RegExp(`^${entry.id}!*$`));
      return `joined ${entry.id}`;
    case "step":
      return `step ${entry.step}`;
    case "woken":
      return `woken ${entry.key}`;
    case "note":
      return `note ${String(entry.note)}`;
    case "ended":
      return `ended ${entry.runId}`;
    default:
      return entry.kind;
  }
}

/** Compares one lane with its model. */
async function compare(model: Model, real: Real, name: string): Promise<void> {
  const lane = name as LaneId;
  const { state, run, token, attempt, mail: forMail, key } = model.lane(name);
  const looked = await real.lanes.look(lane);
  // A lane whose messages were all withdrawn stays in line until somebody looks.
  if (state === "idle" || (state === "ready" && model.lane(name).inbox.length === 0))
    return expect(["idle", "ready"]).toContain(looked.kind);
  expect(looked).toEqual(
    {
      ready: { kind: "ready" },
      resume: { kind: "resume", runId: run, attempt },
      parked: { kind: "parked", runId: run, attempt, mail: forMail, key },
      run: { kind: "run", runId: run, attempt, token },
    }[state],
  );
}

/** The name under which the worker of a slot is or was last registered. */
function current(model: Model, slot: string): string {
  return [...model.registered].findLast((worker) => worker.startsWith(`${slot}_`)) ?? `${slot}_0`;
}

function chosen<T>(among: readonly T[], pick: number): T {
  const one = among[pick % among.length];
  if (one === undefined) throw new Error("nothing to choose from");
  return one;
}

/** Every attempt to end a run has a line of its own, as it has a time of its own in reality. */
function ended(run: string, at: number): string {
  return `.${JSON.stringify({ run, end: "done", at })}`;
}

function remember(real: Real): void {
  real.sent.push(real.latest);
  if (real.sent.length > 8) real.sent.shift();
}
