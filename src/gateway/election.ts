import { setTimeout as delay } from "node:timers/promises";
import { describeError } from "../kernel/errors.ts";
import type { Clock, Log } from "../kernel/ports.ts";
import type { LeaseStore } from "../store/leases.ts";

export interface ElectionParts {
  readonly leases: LeaseStore;
  /** This process; unique for ever. */
  readonly holder: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** A lease while it is held. */
export interface Held {
  /** Aborts when the lease is lost or may be: before anybody else can have it. */
  readonly signal: AbortSignal;
  release(): Promise<void>;
}

/** How long a lease lasts without being renewed, milliseconds: with one look a second another process takes over in six. */
const TTL_MS = 5_000;
const RENEW_MS = 1_000;
/** Held no longer than this without an answer of Redis, so that two never hold it at once. */
const GIVE_UP_MS = 4_000;

/** Waits until this process holds the lease `name`; undefined when `stop` aborts first. */
export async function elect(name: string, stop: AbortSignal, parts: ElectionParts): Promise<Held | undefined> {
  while (!stop.aborted) {
    const asked = parts.clock.monotonic();
    try {
      if (await parts.leases.hold(name, parts.holder, TTL_MS)) return keep(name, asked, parts);
    } catch (error) {
      parts.log.warn({ lease: name, error: describeError(error) }, "a lease could not be asked for");
    }
    await delay(RENEW_MS, undefined, { signal: stop }).catch(() => {});
  }
  return undefined;
}

function keep(name: string, asked: number, { leases, holder, clock, log }: ElectionParts): Held {
  const lost = new AbortController();
  let sureSince = asked;
  let renewing = false;
  const timer = setInterval(() => {
    if (clock.monotonic() - sureSince > GIVE_UP_MS) lose("it could not be renewed in time");
    else if (!renewing) void renew();
  }, RENEW_MS);

  async function renew(): Promise<void> {
    renewing = true;
    const begun = clock.monotonic();
    try {
      if (await leases.hold(name, holder, TTL_MS)) sureSince = begun;
      else lose("another process has it");
    } catch (error) {
      log.warn({ lease: name, error: describeError(error) }, "a lease could not be renewed");
    } finally {
      renewing = false;
    }
  }

  function lose(reason: string): void {
    clearInterval(timer);
    if (lost.signal.aborted) return;
    log.warn({ lease: name, reason }, "a lease was lost");
    lost.abort();
  }

  return {
    signal: lost.signal,
    async release() {
      clearInterval(timer);
      lost.abort();
      await leases.release(name, holder).catch((error: unknown) => {
        log.warn({ lease: name, error: describeError(error) }, "a lease could not be given back; it ends by itself");
      });
    },
  };
}
