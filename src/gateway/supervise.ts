import { setTimeout as delay } from "node:timers/promises";
import { describeError } from "../kernel/errors.ts";
import type { PlatformName } from "../kernel/messages.ts";
import type { PlatformAdapter } from "../platforms/contract.ts";
import type { Gateway, ListenContext, ListenerReport, Webhook } from "../platforms/listening.ts";
import { elect, type ElectionParts } from "./election.ts";

/** What an operator should know of a platform in this process. Times are milliseconds since 1970. */
export interface PlatformHealth {
  readonly platform: PlatformName;
  /** `standby`: another process listens with this account. */
  readonly state: "connected" | "connecting" | "standby" | "stopped";
  /** Since when nothing can come in here, although it should. */
  readonly deafSince: number | undefined;
  readonly lastEventAt: number | undefined;
  /** What is wrong and what to do. */
  readonly trouble: string | undefined;
}

export interface Supervised {
  health(): PlatformHealth;
  readonly webhooks: readonly Webhook[];
  /** Resolves when nothing listens any more. */
  stop(): Promise<void>;
}

type Listen = (context: ListenContext) => Promise<void>;

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** A connection that lasted this long was a good one: its end is no reason to wait longer, milliseconds. */
const GOOD_MS = 60_000;

/**
 * Keeps one platform listening for as long as the process lives, in its own loop with its own waits: what happens to it
 * touches no other. Where only one process may listen, it stands by until the lease is free.
 */
export function supervise(
  adapter: PlatformAdapter,
  { gateway, ...parts }: ElectionParts & { readonly gateway: Gateway },
): Supervised {
  const { clock, log } = parts;
  const { name, listener } = adapter;
  const stopped = new AbortController();
  let report: ListenerReport = { connected: false };
  let standby = listener?.exclusive === true;
  let deafSince: number | undefined = clock.now();
  let lastEventAt: number | undefined;

  function take(next: ListenerReport): void {
    if (next.connected === report.connected && next.trouble === report.trouble) return;
    if (next.connected) deafSince = undefined;
    else deafSince ??= clock.now();
    report = next;
    const level = next.connected || next.trouble === undefined ? "info" : "error";
    log[level](
      { platform: name, ...next },
      next.connected ? "the platform is connected" : "the platform is not connected",
    );
  }

  const context = {
    gateway,
    report: take,
    heard: () => {
      lastEventAt = clock.now();
    },
  };

  async function listenOnce(listen: Listen): Promise<void> {
    standby = listener?.exclusive === true;
    const held = standby ? await elect(`listen:${name}`, stopped.signal, parts) : undefined;
    if (stopped.signal.aborted) return held?.release();
    standby = false;
    deafSince ??= clock.now();
    const signal = held === undefined ? stopped.signal : AbortSignal.any([stopped.signal, held.signal]);
    try {
      await listen({ ...context, signal });
    } finally {
      await held?.release();
    }
  }

  async function loop(listen: Listen): Promise<void> {
    let wait = FIRST_WAIT_MS;
    while (!stopped.signal.aborted) {
      const begun = clock.monotonic();
      try {
        await listenOnce(listen);
        take({ connected: false });
      } catch (error) {
        take({ connected: false, trouble: describeError(error) });
      }
      if (stopped.signal.aborted) return;
      wait = clock.monotonic() - begun > GOOD_MS ? FIRST_WAIT_MS : Math.min(LONGEST_WAIT_MS, wait * 2);
      await delay(wait * (0.5 + Math.random() / 2), undefined, { signal: stopped.signal }).catch(() => {});
    }
  }

  const webhooks = listener?.webhooks?.(context) ?? [];
  const listen = listener?.listen?.bind(listener);
  const listening = listen === undefined ? Promise.resolve() : loop(listen);
  return {
    webhooks,
    health: () => ({
      platform: name,
      state: stopped.signal.aborted
        ? "stopped"
        : standby && webhooks.length === 0
          ? "standby"
          : report.connected || (webhooks.length > 0 && report.trouble === undefined)
            ? "connected"
            : "connecting",
      deafSince: standby || webhooks.length > 0 ? undefined : deafSince,
      lastEventAt,
      trouble: report.trouble,
    }),
    async stop() {
      stopped.abort();
      await listening;
    },
  };
}

/** One line about a platform for the operator. */
export function describeHealth({ state, deafSince, lastEventAt, trouble }: PlatformHealth): string {
  const facts = [
    state === "standby" ? "another process listens" : state,
    ...(deafSince === undefined || state === "standby"
      ? []
      : [`nothing can come in since ${new Date(deafSince).toISOString()}`]),
    ...(lastEventAt === undefined ? [] : [`last event ${new Date(lastEventAt).toISOString()}`]),
  ];
  return trouble === undefined ? facts.join(", ") : `${facts.join(", ")}: ${trouble}`;
}
