import { describeError } from "../kernel/errors.ts";
import type { Clock, Log } from "../kernel/ports.ts";
import type { Claim } from "../store/lane-contract.ts";
import type { Lanes } from "../store/lanes.ts";
import { backoffMs, type RetryPolicy } from "./backoff.ts";
import { RunLost, StepWaits, WorkerDraining } from "./errors.ts";
import type { HistoryCache } from "./history-cache.ts";
import { endedLine, type End } from "./journal.ts";
import { openRun, type Ending, type OpenRun, type Run, type RunHold, type RunParts } from "./run.ts";

/** What runs in the lanes of one kind. The engine knows nothing else about it. */
export interface Handler {
  /**
   * Does the run's work by steps and says how it ends. May be called again for the same run after a crash, a wait or a
   * hand-over: recorded steps then return at once. What it throws is tried again with a wait, a few times.
   */
  handle(run: Run): Promise<Ending>;
  /** Ends a run that keeps failing or keeps killing its worker. Says so to whoever waits; must not throw. */
  giveUp(run: Run, reason: string): Ending;
}

/** What became of one claim. `next` is what the lane's partition had ready when the run ended. */
export interface Executed {
  readonly kind: "finished" | "parked" | "lost";
  readonly end?: End;
  readonly next?: Claim;
  /** How long a parked run waits before it wakes by itself. */
  readonly waitMs?: number;
}

/** A run that throws is tried this often before it is given up. */
const HANDLER_RETRY: RetryPolicy = { tries: 4, baseMs: 200, maxMs: 10_000 };
/** A run that was taken over this often without writing one line is given up: it may be what kills the workers. */
const MAX_BARREN_ATTEMPTS = 12;

export interface ExecuteParts extends RunParts {
  readonly lanes: Lanes;
  readonly clock: Clock;
  readonly cache: HistoryCache;
  readonly log: Log;
}

/** How a worker holds the run. */
export interface Hold extends RunHold {
  /** A token for the next run, if the worker wants one. */
  readonly nextToken: () => string | undefined;
}

/** Brings one claimed run to its end, its next wait, or finds out that it is somebody else's. Throws only on Redis' refusal. */
export async function execute(claim: Claim, handler: Handler, hold: Hold, parts: ExecuteParts): Promise<Executed> {
  let run: OpenRun;
  try {
    run = await openRun(claim, hold, parts);
  } catch (error) {
    if (error instanceof RunLost || hold.signal.aborted) return { kind: "lost" };
    throw error;
  }
  const ending = await decideEnding(run, claim, handler, parts);
  if (ending === "lost") return { kind: "lost" };
  if (ending.kind === "finish") return finish(run, ending, hold, parts);
  parts.cache.forget(run.lane);
  const parked = await parts.lanes.park({
    lane: run.lane,
    token: run.token,
    ...(ending.waitMs === undefined ? {} : { waitMs: ending.waitMs }),
    mail: ending.mail ?? false,
    ...(ending.key === undefined ? {} : { key: ending.key }),
    failed: ending.failed ?? false,
    // What wakes by a key may come while the run still works: then its line is there already and must be read first.
    ...(ending.key === undefined ? {} : { linesRead: run.linesRead }),
    lines: [...run.takePending(), ...(ending.lines ?? [])],
    ...(ending.effects === undefined ? {} : { effects: ending.effects }),
  });
  if (!parked) return { kind: "lost" };
  return { kind: "parked", ...(ending.waitMs === undefined ? {} : { waitMs: ending.waitMs }) };
}

type Park = Extract<Ending, { kind: "park" }> & { readonly failed?: boolean };
type Finish = Extract<Ending, { kind: "finish" }>;

async function decideEnding(
  run: OpenRun,
  claim: Claim,
  handler: Handler,
  { log, chance }: ExecuteParts,
): Promise<Finish | Park | "lost"> {
  if (claim.attempt > MAX_BARREN_ATTEMPTS)
    return handler.giveUp(run, `it was taken over ${claim.attempt - 1} times without progress`);
  try {
    return await handler.handle(run);
  } catch (error) {
    await run.settled();
    const aborted: unknown = run.signal.aborted ? run.signal.reason : error;
    if (aborted instanceof RunLost) return "lost";
    if (aborted instanceof WorkerDraining) return { kind: "park", waitMs: 0 };
    if (error instanceof StepWaits) return { kind: "park", waitMs: error.waitMs };
    log.error({ run: run.id, lane: run.lane, attempt: claim.attempt, error: describeError(error) }, "a run threw");
    if (claim.attempt >= HANDLER_RETRY.tries) return handler.giveUp(run, describeError(error));
    return { kind: "park", waitMs: backoffMs(HANDLER_RETRY, claim.attempt, chance()), failed: true };
  }
}

async function finish(
  run: OpenRun,
  ending: Finish,
  hold: Hold,
  { lanes, clock, cache }: ExecuteParts,
): Promise<Executed> {
  const journal = ending.journal ?? "keep";
  const nextToken = hold.nextToken();
  const closing = [...(ending.lines ?? []), endedLine(run.id, ending.end, clock.now(), ending.text)];
  const lines = journal === "keep" ? [...run.takePending(), ...closing] : [];
  const outcome = await lanes.finish({
    lane: run.lane,
    token: run.token,
    ...(nextToken === undefined ? {} : { nextToken }),
    journal,
    lines,
    ...(ending.effects === undefined ? {} : { effects: ending.effects }),
  });
  if (journal === "keep" && !outcome.lost) cache.extend(run.lane, run.history, [...run.written, ...closing]);
  else cache.forget(run.lane);
  return {
    kind: outcome.lost ? "lost" : "finished",
    end: ending.end,
    ...(outcome.next === undefined ? {} : { next: outcome.next }),
  };
}
