import { z } from "zod";
import type { ConversationId, LaneId, WorkspaceId } from "../kernel/ids.ts";
import { laneId } from "../kernel/ids.ts";
import { SCHEDULE_LANE, type ScheduleId } from "../kernel/schedules.ts";
import type { Lanes } from "./lanes.ts";
import { partitionKeys } from "./keys.ts";
import { mailEntry, type Mail } from "./mail.ts";
import { defineScript } from "./script.ts";

const lua = (name: string) => new URL(`./scripts/${name}.lua`, import.meta.url);

const addScript = defineScript({
  file: lua("schedule-add"),
  keys: ["sched", "operation", "person"],
  args: ["tag", "due", "keepMs", "most", "chunks"],
  reply: z.tuple([z.enum(["added", "full"]), z.number()]),
});

const changeScript = defineScript({
  file: lua("schedule-change"),
  keys: ["sched", "person"],
  args: ["tag", "number", "before", "due", "chunks"],
  reply: z.enum(["changed", "stale", "gone"]),
});

const sweepScript = defineScript({
  file: lua("schedule-sweep"),
  keys: ["sched", "sweeper"],
  args: ["tag", "me", "leaseMs", "limit", "now"],
  reply: z.tuple([
    z.enum(["due", "other"]),
    z.number(),
    z.array(z.tuple([z.number(), z.string(), z.string(), z.string()])),
  ]),
});

const fireScript = defineScript({
  file: lua("schedule-fire"),
  keys: ["own"],
  args: ["tag", "recordMs", "maxWaiting", "count"],
  reply: z.array(z.enum(["fired", "changed"])),
});

const outcomeScript = defineScript({
  file: lua("schedule-outcome"),
  keys: ["sched", "failing"],
  args: ["tag", "number", "mark", "ok", "line", "disableAt", "retryAt", "retry"],
  reply: z.tuple([z.enum(["fine", "again", "failed", "disabled", "gone"]), z.number()]),
});

/** A schedule that is due, as it was read. */
export interface DueSchedule {
  readonly id: ScheduleId;
  /** Another try of a slot that failed. */
  readonly retry: { readonly slot: number; readonly attempt: number } | undefined;
  readonly due: number;
  readonly definition: string;
}

/** What is to happen with a schedule that is due. */
export interface Fire {
  readonly schedule: DueSchedule;
  /** Undefined: it fires no more. A retry leaves the next fire as it is. */
  readonly next: number | undefined;
  /** Another first letter for its definition. */
  readonly status?: string;
  /** Lines for the ledger besides those of the messages. */
  readonly notes: readonly string[];
  readonly messages: readonly { readonly mail: Mail; readonly note: string }[];
  readonly conversationId: ConversationId;
}

/** A stored schedule. */
export interface StoredSchedule {
  readonly id: ScheduleId;
  readonly definition: string;
  readonly due: number | undefined;
  readonly failures: number;
}

/** How long a creation is recognised when it is repeated. */
const OPERATION_MS = 48 * 3_600_000;
const MAX_CHUNKS = 8;
/** Redis keeps a hash compact as long as no value is longer. */
const CHUNK_BYTES = 64;

/** Schedules in Redis, each in the partition of its conversation. Definitions are texts that nobody here reads. */
export type ScheduleStore = ReturnType<typeof createScheduleStore>;

