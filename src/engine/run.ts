import { describeError, InvalidInput, OutsideError } from "../kernel/errors.ts";
import type { LaneId, RunId } from "../kernel/ids.ts";
import type { Clock } from "../kernel/ports.ts";
import type { Effects } from "../store/effects.ts";
import type { Claim } from "../store/lane-contract.ts";
import type { Lanes } from "../store/lanes.ts";
import { backoffMs, DEFAULT_RETRY, type RetryPolicy } from "./backoff.ts";
import { RunLost, StepFailed, StepWaits, WorkerDraining } from "./errors.ts";
import type { History, HistoryCache } from "./history-cache.ts";
import {
  intentLine,
  opensRun,
  parseLine,
  parseLines,
  stepLine,
  tryFailedLine,
  type End,
  type JournalEntry,
  type StepOutcome,
} from "./journal.ts";

/** What a step's work is told. */
export interface StepContext {
  /** `runId:step`, the same on every attempt: the idempotency key for whatever the step does outside. */
  readonly key: string;
  /** Which try this is, from 1. */
  readonly attempt: number;
  readonly signal: AbortSignal;
}

export interface StepOptions<T> {
  /** `once`: intent is recorded before, and a step begun without known outcome is never done again. Default `repeat`. */
  readonly effect?: "repeat" | "once";
  readonly retry?: RetryPolicy;
  /** True when this value ends the run: its line is then written together with the end instead of on its own. */
  readonly last?: (value: T) => boolean;
  /** What happens elsewhere in the same atomic step in which the value is recorded. */
  readonly effects?: (value: T) => Effects;
}

/** What a handler decides when it returns. */
export type Ending =
  | {
      readonly kind: "finish";
      readonly end: End;
      /** What people saw, when it is not the value of the last step; kept in the journal. */
      readonly text?: string;
      /** `drop` forgets the lane's whole journal. Default `keep`. */
      readonly journal?: "keep" | "drop";
      /** Further lines before the end. */
      readonly lines?: readonly string[];
      readonly effects?: Effects;
    }
  | {
      readonly kind: "park";
      /** Wakes by itself after this long; absent means never. */
      readonly waitMs?: number;
      /** The lane's next message goes to this run. */
      readonly mail?: boolean;
      /** What `wake` must name. */
      readonly key?: string;
      readonly lines?: readonly string[];
      readonly effects?: Effects;
    };

/** One run while a worker holds it. */
export interface Run {
  readonly id: RunId;
  readonly lane: LaneId;
  readonly token: string;
  /** Counts attempts that wrote nothing; 1 at first. */
  readonly attempt: number;
  /** Aborts when the run is cancelled, taken over, or handed over by a draining worker. */
  readonly signal: AbortSignal;
  /** This run's journal so far, in order; grows with every step. */
  readonly entries: readonly JournalEntry[];
  /** What the lane holds from before this run. */
  readonly history: History;
  /** The messages this run answers: those that opened it and those that joined. */
  messages(): unknown[];
  /**
   * Does `work` once and records what it came to. A step that is already recorded returns (or throws) the same at once.
   * Failures that may pass are tried again after a wait in which nothing is held. Names are unique within a run.
   * Throws {@link StepFailed} when it failed for good; anything else thrown is for the engine.
   */
  step<T>(name: string, work: (context: StepContext) => Promise<T>, options?: StepOptions<T>): Promise<T>;
  /** Takes waiting `steer` messages into this run, if there may be any; returns how many joined. */
  absorb(): Promise<number>;
}

/** A run as the engine sees it. */
export interface OpenRun extends Run {
  /** Lines of last steps that wait to be written with the end of the run. */
  takePending(): readonly string[];
  /** This run's lines as they stand in the journal, the pending ones included. */
  readonly written: readonly string[];
  /** How many lines the journal had when it was read. */
  readonly linesRead: number;
  /** Resolves when no step is under way any more. */
  settled(): Promise<void>;
}

/** What Redis' hints said meanwhile. */
export interface Hints {
  mail: boolean;
}

export interface RunHold {
  readonly signal: AbortSignal;
  readonly hints: Hints;
}

export interface RunParts {
  readonly lanes: Lanes;
  readonly clock: Clock;
  readonly cache: HistoryCache;
  /** A number in [0, 1), for jitter. */
  readonly chance: () => number;
}

/** Opens a claimed run: its history and, when it is resumed, what it had recorded. */
export async function openRun(claim: Claim, hold: RunHold, parts: RunParts): Promise<OpenRun> {
  if (!claim.resumed) {
    const history = await parts.cache.get(claim.lane, claim.token, claim.linesBefore, claim.lastBefore);
    return createRun(claim, hold, parts, history, [...claim.opening]);
  }
  const [lines, archive] = await Promise.all([
    parts.lanes.readJournal(claim.lane, claim.token),
    parts.lanes.readArchive(claim.lane),
  ]);
  const start = lines.findLastIndex((line) => opensRun(line, claim.runId));
  if (start < 0) throw new RunLost(`run ${claim.runId} has no opening line: it was taken over`);
  return createRun(claim, hold, parts, { lines: lines.slice(0, start), archive }, lines.slice(start));
}

