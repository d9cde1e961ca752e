import { Redis } from "ioredis";
import { z } from "zod";
import type { LaneId, MessageId, RunId } from "../kernel/ids.ts";
import type { NewId } from "../kernel/ports.ts";
import type { RedisConnection } from "./connection.ts";
import { effectArguments, type Effects } from "./effects.ts";
import { laneKeys, partitionKeys, partitionOf, type PartitionKeys } from "./keys.ts";
import { parseLaneState, type LaneState } from "./lane-state.ts";
import { mailEntry, parseMailLine, type Mail } from "./mail.ts";
import * as scripts from "./transitions.ts";

export interface Admission {
  /** `joined` means that a run was waiting for exactly this message. */
  readonly status: "started" | "joined" | "queued" | "duplicate" | "full";
  /** How many messages are ahead of it. */
  readonly ahead: number;
  /** What became of the earlier message with this id, when it is a duplicate. */
  readonly earlier: string;
}

/** A run given to a worker. */
export interface Claim {
  readonly lane: LaneId;
  readonly token: string;
  readonly runId: RunId;
  /** Counts attempts that wrote nothing; 1 at first. */
  readonly attempt: number;
  readonly resumed: boolean;
  /** How many journal lines came before this run's own, and the last of them; 0 and "" on a resumed run. */
  readonly linesBefore: number;
  readonly lastBefore: string;
  /** The first lines of a new run, its messages; empty on a resumed one. */
  readonly opening: readonly string[];
}

/** How a run gives up its lane. */
export interface Finish {
  readonly lane: LaneId;
  readonly token: string;
  /** Token of the same worker for the next lane of the same kind and partition, if the worker wants one. */
  readonly nextToken?: string;
  /** `drop` deletes the journal and the archive. */
  readonly journal: "keep" | "drop";
  readonly lines: readonly string[];
  readonly effects?: Effects;
}

export interface Park {
  readonly lane: LaneId;
  readonly token: string;
  /** Wakes by itself after this long; 0 puts it back in line at once, absent means never. */
  readonly waitMs?: number;
  /** The lane's next message goes to this run. */
  readonly mail: boolean;
  readonly key?: string;
  readonly failed: boolean;
  /** How many lines were there when the run read its journal; when one that wakes it came since, it does not wait. */
  readonly linesRead?: number;
  readonly lines: readonly string[];
  readonly effects?: Effects;
}

/** A decision about what a run has put up under `matter`; `matterRecord` puts it up. */
export interface Decide {
  readonly lane: LaneId;
  readonly runId: RunId;
  /** The record's key without the partition's tag. */
  readonly matter: string;
  /** What a parked run waits for. */
  readonly key: string;
  /** Unique, on one line. */
  readonly decision: string;
  /** The journal line the run gets. */
  readonly line: string;
  /** `person`: only in time. `run`: the holder declares that the time is over. */
  readonly by: "person" | "run";
  readonly announce: { readonly channel: string; readonly payload: string };
}

/** What became of a decision, and the record as it is now. */
export interface Decided {
  readonly outcome: "recorded" | "decided" | "late" | "over" | "unknown";
  readonly record: string;
}

export interface Cancel {
  readonly lane: LaneId;
  readonly runId: RunId;
  /** How many lines the caller has read; a line that came since makes the reply `changed`. */
  readonly linesRead: number;
  readonly line: string;
  readonly effects: Effects;
  /** The caller's own run, in which `note` is recorded in the same step. */
  readonly witness?: { readonly lane: LaneId; readonly token: string; readonly note: string };
}

/** How a caller knows a journal it has read: changed since when one of them differs. */
export interface JournalTail {
  readonly length: number;
  /** The last line, "" when there is none. */
  readonly last: string;
}

export interface Beat {
  readonly registered: boolean;
  readonly nextWakeMs: number | undefined;
  readonly taken: number;
  readonly others: readonly string[];
}

