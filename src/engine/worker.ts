import { describeError } from "../kernel/errors.ts";
import type { Clock, Log, NewId } from "../kernel/ports.ts";
import { laneParts } from "../kernel/ids.ts";
import type { RedisConnection } from "../store/connection.ts";
import type { Claim } from "../store/lane-contract.ts";
import type { Lanes } from "../store/lanes.ts";
import { RunLost, WorkerDraining } from "./errors.ts";
import { execute, type Executed, type Handler } from "./execute.ts";
import { startHeartbeat, workerChannel, type Heartbeat } from "./heartbeat.ts";
import { createHistoryCache } from "./history-cache.ts";
import { createReconciler } from "./reconcile.ts";
import type { Hints } from "./run.ts";

/** What a worker runs of one kind of lane. */
export interface Role {
  readonly handler: Handler;
  /** How many runs of this kind this process holds at once. */
  readonly concurrency: number;
}

export interface WorkerEvents {
  started?(claim: Claim): void;
  ended?(claim: Claim, executed: Executed, ms: number): void;
  reaped?(runs: number): void;
}

export interface WorkerOptions {
  readonly lanes: Lanes;
  /** Opens a further connection: a worker needs one for each kind to block on and one to listen. */
  readonly connect: (purpose: string) => RedisConnection;
  readonly roles: Readonly<Record<string, Role>>;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  readonly chance?: () => number;
  /** How long one look at the doorbell blocks, seconds; 1 unless told otherwise. Bounds how late a lane is found whose bell was lost. */
  readonly bellS?: number;
  /** How often what Redis says and what this process holds are compared, milliseconds; 5 s unless told otherwise. */
  readonly reconcileMs?: number;
  readonly events?: WorkerEvents;
}

const BELL_S = 1;
const RECONCILE_MS = 5_000;
/** How long unregistering may take when the worker stops. */
const GOODBYE_MS = 2_000;
const CACHE_BYTES = 16 * 1024 * 1024;
/** A worker's name is in every token and so in every key and line of a run: 50 random bits, and short. */
const NAME_LENGTH = 10;

/**
 * A process' share of the work: claims ready lanes, runs their handlers, and shows that it lives. Start it once; it goes
 * on through outages of Redis and comes back under a new name when others had to take over its runs.
 */