/** Builds the store. `now` stands in for Redis' clock in tests. */
export function createScheduleStore(options: { readonly lanes: Lanes; readonly now?: () => number }) {
  const { lanes, now } = options;
  const { redis, limits, partitions } = lanes;
  const tags = Array.from({ length: partitions }, (_, index) => partitionKeys(index).tag);
  const partitionOf = (conversation: ConversationId) => lanes.partitionOf(scheduleLane(conversation));

  function locate(id: string) {
    const [, partition, number] = /^s([0-9a-z]{1,4})-([0-9a-z]{1,10})$/.exec(id) ?? [];
    const tag = tags[Number.parseInt(partition ?? "", 36)];
    if (tag === undefined || number === undefined) return undefined;
    return { tag, number: Number.parseInt(number, 36) };
  }

  async function read(tag: string, number: number): Promise<StoredSchedule | undefined> {
    const bucket = Math.floor(number / BUCKET);
    const slot = String(number % BUCKET);
    const [chunks, due, failing] = await Promise.all([
      redis.hmget(`${tag}schd:${bucket}`, ...CHUNK_LETTERS.map((letter) => `${slot}${letter}`)),
      redis.zscore(`${tag}schf:${bucket}`, slot),
      redis.hget(`${tag}schx`, String(number)),
    ]);
    const definition = chunks.map((chunk) => chunk ?? "").join("");
    if (definition === "") return undefined;
    return {
      id: scheduleId(tags.indexOf(tag), number),
      definition,
      due: due === null ? undefined : Number(due),
      failures: failing === null ? 0 : Number.parseInt(failing, 10),
    };
  }

  return {
    partitions,

    /** Stores a new schedule; "full" when the person has `most` already. The same `operation` is stored once. */
    async add(given: {
      readonly conversationId: ConversationId;
      readonly owner: WorkspaceId;
      readonly definition: string;
      readonly due: number;
      readonly operation: string;
      readonly most: number;
    }): Promise<ScheduleId | "full"> {
      const partition = partitionOf(given.conversationId);
      const tag = tags[partition] ?? "";
      const elsewhere = await Promise.all(
        tags.filter((other) => other !== tag).map((other) => redis.scard(personKey(other, given.owner))),
      );
      const chunks = split(given.definition);
      const [reply, number] = await addScript.run(
        redis,
        { sched: `${tag}sched`, operation: `${tag}schk:${given.operation}`, person: personKey(tag, given.owner) },
        {
          tag,
          due: given.due,
          keepMs: OPERATION_MS,
          most: Math.max(0, given.most - elsewhere.reduce((sum, count) => sum + count, 0)),
          chunks: chunks.length,
        },
        chunks,
      );
      return reply === "full" ? "full" : scheduleId(partition, number);
    },

    async find(id: string): Promise<StoredSchedule | undefined> {
      const place = locate(id);
      return place === undefined ? undefined : read(place.tag, place.number);
    },

    async list(owner: WorkspaceId): Promise<StoredSchedule[]> {
      const found = await Promise.all(
        tags.map(async (tag) => {
          const numbers = await redis.smembers(personKey(tag, owner));
          return Promise.all(numbers.map((number) => read(tag, Number(number))));
        }),
      );
      return found.flat().filter((each) => each !== undefined);
    },

    /** Replaces a definition that is still as it was read; `due` undefined: it fires no more, "same": as before. */
    async change(
      before: StoredSchedule,
      owner: WorkspaceId,
      after: { readonly definition: string; readonly due: number | "same" | undefined } | "delete",
    ): Promise<"changed" | "stale" | "gone"> {
      const place = locate(before.id);
      if (place === undefined) return "gone";
      const chunks = after === "delete" ? [] : split(after.definition);
      return changeScript.run(
        redis,
        { sched: `${place.tag}sched`, person: personKey(place.tag, owner) },
        {
          tag: place.tag,
          number: place.number,
          before: before.definition,
          due: after === "delete" || after.due === undefined ? "" : after.due,
          chunks: chunks.length,
        },
        chunks,
      );
    },

    /** What is due in a partition by Redis' clock; undefined while another process sweeps it. */
    async sweep(
      partition: number,
      me: string,
      options: { readonly leaseMs: number; readonly limit: number },
    ): Promise<{ readonly now: number; readonly due: readonly DueSchedule[] } | undefined> {
      const tag = tags[partition] ?? "";
      const [reply, at, found] = await sweepScript.run(
        redis,
        { sched: `${tag}sched`, sweeper: `${tag}schs` },
        { tag, me, ...options, now: now?.() ?? "" },
      );
      if (reply === "other") return undefined;
      const due = found.map(([number, retry, score, definition]) => {
        const [, slot, attempt] = retry.split("!");
        const again = slot === undefined ? undefined : { slot: Number(slot), attempt: Number(attempt) };
        return { id: scheduleId(partition, number), retry: again, due: Number(score), definition };
      });
      return { now: at, due };
    },

    /** Lets another process sweep at once. */
    async release(partition: number, me: string): Promise<void> {
      const key = `${tags[partition] ?? ""}schs`;
      if ((await redis.get(key)) === me) await redis.del(key);
    },

    /** Fires, each once; false for those that were changed, deleted or fired meanwhile. */
    async fire(partition: number, fires: readonly Fire[]): Promise<boolean[]> {
      if (fires.length === 0) return [];
      const { tag, own } = partitionKeys(partition);
      const replies = await fireScript.run(
        redis,
        { own },
        { tag, recordMs: limits.recordMs, maxWaiting: limits.maxWaiting, count: fires.length },
        fires.flatMap(({ schedule, next, status = "", notes, messages, conversationId }) => [
          locate(schedule.id)?.number ?? 0,
          retryMark(schedule.retry),
          schedule.due,
          next ?? "",
          status,
          notes.length,
          ...notes,
          messages.length,
          ...messages.flatMap(({ mail, note }) => [conversationId, mail.id, mailEntry(mail, lanes.newRunId()), note]),
        ]),
      );
      return replies.map((reply) => reply === "fired");
    },

    /** Notes how the run of a slot ended. */
    async outcome(given: {
      readonly id: ScheduleId;
      readonly slot: number;
      readonly attempt: number;
      readonly ok: boolean;
      readonly line: string;
      readonly disableAt: number;
      readonly retryAt: number | undefined;
    }): Promise<{ readonly reply: z.output<typeof outcomeScript.definition.reply>[0]; readonly failures: number }> {
      const place = locate(given.id);
      if (place === undefined) return { reply: "gone", failures: 0 };
      const { tag, number } = place;
      const [reply, failures] = await outcomeScript.run(
        redis,
        { sched: `${tag}sched`, failing: `${tag}schx` },
        {
          tag,
          number,
          mark: `${given.slot}:${given.attempt}`,
          ok: given.ok ? "1" : "0",
          line: given.line,
          disableAt: given.disableAt,
          retryAt: given.retryAt ?? "",
          retry: retryMark({ slot: given.slot, attempt: given.attempt + 1 }),
        },
      );
      return { reply, failures };
    },

    /** The ledger's lines, newest first. */
    async ledger(id: string): Promise<string[]> {
      const place = locate(id);
      return place === undefined ? [] : redis.lrange(`${place.tag}schl:${place.number}`, 0, -1);
    },

    /** The earliest fire of all, for whoever watches; undefined when nothing is planned. */
    async earliest(partition: number): Promise<number | undefined> {
      const [, score] = await redis.zrange(`${tags[partition] ?? ""}sched`, 0, "0", "WITHSCORES");
      return score === undefined ? undefined : Number(score);
    },

    partitionOf,
  };
}

