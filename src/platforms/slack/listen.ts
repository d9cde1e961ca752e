import { describeError, OutsideError } from "../../kernel/errors.ts";
import type { Clock, Log } from "../../kernel/ports.ts";
import type { ListenContext } from "../listening.ts";
import type { PlatformNotes } from "../notes.ts";
import { pause } from "./aborting.ts";
import type { SlackApi } from "./api.ts";
import type { Handlers } from "./handlers.ts";
import type { Identity } from "./identity.ts";
import { fetchMissed, type MissedParts, type ReadUpTo } from "./missed.ts";
import type { Deliver } from "./router.ts";
import { openSocket, type Socket, type SocketOptions } from "./socket.ts";

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
const CATCH_UP_FIRST_MS = 20_000;
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
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const stopped = untilAborted(signal);
  const beside: Promise<void>[] = [];
  /** Does something beside the listening; when it fails, listening ends with it. */
  const besides = (work: Promise<void>) => {
    beside.push(
      work.catch((error: unknown) => {
        failed.reject(error instanceof Error ? error : new Error(describeError(error)));
      }),
    );
  };

  try {
    const trouble = await identity.check();
    const missed: MissedParts = {
      api: parts.api,
      self: await identity.self(),
      said: (said) => parts.handlers.said(said),
      log,
      signal: until,
    };
    const connected = (lack: string | undefined) => {
      report(lack === undefined ? { connected: true } : { connected: true, trouble: lack });
    };
    besides(lookAfterToken(parts, until, connected));

    let short = 0;
    while (!signal.aborted) {
      const stop = clock.monotonic() + CATCH_UP_FIRST_MS;
      const from = worthReading(await notes.reached(), clock.now());
      const left = await fetchMissed(missed, from, () => clock.monotonic() > stop);
      if (signal.aborted) break;
      if (parts.socket === undefined) {
        connected(trouble);
        besides(fetchMissed(missed, left, () => false).then(() => {}));
        await Promise.race([stopped, failed.promise]);
        break;
      }
      // What is said between the reading and the connecting is read once more: it is known then.
      const since = worthReading(await notes.reached(), clock.now());
      const socket = await openSocket(parts.socket, { deliver: parts.deliver, heard: context.heard, log, signal });
      connected(trouble);
      const opened = clock.monotonic();
      besides(fetchMissed(missed, [...left, ...newer(since, left)], () => false).then(() => {}));
      const why = await untilOver(socket, stopped, failed.promise);
      if (signal.aborted) break;
      short = clock.monotonic() - opened < SHORT_MS ? short + 1 : 0;
      log.info({ why }, "the connection to Slack ended; connecting anew");
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
    await Promise.all(beside);
  }
  report({ connected: false });
}

async function untilOver(socket: Socket, stopped: Promise<string>, failed: Promise<never>): Promise<string> {
  try {
    return await Promise.race([socket.ended, stopped, failed]);
  } finally {
    await socket.close();
  }
}

/** Asks from time to time whether the token is still good: a connection alone does not show it. */
async function lookAfterToken(
  { identity, selfCheckMs }: ListenParts,
  signal: AbortSignal,
  connected: (trouble: string | undefined) => void,
): Promise<void> {
  for (;;) {
    await pause(selfCheckMs, signal);
    if (signal.aborted) return;
    try {
      connected(await identity.check());
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
