import type { Clock, Log } from "../../kernel/ports.ts";
import { withDeadline } from "../deadline.ts";
import { afterFailure, CLOSED, pauseOf } from "./circuit.ts";
import { SessionFailure, type Session } from "./session.ts";
import { SignInNeeded } from "./sign-in-needed.ts";

/** The connection to one server: opened when it is needed, again when it was lost, closed when nobody needs it. */
export interface Keeper {
  /** The connection, opened if need be. Throws at once while the server is given a rest after failures. */
  connect(): Promise<Session>;
  current(): Session | undefined;
  /** Closes a connection that is of no more use; with a reason, it counts as a failure of the server. */
  drop(session: Session, reason?: string): Promise<void>;
  /** The server did what it should: earlier failures no longer count. */
  succeed(): void;
  /** Keeps the connection from being closed as unused until the returned function is called. */
  hold(): () => void;
  state(): ServerState;
  /** Lets the next start happen at once: something that kept the server from working was put right. */
  forgive(): void;
  /** Ends it for good; unless `now`, when nobody holds it any more. Repeatable. */
  retire(now: boolean): Promise<void>;
}

export interface ServerState {
  readonly is: "idle" | "starting" | "running" | "paused" | "off" | "sign-in";
  readonly pid?: number;
  /** Why its latest start or connection failed, in a few words. */
  readonly trouble?: string;
  /** When it may be started again, in milliseconds since 1970. */
  readonly until?: number;
  /** Where the person signs in. */
  readonly signInUrl?: string;
}

export interface KeeperOptions {
  readonly open: (signal: AbortSignal) => Promise<Session>;
  /** Makes a fresh connection ready; when it fails, so has the start. */
  readonly prepare: (session: Session, signal: AbortSignal) => Promise<void>;
  /** Called after a connection was made ready. Must not throw. */
  readonly onReady: () => void;
  readonly connectMs: number;
  /** After how long without use it is closed; `undefined` is never. */
  readonly idleMs: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** A connection that lasted this long proves that the server works. */
const STEADY_MS = 60_000;

export function createKeeper(options: KeeperOptions): Keeper {
  const { clock, log } = options;
  let circuit = CLOSED;
  let session: Session | undefined;
  let starting: Promise<Session> | undefined;
  let signIn: SignInNeeded | undefined;
  let holders = 0;
  let idleTimer: NodeJS.Timeout | undefined;
  const retired = new AbortController();
  const free = Promise.withResolvers<void>();

  const fail = (reason: string) => {
    circuit = afterFailure(circuit, clock.now(), reason);
    log.warn({ reason, failures: circuit.failures }, "an MCP server failed");
  };

  const connect = (): Promise<Session> => {
    if (retired.signal.aborted) return Promise.reject(removed());
    if (session !== undefined) return Promise.resolve(session);
    const pause = pauseOf(circuit, clock.now());
    if (starting === undefined && pause !== undefined) return Promise.reject(notNow(pause, circuit.reason));
    return (starting ??= start().finally(() => (starting = undefined)));
  };

  const start = async (): Promise<Session> => {
    let opened: Session | undefined;
    try {
      opened = await openInTime(options, retired.signal);
      await options.prepare(opened, retired.signal);
      retired.signal.throwIfAborted();
    } catch (error) {
      await opened?.close();
      // Without a page to sign in at there is nothing to wait for: that is a failure like others.
      signIn = error instanceof SignInNeeded && error.url !== undefined ? error : undefined;
      if (signIn === undefined && !retired.signal.aborted) fail(reasonOf(error));
      throw error;
    }
    signIn = undefined;
    adopt(opened);
    return opened;
  };

  const adopt = (fresh: Session) => {
    session = fresh;
    const since = clock.monotonic();
    void fresh.ended.then((reason) => {
      if (session !== fresh) return;
      session = undefined;
      if (clock.monotonic() - since > STEADY_MS) circuit = CLOSED;
      fail(reason);
    });
    log.info({ pid: fresh.pid }, "an MCP server is connected");
    options.onReady();
    armIdle();
  };

  const drop = async (old: Session, reason?: string): Promise<void> => {
    if (session === old) {
      session = undefined;
      if (reason !== undefined) fail(reason);
    }
    await old.close();
  };

  const armIdle = () => {
    clearTimeout(idleTimer);
    if (options.idleMs === undefined || holders > 0 || session === undefined) return;
    idleTimer = setTimeout(() => {
      if (session === undefined || holders > 0) return;
      log.info({}, "an MCP server is stopped until it is needed again");
      void drop(session);
    }, options.idleMs).unref();
  };

  const hold = () => {
    holders += 1;
    clearTimeout(idleTimer);
    return () => {
      holders -= 1;
      armIdle();
      if (holders === 0 && retired.signal.aborted) free.resolve();
    };
  };

  const retire = async (now: boolean): Promise<void> => {
    clearTimeout(idleTimer);
    if (!retired.signal.aborted) retired.abort(removed());
    await starting?.catch(() => undefined);
    if (holders > 0 && !now) await Promise.race([free.promise, session?.ended]);
    if (session !== undefined) await drop(session);
  };

  return {
    connect,
    current: () => session,
    drop,
    succeed: () => void (circuit = CLOSED),
    hold,
    state: () => {
      const trouble = circuit.reason === undefined ? {} : { trouble: circuit.reason };
      if (session !== undefined)
        return { is: "running", ...trouble, ...(session.pid === undefined ? {} : { pid: session.pid }) };
      if (signIn !== undefined)
        return {
          is: "sign-in",
          trouble: signIn.message,
          ...(signIn.url === undefined ? {} : { signInUrl: signIn.url }),
        };
      if (starting !== undefined) return { is: "starting", ...trouble };
      const pause = pauseOf(circuit, clock.now());
      if (pause === undefined) return { is: "idle", ...trouble };
      return { is: pause.off ? "off" : "paused", ...trouble, until: clock.now() + pause.ms };
    },
    forgive: () => {
      circuit = CLOSED;
      signIn = undefined;
    },
    retire,
  };
}

function openInTime({ open, connectMs }: KeeperOptions, signal: AbortSignal): Promise<Session> {
  const late = () =>
    new SessionFailure("it did not start in time", { code: "timeout", outcome: "not-done", passing: true });
  return withDeadline({ ms: connectMs, signal, late }, async (either) => {
    const fresh = await open(either);
    if (!either.aborted) return fresh;
    // It came up all the same, and nobody waits for it any more.
    await fresh.close();
    throw either.reason;
  });
}

function removed(): SessionFailure {
  return new SessionFailure("it was removed or changed", { code: "not-found", outcome: "not-done" });
}

function notNow(pause: { readonly ms: number; readonly off: boolean }, reason = "it failed"): SessionFailure {
  const seconds = Math.ceil(pause.ms / 1000);
  return new SessionFailure(
    pause.off
      ? `it is off for another ${seconds} s after failing again and again: ${reason}`
      : `it is started again in ${seconds} s: ${reason}`,
    { code: "unavailable", outcome: "not-done", passing: true, afterMs: pause.ms },
  );
}

const MAX_REASON_CHARS = 300;

// Some of it may be the server's own words.
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, MAX_REASON_CHARS) : "it failed";
}