export interface LaneLimits {
  /** How long ids of messages are recognised and their fate is known; at least a day (platforms redeliver for hours). */
  readonly recordMs: number;
  /** How long the journal of an idle lane is kept. */
  readonly keepMs: number;
  /** How many messages may wait in one lane. */
  readonly maxWaiting: number;
  /** How long a worker's lease lasts without a beat. */
  readonly leaseMs: number;
}

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
  const keysOf: PartitionKeys[] = Array.from({ length: partitions }, (_, index) => partitionKeys(index));

  function locate(lane: LaneId) {
    const keys = keysAt(partitionOf(lane, partitions));
    return { keys, names: laneKeys(keys.tag, lane) };
  }
  function keysAt(partition: number): PartitionKeys {
    const keys = keysOf[partition];
    if (keys === undefined) throw new Error(`There is no partition ${partition} of ${partitions}`);
    return keys;
  }

  /** The id of the run that a message will open. */
  const newRunId = () => newId() as RunId;

  function effectsFor(lane: LaneId, effects: Effects | undefined): (string | number)[] {
    const partition = partitionOf(lane, partitions);
    return effectArguments(effects, (other) => partitionOf(other, partitions) === partition);
  }

  return {
    partitions,
    limits,
    redis,
    newRunId,

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

    /** The lines of a lane from number `from` on, oldest first, without the archive. Pass the token of the run that owns it, if one does. */
    async readJournal(lane: LaneId, token?: string, from = 0): Promise<string[]> {
      const { names } = locate(lane);
      return redis.lrange(token === undefined ? names.journal : names.owned(token), from, -1);
    },

    async readArchive(lane: LaneId): Promise<Buffer | undefined> {
      return (await redis.getBuffer(locate(lane).names.archive)) ?? undefined;
    },

    /** What a lane is doing now. */
    async look(lane: LaneId): Promise<LaneState> {
      const state = await redis.hget(locate(lane).keys.own, lane);
      return parseLaneState(state ?? undefined);
    },

    /** Waiting messages, oldest first. */
    async waiting(lane: LaneId): Promise<readonly Mail[]> {
      const entries = await redis.lrange(locate(lane).names.inbox, 0, -1);
      return entries.map(
        // Damaged by hand: it is shown and counted all the same.
        (entry) => parseMailLine(entry)?.mail ?? { id: "" as MessageId, mode: "alone" as const, body: entry },
      );
    },

    /** What became of a message: `waiting <run>`, `withdrawn`, or what a run's effects wrote. */
    async record(lane: LaneId, id: MessageId): Promise<string | undefined> {
      return (await redis.get(locate(lane).names.record(id))) ?? undefined;
    },

    /** The delivered answers of a message, as they were recorded. */
    async answers(lane: LaneId, id: MessageId): Promise<readonly string[]> {
      return redis.lrange(locate(lane).names.answers(id), 0, -1);
    },

    /** Every lane that is not idle, with what it does. */
    async active(partition: number): Promise<ReadonlyMap<LaneId, LaneState>> {
      const states = z.record(z.string(), z.string()).parse(await redis.hgetall(keysAt(partition).own));
      return new Map(Object.entries(states).map(([lane, state]) => [lane as LaneId, parseLaneState(state)]));
    },

    /** A record of any partition by its key without the tag, for those whose lane is not known. */
    async findRecord(key: string): Promise<string | undefined> {
      const found = await Promise.all(keysOf.map((keys) => redis.get(`${keys.tag}${key}`)));
      return found.find((value) => value !== null) ?? undefined;
    },

    /** The runs Redis says a worker holds: token → lane. Looks through all lanes that are not idle, piece by piece. */
    async held(partition: number, worker: string): Promise<ReadonlyMap<string, LaneId>> {
      const { own } = keysAt(partition);
      const found = new Map<string, LaneId>();
      let cursor = "0";
      do {
        const [next, fields] = await redis.hscan(own, cursor, "COUNT", 1_000);
        for (let at = 0; at < fields.length; at += 2) {
          const state = parseLaneState(fields[at + 1]);
          if (state.kind === "run" && workerOf(state.token) === worker) found.set(state.token, fields[at] as LaneId);
        }
        cursor = next;
      } while (cursor !== "0");
      return found;
    },

    /** Of these lanes, the tokens that own them now, in the same order; undefined where none does. */
    async holders(partition: number, among: readonly LaneId[]): Promise<readonly (string | undefined)[]> {
      if (among.length === 0) return [];
      const states = await redis.hmget(keysAt(partition).own, ...among);
      return states.map((text) => {
        const state = parseLaneState(text ?? undefined);
        return state.kind === "run" ? state.token : undefined;
      });
    },

    /** Lanes to compact that were first used before `before`, oldest first. */
    async coldLanes(partition: number, before: number, limit: number): Promise<LaneId[]> {
      return lanesBefore(keysAt(partition).cold, before, limit);
    },

    /** Lanes to repack that were compacted before `before`, oldest first. */
    async restingLanes(partition: number, before: number, limit: number): Promise<LaneId[]> {
      return lanesBefore(keysAt(partition).rest, before, limit);
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

    partitionOf: (lane: LaneId) => partitionOf(lane, partitions),
  };

  async function lanesBefore(key: string, before: number, limit: number): Promise<LaneId[]> {
    return (await redis.zrangebyscore(key, "-inf", before, "LIMIT", 0, limit)) as LaneId[];
  }

  async function changeWaiting(lane: LaneId, id: MessageId, body: string) {
    const { names } = locate(lane);
    return scripts.changeWaitingScript.run(
      redis,
      { inbox: names.inbox, record: names.record(id) },
      { id, body, recordMs: limits.recordMs },
    );
  }
}

/** The worker part of a token `worker.number`. */
export function workerOf(token: string): string {
  return token.slice(0, token.indexOf("."));
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
