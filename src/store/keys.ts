import type { LaneId, MessageId } from "../kernel/ids.ts";
import { laneParts } from "../kernel/ids.ts";

/**
 * Names of the engine's keys. All keys of a partition carry its hash tag, so that every transition touches one slot.
 * The table of keys with their types and lifetimes stands in ARCHITECTURE.md.
 */
export interface PartitionKeys {
  readonly tag: string;
  readonly own: string;
  readonly workers: string;
  readonly delay: string;
  readonly cold: string;
  readonly rest: string;
  readonly dead: string;
  ready(kind: string): string;
  /** Rings when a lane of the kind comes into line. */
  bell(kind: string): string;
  /** The number of a worker's latest claim. */
  claimed(worker: string): string;
}

/** The keys of partition `index`. */
export function partitionKeys(index: number): PartitionKeys {
  const tag = `{p${index}}`;
  return {
    tag,
    own: `${tag}own`,
    workers: `${tag}workers`,
    delay: `${tag}delay`,
    cold: `${tag}cold`,
    rest: `${tag}rest`,
    dead: `${tag}dead`,
    ready: (kind) => `${tag}ready:${kind}`,
    bell: (kind) => `${tag}bell:${kind}`,
    claimed: (worker) => `${tag}w:${worker}`,
  };
}

/**
 * The keys of one lane in its partition. What became of a message is kept by name, so that all lanes of a name share it.
 * Two names in one key are parted by a space: no id holds one, so no two pairs of ids give the same key.
 */
export function laneKeys(tag: string, lane: LaneId) {
  return {
    inbox: `${tag}q:${lane}`,
    journal: `${tag}c:${lane}`,
    archive: `${tag}a:${lane}`,
    /** The journal's name while `token`, which is never given twice, owns the lane: a stale holder's append finds no key. */
    owned: (token: string) => `${tag}j:${token}`,
    record: (message: MessageId) => `${tag}${recordKey(lane, message)}`,
    answers: (message: MessageId) => `${tag}${answersKey(lane, message)}`,
  };
}

/** What became of a message, without the tag: dedupe key and status in one. */
export function recordKey(lane: LaneId, message: MessageId): string {
  return `m:${laneParts(lane).name} ${message}`;
}

/** The delivered answers of a message, without the tag. */
export function answersKey(lane: LaneId, message: MessageId): string {
  return `r:${laneParts(lane).name} ${message}`;
}

/** What a run has put up for a person's decision, without the tag. */
export function approvalKey(approval: string): string {
  return `ap:${approval}`;
}

/**
 * The partition of a lane: FNV-1a over its name without the kind, so that a conversation's own lane, its control lane
 * and its delivery lane share one and can change in one step.
 */
export function partitionOf(lane: LaneId, partitions: number): number {
  const { name } = laneParts(lane);
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) {
    hash ^= name.charCodeAt(at);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0) % partitions;
}

/** Where each lane lies: in which of `partitions`, and under which keys. */
export function lanePlaces(partitions: number) {
  const all: readonly PartitionKeys[] = Array.from({ length: partitions }, (_, index) => partitionKeys(index));

  function keysAt(partition: number): PartitionKeys {
    const keys = all[partition];
    if (keys === undefined) throw new Error(`There is no partition ${partition} of ${partitions}`);
    return keys;
  }

  return {
    all,
    /** Throws when there is no such partition. */
    keysAt,
    partitionOf: (lane: LaneId) => partitionOf(lane, partitions),
    locate: (lane: LaneId) => {
      const keys = keysAt(partitionOf(lane, partitions));
      return { keys, names: laneKeys(keys.tag, lane) };
    },
  };
}

export type LanePlaces = ReturnType<typeof lanePlaces>;