/** The lane in which the ends of a conversation's scheduled runs are worked up. */
const scheduleLane = (conversation: ConversationId): LaneId => laneId(SCHEDULE_LANE, conversation);

const BUCKET = 64;
const CHUNK_LETTERS = ["", "a", "b", "c", "d", "e", "f", "g"];

function scheduleId(partition: number, number: number): ScheduleId {
  return `s${partition.toString(36)}-${number.toString(36)}` as ScheduleId;
}

function personKey(tag: string, owner: WorkspaceId): string {
  return `${tag}scho:${owner}`;
}

function retryMark(retry: DueSchedule["retry"]): string {
  return retry === undefined ? "" : `!${retry.slot}!${retry.attempt}`;
}

/** Pieces of at most {@link CHUNK_BYTES} bytes, cut between characters; what is very long stays together at the end. */
function split(text: string): string[] {
  const chunks: string[] = [];
  let chunk = "";
  let bytes = 0;
  for (const character of text) {
    const size = Buffer.byteLength(character);
    if (bytes + size > CHUNK_BYTES && chunks.length < MAX_CHUNKS - 1) {
      chunks.push(chunk);
      chunk = "";
      bytes = 0;
    }
    chunk += character;
    bytes += size;
  }
  return [...chunks, chunk];
}
