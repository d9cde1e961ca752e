import { describeError, OutsideError } from "../../kernel/errors.ts";
import type { Clock, Log } from "../../kernel/ports.ts";
import type { ListenContext } from "../listening.ts";
import type { PlatformNotes } from "../notes.ts";
import { pause } from "./aborting.ts";
import type { SlackApi } from "./api.ts";
import type { Said } from "./events.ts";
import type { Handlers } from "./handlers.ts";
import type { Identity } from "./identity.ts";
import { fetchMissed, type MissedParts, type ReadUpTo } from "./missed.ts";
import type { Deliver } from "./router.ts";
import { openSocket, type SocketOptions } from "./socket.ts";

export interface ListenParts {
  readonly api: SlackApi;
  readonly identity: Identity;
  readonly handlers: Handlers;
  readonly deliver: Deliver;
  readonly notes: PlatformNotes;
  readonly clock: Clock;
  readonly log: Log;
  /** Absent when Slack calls us over HTTP: then only what was missed is fetched, and the token looked after. */
  readonly socket: SocketOptions | undefined;
  readonly selfCheckMs: number;
}

/** So long the fetching of what was missed may hold back the connection; the rest is fetched beside it. */
const CATCH_UP_FIRST_MS = 10_000;
/** Slack allows about 50 reads a minute. */
const MOST_CHANNELS = 200;
/** A thread that was quiet for so long is not looked at again. */
const THREAD_QUIET_MS = 3 * 86_400_000;
/** A connection that ends so soon was none; after some of them somebody else has to wait. */
const SHORT_MS = 5_000;
const MOST_SHORT = 5;

/**
 * Listens until the signal aborts: fetches what was missed, connects, and connects again whenever a connection ends.
 * Rejects when it cannot connect or something could not be kept.
 */
export async function listen(parts: ListenParts, context: ListenContext): Promise<void> {
  const { identity, notes, clock, log } = parts;
  const { report, signal } = context;
  const ending = new AbortController();
  const until = AbortSignal.any([signal, ending.signal]);
  const stopped = untilAborted(signal);
  const beside = createBeside();
  let up = false;
  let trouble: string | undefined;
  const tell = () => {
    report({ connected: up, ...(trouble === undefined ? {} : { trouble }) });
  };

  try {
    trouble = await identity.check();
    const self = await identity.self();
    const said = (said: Said) => parts.handlers.said(said);
    const missed: MissedParts = { api: parts.api, self, said, log, signal: until };
    const known = async () => worthReading(await notes.reached(), clock.now());
    beside.begin(
      lookAfterToken(parts, until, (lack) => {
        trouble = lack;
        tell();
      }),
    );

    // Before anything new comes in: should this process die meanwhile, nothing newer counts as read.
    const stop = clock.monotonic() + CATCH_UP_FIRST_MS;
    let left = await fetchMissed(missed, await known(), () => clock.monotonic() > stop);
    if (parts.socket === undefined) {
      up = true;
      tell();
      beside.begin(fetchMissed(missed, left));
      await Promise.race([stopped, beside.failed]);
    }
    for (let short = 0; parts.socket !== undefined && !signal.aborted;) {
      // What is said until the connection stands is fetched beside it; what also comes by itself is known then.
      const since = await known();
      const socket = await openSocket(parts.socket, { deliver: parts.deliver, heard: context.heard, log, signal });
      const opened = clock.monotonic();
      up = true;
      tell();
      beside.begin(fetchMissed(missed, [...left, ...newer(since, left)]));
      left = [];
      const why = await Promise.race([socket.ended, stopped, beside.failed]).finally(() => {
        up = false;
        beside.begin(socket.close());
      });
      if (signal.aborted) break;
      tell();
      log.info({ why }, "the connection to Slack ended; connecting anew");
      short = clock.monotonic() - opened < SHORT_MS ? short + 1 : 0;
      if (short > MOST_SHORT)
        throw new OutsideError(`Slack ends every connection at once: ${why}`, {
          code: "unavailable",
          retry: { kind: "after" },
        });
    }
  } catch (error) {
    report({ connected: false, trouble: describeError(error) });
    throw error;
  } finally {
    ending.abort();
    await beside.done();
  }
  report({ connected: false });
}

/** Work beside the listening. */
interface Beside {
  begin(work: Promise<unknown>): void;
  /** Rejects when something of it fails. */
  readonly failed: Promise<never>;
  done(): Promise<void>;
}

function createBeside(): Beside {
  const going = new Set<Promise<unknown>>();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  return {
    begin: (work) => {
      const watched = work
        .catch((error: unknown) => {
          failed.reject(error instanceof Error ? error : new Error(describeError(error)));
        })
        .finally(() => going.delete(watched));
      going.add(watched);
    },
    failed: failed.promise,
    done: async () => {
      await Promise.all(going);
    },
  };
}

/** Asks from time to time whether the token is still good: a connection alone does not show it. */
async function lookAfterToken(
  { identity, selfCheckMs }: ListenParts,
  signal: AbortSignal,
  found: (trouble: string | undefined) => void,
): Promise<void> {
  for (;;) {
    await pause(selfCheckMs, signal);
    if (signal.aborted) return;
    try {
      found(await identity.check());
    } catch (error) {
      // Without a good token nothing can be answered; anything else passes and is seen where it matters.
      if (error instanceof OutsideError && error.code === "unauthorized") throw error;
    }
  }
}

function worthReading(
  reached: readonly { readonly channel: string; readonly cursor: string; readonly at: number }[],
  now: number,
): readonly ReadUpTo[] {
  return reached
    .filter(({ channel, at }) => !channel.includes(":") || now - at < THREAD_QUIET_MS)
    .slice(0, MOST_CHANNELS);
}

function newer(since: readonly ReadUpTo[], left: readonly ReadUpTo[]): readonly ReadUpTo[] {
  const open = new Set(left.map(({ channel }) => channel));
  return since.filter(({ channel }) => !open.has(channel));
}

function untilAborted(signal: AbortSignal): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  if (signal.aborted) resolve("stopped");
  signal.addEventListener(
    "abort",
    () => {
      resolve("stopped");
    },
    { once: true },
  );
  return promise;
}
