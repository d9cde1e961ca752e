import type { LaneId, RunId } from "../kernel/ids.ts";
import type { Effects } from "./effects.ts";

// What the transitions of lanes are asked for, and what they reply.

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
