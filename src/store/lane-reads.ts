import { z } from "zod";
import type { LaneId, MessageId } from "../kernel/ids.ts";
import type { RedisConnection } from "./connection.ts";
import type { LanePlaces } from "./keys.ts";
import { parseLaneState, workerOf, type LaneState } from "./lane-state.ts";
import { parseMailLine, type Mail } from "./mail.ts";

/** What can be read of lanes. Each is a look at one moment; two of them may see different ones. */
export function laneReads(redis: RedisConnection, { all, keysAt, locate }: LanePlaces) {
  async function lanesBefore(key: string, before: number, limit: number): Promise<LaneId[]> {
    return (await redis.zrangebyscore(key, "-inf", before, "LIMIT", 0, limit)) as LaneId[];
  }

  return {
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
      const found = await Promise.all(all.map((keys) => redis.get(`${keys.tag}${key}`)));
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
  };
}
