import type { LaneId } from "../kernel/ids.ts";
import { mailEntry, type Mail } from "./mail.ts";

/** What happens together with a journal line, in the same atomic step. All of it in the lane's own partition. */
export interface Effects {
  /** Messages for other lanes, in order: how a run says something. */
  readonly put?: readonly { readonly lane: LaneId; readonly mail: Mail }[];
  /** Notes with an end: `key` without the partition's tag; `append` adds to a list of at most 1,000 entries. */
  readonly records?: readonly {
    readonly key: string;
    readonly value: string;
    readonly ttlMs: number;
    readonly append?: boolean;
  }[];
  /** Hints to whoever listens now; never the record of anything. */
  readonly announce?: readonly { readonly channel: string; readonly payload: string }[];
}

/**
 * Effects as the scripts read them: three counted groups, see lib-effects.lua. Throws on effects that Redis would refuse
 * or misplace: a script that stops in the middle leaves what it did before. `inPartition` says whether a lane belongs to
 * the partition in which they happen.
 */
export function effectArguments(effects: Effects = {}, inPartition: (lane: LaneId) => boolean): (string | number)[] {
  const { put = [], records = [], announce = [] } = effects;
  const out: (string | number)[] = [put.length];
  for (const { lane, mail } of put) {
    if (!inPartition(lane)) throw new Error(`Effects cannot put a message in ${lane}: it is in another partition`);
    // What a run says has an id that is like no other: the run that takes it on goes by it.
    out.push(lane, mailEntry(mail, ""));
  }
  out.push(records.length);
  for (const { key, value, ttlMs, append } of records) {
    if (!Number.isSafeInteger(ttlMs) || ttlMs < 1) throw new Error(`The record ${key} has the lifetime ${ttlMs} ms`);
    out.push(key, append === true ? `+${value}` : `=${value}`, ttlMs);
  }
  out.push(announce.length);
  for (const { channel, payload } of announce) out.push(channel, payload);
  return out;
}
