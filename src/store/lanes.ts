import { Redis } from "ioredis";
import type { z } from "zod";
import type { LaneId, MessageId, RunId } from "../kernel/ids.ts";
import type { NewId } from "../kernel/ports.ts";
import type { RedisConnection } from "./connection.ts";
import { effectArguments, type Effects } from "./effects.ts";
import { laneKeys, lanePlaces } from "./keys.ts";
import type {
  Admission,
  Beat,
  Cancel,
  Claim,
  Decide,
  Decided,
  Finish,
  JournalTail,
  LaneLimits,
  Park,
} from "./lane-contract.ts";
import { laneReads } from "./lane-reads.ts";
import { mailEntry, type Mail } from "./mail.ts";
import * as scripts from "./transitions.ts";

/** 50 random bits of an id. */
const MAKER_LENGTH = 10;

const DEFAULT_LIMITS: LaneLimits = {
  recordMs: 48 * 3_600_000,
  keepMs: 400 * 86_400_000,
  maxWaiting: 1000,
  leaseMs: 10_000,
};

/** The durable lanes: every method is one atomic transition or one read. See the Lua files for what each promises. */
export type Lanes = ReturnType<typeof createLanes>;

export function createLanes(options: {
  readonly redis: RedisConnection;
  readonly partitions: number;
  readonly newId: NewId;
  readonly limits?: Partial<LaneLimits>;
}) {
  const { redis, partitions, newId } = options;
  const limits: LaneLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const places = lanePlaces(partitions);
  const { locate, keysAt } = places;

  // All runs named here share their beginning, so that a hundred of them hardly take more room in an archive than one.
  const maker = newId().slice(0, MAKER_LENGTH);
  let made = 0;
  /** The id of the run that a message will open. */
  const newRunId = () => `${maker}.${(made++).toString(36)}` as RunId;

  function effectsFor(lane: LaneId, effects: Effects | undefined): (string | number)[] {
    const partition = places.partitionOf(lane);
    return effectArguments(effects, (other) => places.partitionOf(other) === partition);
  }

  return {
    partitions,
    limits,
    redis,
    newRunId,
    ...laneReads(redis, places),

    /** Keeps a message once and makes its lane ready if nothing runs there. */
    async admit(lane: LaneId, mail: Mail): Promise<Admission> {
      const { keys, names } = locate(lane);
      const run = newRunId();
      const [status, ahead, earlier] = await scripts.admitScript.run(
        redis,
        { own: keys.own, record: names.record(mail.id) },
        {
          tag: keys.tag,
          lane,
          run,
          entry: mailEntry(mail, run),
          recordMs: limits.recordMs,
          maxWaiting: limits.maxWaiting,
        },
      );
      return { status, ahead, earlier };
    },

    /**
     * Takes up to `room` ready lanes of a kind. Tokens are `worker.first`, `worker.first+1`, …; repeat with the same ones,
     * and let every further claim of the worker in the partition begin above them. Who was woken by the bell must claim:
     * without room that passes the ring on.
     */
    async claim(
      partition: number,
      worker: string,
      first: number,
      wanted: { readonly kind: string; readonly room: number },
    ): Promise<readonly Claim[] | "gone"> {
      const keys = keysAt(partition);
      const { kind, room } = wanted;
      const reply = await scripts.claimScript.run(
        redis,
        {
          own: keys.own,
          workers: keys.workers,
          claimed: keys.claimed(worker),
          ready: keys.ready(kind),
          bell: keys.bell(kind),
        },
        { tag: keys.tag, worker, first, kind, room },
      );
      return reply === "gone" ? "gone" : reply.map(toClaim);
    },

    /** Appends a line to a run's journal. False when the run is no longer the token's: nothing was written. */
    append(lane: LaneId, token: string, line: string): Promise<boolean> {
      const { names } = locate(lane);
      return redis.rpushx(names.owned(token), line).then((length) => length > 0);
    },

    /** Records a step together with outgoing messages. False when the run is no longer the token's. */
    async commit(lane: LaneId, token: string, line: string, effects: Effects): Promise<boolean> {
      const { keys, names } = locate(lane);
      const reply = await scripts.commitScript.run(
        redis,
        { own: keys.own, owned: names.owned(token) },
        { tag: keys.tag, line },
        effectsFor(lane, effects),
      );
      return reply === "recorded";
    },

    async finish(finish: Finish): Promise<{ readonly lost: boolean; readonly next?: Claim }> {
      const { lane, token, lines } = finish;
      const { keys } = locate(lane);
      const [outcome, next] = await scripts.finishScript.run(
        redis,
        { own: keys.own },
        {
          tag: keys.tag,
          lane,
          token,
          next: finish.nextToken ?? "",
          keep: finish.journal,
          lines: lines.length,
        },
        [...lines, ...effectsFor(lane, finish.effects)],
      );
      return next === undefined ? { lost: outcome === "lost" } : { lost: outcome === "lost", next: toClaim(next) };
    },

    /** False when the run is no longer the token's. */
    async park(park: Park): Promise<boolean> {
      const { lane, token } = park;
      const { keys, names } = locate(lane);
      const reply = await scripts.parkScript.run(
        redis,
        {
          own: keys.own,
          owned: names.owned(token),
          journal: names.journal,
          delay: keys.delay,
        },
        {
          tag: keys.tag,
          lane,
          token,
          waitMs: park.waitMs === undefined ? -1 : Math.round(park.waitMs),
          mail: park.mail ? "1" : "0",
          key: park.key ?? "",
          failed: park.failed ? "1" : "0",
          read: park.linesRead ?? -1,
          lines: park.lines.length,
        },
        [...park.lines, ...effectsFor(lane, park.effects)],
      );
      return reply === "parked";
    },

    /** Wakes the run of a lane that waits for `key`. False when none does. */
    async wake(lane: LaneId, key: string, line: string): Promise<boolean> {
      const { keys, names } = locate(lane);
      const reply = await scripts.wakeScript.run(
        redis,
        { own: keys.own, journal: names.journal, delay: keys.delay },
        { tag: keys.tag, lane, key, line },
      );
      return reply === "woken";
    },

    /** Decides a matter once; the first decision counts, whoever holds the run. */
    async decide(decide: Decide): Promise<Decided> {
      const { keys, names } = locate(decide.lane);
      const [outcome, record] = await scripts.decideScript.run(
        redis,
        {
          own: keys.own,
          matter: `${keys.tag}${decide.matter}`,
          journal: names.journal,
          delay: keys.delay,
        },
        {
          tag: keys.tag,
          lane: decide.lane,
          run: decide.runId,
          key: decide.key,
          decision: decide.decision,
          line: decide.line,
          keepMs: decide.by === "person" ? limits.recordMs : -1,
          channel: decide.announce.channel,
          payload: decide.announce.payload,
        },
      );
      return { outcome, record };
    },

    /** The effect by which a run puts something up for decision, for `waitMs` by Redis' clock. `about` is on one line. */
    matterRecord(key: string, about: string, waitMs: number) {
      return { key, value: `open\n${about}`, ttlMs: waitMs + limits.recordMs };
    },

    async beat(partition: number, worker: string, register: boolean): Promise<Beat> {
      const keys = keysAt(partition);
      const [state, nextWakeMs, taken, others] = await scripts.beatScript.run(
        redis,
        { own: keys.own, workers: keys.workers, delay: keys.delay },
        { tag: keys.tag, worker, leaseMs: limits.leaseMs, register: register ? "1" : "0" },
      );
      return { registered: state === "ok", nextWakeMs: nextWakeMs < 0 ? undefined : nextWakeMs, taken, others };
    },

    /** Unregisters a worker whose last beat is at least `lateMs` old; its runs go to the head of the line. -1: it lives. */
    async reap(partition: number, worker: string, lateMs: number): Promise<number> {
      const keys = keysAt(partition);
      return scripts.reapScript.run(
        redis,
        { own: keys.own, workers: keys.workers, delay: keys.delay },
        { tag: keys.tag, worker, leaseMs: limits.leaseMs, lateMs },
      );
    },

    async cancel(cancel: Cancel): Promise<"cancelled" | "over" | "changed" | "lost"> {
      const { keys, names } = locate(cancel.lane);
      const { witness } = cancel;
      return scripts.cancelScript.run(
        redis,
        {
          own: keys.own,
          journal: names.journal,
          inbox: names.inbox,
          delay: keys.delay,
          cold: keys.cold,
          witness:
            witness === undefined ? `${keys.tag}no-witness` : laneKeys(keys.tag, witness.lane).owned(witness.token),
        },
        {
          tag: keys.tag,
          lane: cancel.lane,
          run: cancel.runId,
          length: cancel.linesRead,
          keepMs: limits.keepMs,
          note: witness?.note ?? "",
          line: cancel.line,
        },
        effectsFor(cancel.lane, cancel.effects),
      );
    },

    /**
     * Takes waiting `steer` messages into the run and gives their lines; undefined when the run is lost. `linesKnown` is
     * how many lines of the journal the run has read or written: when messages have joined beyond those, it gives their
     * lines and takes no more.
     */
    async absorb(lane: LaneId, token: string, linesKnown: number): Promise<readonly string[] | undefined> {
      const { names } = locate(lane);
      const reply = await scripts.absorbScript.run(
        redis,
        { owned: names.owned(token), inbox: names.inbox },
        { known: linesKnown },
      );
      return reply === "lost" ? undefined : reply;
    },

    /** Changes the text of a message that still waits. */
    async edit(lane: LaneId, mail: Mail): Promise<"changed" | "taken" | "unknown"> {
      const reply = await changeWaiting(lane, mail.id, mail.body);
      return reply === "withdrawn" ? "taken" : reply;
    },

    /** Takes a message that still waits out of the inbox. */
    async withdraw(lane: LaneId, id: MessageId): Promise<"withdrawn" | "taken" | "unknown"> {
      const reply = await changeWaiting(lane, id, "");
      return reply === "changed" ? "taken" : reply;
    },

    /**
     * Replaces the oldest `trim` lines of an idle lane by an archive that holds them; without one the lane only gets its
     * end. False when the lane was used.
     */
    async compact(lane: LaneId, read: JournalTail, trim: number, archive?: Buffer): Promise<boolean> {
      const { keys, names } = locate(lane);
      const reply = await scripts.compactScript.run(
        redis,
        { own: keys.own, journal: names.journal, archive: names.archive, cold: keys.cold, rest: keys.rest },
        { lane, length: read.length, last: read.last, trim, archive: archive ?? "", keepMs: limits.keepMs },
      );
      return reply === "compacted";
    },

    /** Replaces the archive of a resting lane by a smaller form of it; without one the lane is not offered again. */
    async repack(lane: LaneId, read: JournalTail, archive?: Buffer): Promise<boolean> {
      const { keys, names } = locate(lane);
      const reply = await scripts.repackScript.run(
        redis,
        { own: keys.own, journal: names.journal, archive: names.archive, rest: keys.rest },
        { lane, length: read.length, last: read.last, archive: archive ?? "", keepMs: limits.keepMs },
      );
      return reply === "repacked";
    },

    /** Forgets a lane and ends its run. `changed`: it is not as it was read any more, nothing happened. */
    async erase(
      lane: LaneId,
      read: { readonly runId?: RunId; readonly lines: number; readonly waiting: number },
      effects: Effects,
    ): Promise<"erased" | "changed"> {
      const { keys, names } = locate(lane);
      const { own, delay, cold, rest } = keys;
      const { journal, archive, inbox } = names;
      return scripts.eraseLaneScript.run(
        redis,
        { own, journal, archive, inbox, delay, cold, rest },
        { tag: keys.tag, lane, run: read.runId ?? "", lines: read.lines, waiting: read.waiting },
        effectsFor(lane, effects),
      );
    },

    /** Replaces what a lane remembers. There must be more lines than there were: by that everyone sees that it is another. */
    async rewrite(
      lane: LaneId,
      read: JournalTail,
      lines: readonly string[],
      archive: Buffer | undefined,
    ): Promise<"rewritten" | "changed" | "busy"> {
      const { keys, names } = locate(lane);
      return scripts.rewriteLaneScript.run(
        redis,
        { own: keys.own, journal: names.journal, archive: names.archive, cold: keys.cold },
        { lane, ...read, archive: archive ?? "", lines: lines.length },
        lines,
      );
    },

    /** Blocks until a lane of the kind may be ready in one of `among`, or the time is over; on a connection of its own. */
    async waitForBell(
      connection: RedisConnection,
      among: readonly number[],
      kind: string,
      timeoutS: number,
    ): Promise<number | undefined> {
      const bells = among.map((partition) => keysAt(partition).bell(kind));
      const reply = await connection.blpop(...bells, timeoutS);
      return reply === null ? undefined : among[bells.indexOf(reply[0])];
    },

    /** True when blocking reads may name keys of several partitions at once. */
    oneSlot: redis instanceof Redis,

    partitionOf: places.partitionOf,
  };

  async function changeWaiting(lane: LaneId, id: MessageId, body: string) {
    const { names } = locate(lane);
    return scripts.changeWaitingScript.run(
      redis,
      { inbox: names.inbox, record: names.record(id) },
      { id, body, recordMs: limits.recordMs },
    );
  }
}

function toClaim(reply: Exclude<z.output<typeof scripts.claimScript.definition.reply>, "gone">[number]): Claim {
  const [lane, token, runId, attempt, how, linesBefore, lastBefore, opening] = reply;
  return {
    lane: lane as LaneId,
    token,
    runId: runId as RunId,
    attempt,
    resumed: how === "resume",
    linesBefore,
    lastBefore,
    opening,
  };
}