export function createWorker(options: WorkerOptions) {
  const { lanes, roles, clock, log } = options;
  const parts = {
    lanes,
    clock,
    log,
    chance: options.chance ?? Math.random,
    cache: createHistoryCache(lanes, CACHE_BYTES),
  };
  const partitions = Array.from({ length: lanes.partitions }, (_, index) => index);
  const held = new Map<string, { readonly claim: Claim; readonly abort: AbortController; readonly hints: Hints }>();
  const running = new Map<string, number>(Object.keys(roles).map((kind) => [kind, 0]));
  const idleWaiters = new Set<() => void>();
  /** By kind, who waits until there is room for it. */
  const roomWaiters = new Map<string, Set<() => void>>(Object.keys(roles).map((kind) => [kind, new Set()]));
  let identity = newIdentity();
  let heartbeat: Heartbeat | undefined;
  let stopping = false;
  let reconcileTimer: NodeJS.Timeout | undefined;
  /** By partition, the claims under way and in line. */
  const taking = new Map<number, Promise<void>>();
  const bells: RedisConnection[] = [];
  const listener = options.connect("listen");

  function newIdentity() {
    return { id: options.newId().slice(0, NAME_LENGTH), number: 0 };
  }

  function nextToken(): string {
    return `${identity.id}.${identity.number++}`;
  }

  function roomFor(kind: string): number {
    return Math.max(0, (roles[kind]?.concurrency ?? 0) - (running.get(kind) ?? 0));
  }

  // ---- one run ----

  function begin(claim: Claim): void {
    const { kind } = laneParts(claim.lane);
    const role = roles[kind];
    if (role === undefined || held.has(claim.token)) return;
    running.set(kind, (running.get(kind) ?? 0) + 1);
    const abort = new AbortController();
    // Mail for a resumed run may have come while nobody held it.
    const hints: Hints = { mail: claim.resumed };
    held.set(claim.token, { claim, abort, hints });
    options.events?.started?.(claim);
    void carry(claim, kind, role, abort.signal, hints);
  }

  async function carry(claim: Claim, kind: string, role: Role, signal: AbortSignal, hints: Hints): Promise<void> {
    const startedAt = clock.monotonic();
    const worker = claim.token.slice(0, claim.token.indexOf("."));
    let executed: Executed;
    try {
      executed = await execute(
        claim,
        role.handler,
        { signal, hints, nextToken: () => (stopping || worker !== identity.id ? undefined : nextToken()) },
        parts,
      );
    } catch (error) {
      // Redis refused a transition (out of memory, a failing disk). The run stays ours; reconciling hands it back.
      log.error({ lane: claim.lane, run: claim.runId, error: describeError(error) }, "a run could not be stored");
      executed = { kind: "lost" };
    }
    held.delete(claim.token);
    running.set(kind, (running.get(kind) ?? 1) - 1);
    options.events?.ended?.(claim, executed, clock.monotonic() - startedAt);
    if (executed.waitMs !== undefined) heartbeat?.wakeAfter(lanes.partitionOf(claim.lane), executed.waitMs);
    if (executed.next !== undefined) begin(executed.next);
    else wakeAll(roomWaiters.get(kind));
    if (held.size === 0) wakeAll(idleWaiters);
  }

  // ---- taking work ----

  /**
   * Claims what there is room for. Never at the same time as another claim in the partition: the numbers of tokens must
   * reach Redis in order, also when they have to be sent again.
   */
  function take(partition: number, kind: string): Promise<void> {
    const turn = (taking.get(partition) ?? Promise.resolve()).then(() => takeNow(partition, kind));
    taking.set(partition, turn);
    return turn;
  }

  async function takeNow(partition: number, kind: string): Promise<void> {
    if (stopping) return;
    const { id, number: first } = identity;
    const room = roomFor(kind);
    identity.number += room;
    try {
      const claims = await lanes.claim(partition, id, first, { kind, room });
      if (claims === "gone" || id !== identity.id) return;
      if (stopping) return await handBack(claims);
      for (const claim of claims) begin(claim);
    } catch (error) {
      if (!stopping) log.warn({ partition, kind, error: describeError(error) }, "claiming failed");
    }
  }

  async function takeAll(among: readonly number[]): Promise<void> {
    await Promise.all(among.flatMap((partition) => Object.keys(roles).map((kind) => take(partition, kind))));
  }

  async function handBack(claims: readonly Pick<Claim, "lane" | "token">[]): Promise<void> {
    await Promise.all(
      claims.map(({ lane, token }) => lanes.park({ lane, token, waitMs: 0, mail: false, failed: false, lines: [] })),
    );
  }

  /** Without room it does not listen: a ring is for those who can take something. */
  async function listenToBells(connection: RedisConnection, among: readonly number[], kind: string): Promise<void> {
    while (!stopping) {
      try {
        if (roomFor(kind) === 0) {
          await new Promise<void>((resolve) => roomWaiters.get(kind)?.add(resolve));
          continue;
        }
        const rung = await lanes.waitForBell(connection, among, kind, options.bellS ?? BELL_S);
        await Promise.all((rung === undefined ? among : [rung]).map((partition) => take(partition, kind)));
      } catch (error) {
        if (stopping) return;
        log.warn({ error: describeError(error) }, "waiting for work failed");
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }

  // ---- staying alive ----

  async function appear(): Promise<void> {
    const { id } = identity;
    await listener.subscribe(workerChannel(id));
    const beating = startHeartbeat(id, {
      lanes,
      redis: lanes.redis,
      clock,
      log,
      onGone: () => void reappear(),
      onReaped: (runs) => options.events?.reaped?.(runs),
    });
    heartbeat = beating;
    try {
      await beating.register();
    } catch (error) {
      beating.stop();
      throw error;
    }
  }

  async function reappear(): Promise<void> {
    const old = identity.id;
    identity = newIdentity();
    for (const { abort, claim } of held.values()) abort.abort(new RunLost(`run ${claim.runId} was taken over`));
    while (!stopping) {
      try {
        await listener.unsubscribe(workerChannel(old));
        await appear();
        break;
      } catch (error) {
        log.error({ error: describeError(error) }, "this worker could not register again");
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
    }
    // Bells that rang meanwhile were heard and not answered.
    void takeAll(partitions);
  }

  const reconciler = createReconciler({
    lanes,
    log,
    held: () => ({ worker: identity.id, runs: new Map([...held].map(([token, { claim }]) => [token, claim])) }),
    onLost(token) {
      const run = held.get(token);
      run?.abort.abort(new RunLost(`run ${run.claim.runId} was cancelled or taken over`));
    },
  });

  function onHint(_channel: string, message: string): void {
    const [what, token = ""] = message.split(" ");
    const run = held.get(token);
    if (run === undefined) return;
    if (what === "cancel") run.abort.abort(new RunLost(`run ${run.claim.runId} was cancelled`));
    if (what === "mail") run.hints.mail = true;
  }

  return {
    /** This worker's present name. */
    id: () => identity.id,
    active: () => held.size,
    /** True while this worker may take work, else what is wrong. */
    ready: (): true | string =>
      stopping ? "this worker is stopping" : (heartbeat?.healthy() ?? "this worker is not registered yet"),

    async start(): Promise<void> {
      listener.on("message", onHint);
      await appear();
      reconcileTimer = setInterval(() => {
        reconciler.round().catch((error: unknown) => log.warn({ error: describeError(error) }, "reconciling failed"));
      }, options.reconcileMs ?? RECONCILE_MS);
      for (const among of lanes.oneSlot ? [partitions] : partitions.map((partition) => [partition]))
        for (const kind of Object.keys(roles)) {
          const connection = options.connect("bell");
          bells.push(connection);
          void listenToBells(connection, among, kind);
        }
      await takeAll(partitions);
    },

    /**
     * Stops claiming, gives runs `budgetMs` to end by themselves, then hands over what is left as it stands. After it
     * no run is held and the worker is unregistered; its connections are closed. Does not wait for a Redis that is away.
     */
    async drain(budgetMs: number): Promise<void> {
      stopping = true;
      clearInterval(reconcileTimer);
      for (const bell of bells) bell.disconnect();
      for (const waiters of roomWaiters.values()) wakeAll(waiters);
      // The loops at the bells end now, too, but are not waited for: when its connection was just coming back, ioredis
      // never settles a command that is closed with it.
      if (held.size > 0 && budgetMs > 0) await idleWithin(budgetMs);
      for (const { abort } of held.values()) abort.abort(new WorkerDraining("this worker is stopping"));
      if (held.size > 0) await idleWithin(5_000);
      heartbeat?.stop();
      await sayGoodbye();
      listener.disconnect();
    },
  };

  /** A worker that cannot unregister is missed soon enough: nobody listens for it any more. */
  async function sayGoodbye(): Promise<void> {
    const goodbye = Promise.all(partitions.map((partition) => lanes.reap(partition, identity.id, 0))).catch(
      (error: unknown) => log.warn({ error: describeError(error) }, "this worker could not unregister"),
    );
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, GOODBYE_MS);
    await Promise.race([goodbye, late]);
    clearTimeout(timer);
  }

  async function idleWithin(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let onIdle: (() => void) | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
      onIdle = resolve;
      idleWaiters.add(resolve);
    });
    clearTimeout(timer);
    if (onIdle !== undefined) idleWaiters.delete(onIdle);
  }
}

export type Worker = ReturnType<typeof createWorker>;

function wakeAll(waiters: Set<() => void> | undefined): void {
  const all = [...(waiters ?? [])];
  waiters?.clear();
  for (const wake of all) wake();
}