function createRun(
  claim: Claim,
  { signal, hints }: RunHold,
  { lanes, clock, chance }: RunParts,
  history: History,
  written: string[],
): OpenRun {
  const { lane, token, runId } = claim;
  const entries = parseLines(written);
  const linesRead = history.lines.length + written.length;
  const used = new Set<string>();
  const inFlight = new Set<Promise<unknown>>();
  let pending: string[] = [];

  function recorded(name: string): StepOutcome | undefined {
    for (const entry of entries) if (entry.kind === "step" && entry.step === name) return entry.outcome;
    return undefined;
  }

  function triesFailed(name: string): number {
    let tries = 0;
    for (const entry of entries)
      if (entry.kind === "try-failed" && entry.step === name) tries = Math.max(tries, entry.tries);
    return tries;
  }

  // What a last step left to be written with the end, when it turns out that more follows.
  async function flush(): Promise<void> {
    const earlier = pending;
    pending = [];
    for (const line of earlier) if (!(await lanes.append(lane, token, line))) throw lost();
  }

  async function write(line: string, entry: JournalEntry = parseLine(line)): Promise<void> {
    if (pending.length > 0) await flush();
    if (!(await lanes.append(lane, token, line))) throw lost();
    keep(line, entry);
  }

  async function commit(line: string, entry: JournalEntry, effects: Effects): Promise<void> {
    if (pending.length > 0) await flush();
    if (!(await lanes.commit(lane, token, line, effects))) throw lost();
    keep(line, entry);
  }

  function keep(line: string, entry: JournalEntry = parseLine(line)): void {
    entries.push(entry);
    written.push(line);
  }

  const lost = () => new RunLost(`run ${runId} was taken over or cancelled`);

  function record(
    name: string,
    outcome: StepOutcome,
    startedAt: number,
    tries: number,
    how: Recording,
  ): Promise<void> | undefined {
    const ms = Math.round(clock.monotonic() - startedAt);
    const entry: JournalEntry = { kind: "step", step: name, outcome, at: clock.now(), ms, tries };
    const line = stepLine(entry);
    if (how.effects !== undefined) return commit(line, entry, how.effects);
    if (!how.last) return write(line, entry);
    pending.push(line);
    keep(line, entry);
    return undefined;
  }

  async function doStep<T>(
    name: string,
    work: (context: StepContext) => Promise<T>,
    options: StepOptions<T>,
  ): Promise<T> {
    const once = options.effect === "once";
    const startedAt = clock.monotonic();
    const attempt = 1 + triesFailed(name);
    if (once) {
      if (entries.some((entry) => entry.kind === "intent" && entry.step === name)) {
        const message = `${name} was begun before an interruption and nobody knows how it ended`;
        await record(name, { error: { code: "outcome-unknown", message } }, startedAt, attempt, PLAIN);
        throw new StepFailed(name, "outcome-unknown", message);
      }
      await write(intentLine(name, clock.now()));
    }
    let value: T;
    try {
      value = await work({ key: `${runId}:${name}`, attempt, signal });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RunLost || error instanceof WorkerDraining) throw error;
      const policy = options.retry ?? DEFAULT_RETRY;
      if (!once && error instanceof OutsideError && error.retry.kind === "after" && attempt < policy.tries) {
        await write(tryFailedLine(name, describeError(error), clock.now(), attempt));
        throw new StepWaits(name, backoffMs(policy, attempt, chance(), error.retry.ms));
      }
      const code = error instanceof OutsideError ? error.code : error instanceof InvalidInput ? "invalid" : "failed";
      const message = describeError(error);
      await record(name, { error: { code, message } }, startedAt, attempt, PLAIN);
      throw new StepFailed(name, code, message, error);
    }
    // What a cancelled or taken-over run still finishes is nobody's result.
    signal.throwIfAborted();
    // What happened once must not wait to be recorded: until then it counts as unknown.
    const last = !once && (options.last?.(value) ?? false);
    const effects = options.effects?.(value);
    await record(name, { value }, startedAt, attempt, effects === undefined ? { last } : { last, effects });
    return value;
  }

  return {
    id: runId,
    lane,
    token,
    attempt: claim.attempt,
    signal,
    entries,
    written,
    linesRead,
    history,

    messages() {
      return entries.flatMap((entry) => (entry.kind === "opened" || entry.kind === "joined" ? [entry.message] : []));
    },

    async step(name, work, options = {}) {
      if (used.has(name)) throw new Error(`step ${name} is used twice in run ${runId}: names are unique within a run`);
      used.add(name);
      const outcome = recorded(name);
      if (outcome !== undefined) {
        if (outcome.error !== undefined) throw new StepFailed(name, outcome.error.code, outcome.error.message);
        // The journal holds what an earlier attempt of the same step returned.
        return outcome.value as Awaited<ReturnType<typeof work>>;
      }
      signal.throwIfAborted();
      const doing = doStep(name, work, options);
      inFlight.add(doing);
      try {
        return await doing;
      } finally {
        inFlight.delete(doing);
      }
    },

    async absorb() {
      if (!hints.mail) return 0;
      hints.mail = false;
      if (pending.length > 0) throw new Error(`run ${runId} cannot take messages after its last step`);
      const lines = await lanes.absorb(lane, token, history.lines.length + written.length);
      if (lines === undefined) throw lost();
      const joined = lines.filter((line) => !written.includes(line));
      // While other steps are being written, what is known is counted too low and comes again: there may be more.
      if (joined.length < lines.length) hints.mail = true;
      for (const line of joined) keep(line);
      return joined.length;
    },

    takePending() {
      const lines = pending;
      pending = [];
      return lines;
    },

    async settled() {
      await Promise.allSettled(inFlight);
    },
  };
}

interface Recording {
  readonly last: boolean;
  readonly effects?: Effects;
}

const PLAIN: Recording = { last: false };
