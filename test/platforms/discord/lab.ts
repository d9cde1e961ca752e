import { afterEach, beforeEach } from "vitest";
import type { DiscordOptions } from "../../../src/platforms/discord/options.ts";
import type { ApprovalCard } from "../../../src/kernel/messages.ts";
import { silentLog, systemClock, type Clock, type Log } from "../../../src/kernel/ports.ts";
import type { PlatformAdapter } from "../../../src/platforms/contract.ts";
import type {
  Gateway,
  ListenerReport,
  PlatformMessage,
  Press,
  Pressed,
  Taken,
} from "../../../src/platforms/listening.ts";
import type { PlatformNotes } from "../../../src/platforms/notes.ts";
import type { AdapterParts } from "../../../src/platforms/parts.ts";
import { openDiscordWorld, type DiscordWorld } from "./world.ts";

/** Notes in memory, with the same promises as the real ones apart from outliving the process. */
export function createMemoryNotes(): PlatformNotes & { readonly all: Map<string, string> } {
  const all = new Map<string, string>();
  const reached = new Map<string, { cursor: string; at: number }>();
  return {
    all,
    read: (key) => Promise.resolve(all.get(key)),
    write: (key, value) => Promise.resolve(void all.set(key, value)),
    keep(key, value) {
      if (!all.has(key)) all.set(key, value);
      return Promise.resolve(all.get(key) ?? value);
    },
    reach: (channel, cursor, at) => Promise.resolve(void reached.set(channel, { cursor, at })),
    reached: () =>
      Promise.resolve(
        [...reached].map(([channel, { cursor, at }]) => ({ channel, cursor, at })).toSorted((a, b) => b.at - a.at),
      ),
  };
}

/** A gateway that keeps what it is given, once, as the real one does. */
export interface RecordingGateway extends Gateway {
  readonly messages: PlatformMessage[];
  /** Every call, repetitions included. */
  readonly calls: { readonly id: string; readonly taken: Taken }[];
  readonly edits: { readonly conversationId: string; readonly id: string; readonly text: string }[];
  readonly deletions: { readonly conversationId: string; readonly id: string }[];
  readonly presses: Press[];
  /** What becomes of a message; kept, unless said otherwise. */
  decide: (message: PlatformMessage) => Taken;
  onPress: (press: Press) => Pressed;
  /** How many calls are still to fail. */
  failing: number;
  busyIn: Set<string>;
  /** Resolves when the condition holds; looked at after every call. */
  until(condition: () => boolean): Promise<void>;
}

export function createRecordingGateway(): RecordingGateway {
  const watchers = new Set<() => void>();
  const kept = new Set<string>();

  async function called<T>(work: () => T): Promise<T> {
    // Nothing real is durable before some time has passed.
    await new Promise((resolve) => setImmediate(resolve));
    if (gateway.failing > 0) {
      gateway.failing--;
      throw new Error("Redis is away");
    }
    const result = work();
    for (const look of watchers) look();
    return result;
  }

  const gateway: RecordingGateway = {
    messages: [],
    calls: [],
    edits: [],
    deletions: [],
    presses: [],
    decide: () => "kept",
    onPress: () => ({ notice: "Noted." }),
    failing: 0,
    busyIn: new Set(),
    message: (message) =>
      called(() => {
        const key = `${message.conversationId} ${message.id}`;
        const taken = kept.has(key) ? "known" : gateway.decide(message);
        if (taken === "kept") {
          kept.add(key);
          gateway.messages.push(message);
        }
        gateway.calls.push({ id: message.id, taken });
        return taken;
      }),
    edited: (change) => called(() => void gateway.edits.push(change)),
    deleted: (change) => called(() => void gateway.deletions.push(change)),
    pressed: (press) =>
      called(() => {
        gateway.presses.push(press);
        return gateway.onPress(press);
      }),
    approval: () => Promise.resolve<ApprovalCard | undefined>(undefined),
    busy: (conversation) => Promise.resolve(gateway.busyIn.has(conversation)),
    async until(condition) {
      if (condition()) return;
      await new Promise<void>((resolve) => {
        const look = () => {
          if (!condition()) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
      });
    },
  };
  return gateway;
}

/** Parts of an adapter for a test. */
export function testParts(
  given: { readonly notes?: PlatformNotes; readonly clock?: Clock; readonly log?: Log } & Partial<AdapterParts> = {},
): AdapterParts {
  return {
    clock: systemClock,
    log: silentLog,
    notes: createMemoryNotes(),
    readFile: () => Promise.resolve(undefined),
    ...given,
  };
}

/** A listener at work. */
export interface Listening {
  readonly gateway: RecordingGateway;
  readonly reports: ListenerReport[];
  /** How many events were heard. */
  heard: number;
  /** Resolves when it ended, with what it ended with. */
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
  /** Resolves when what was reported last meets the condition. */
  untilReport(condition: (report: ListenerReport) => boolean): Promise<ListenerReport>;
}

/** Lets an adapter listen. */
export function listenWith(adapter: PlatformAdapter, gateway = createRecordingGateway()): Listening {
  const controller = new AbortController();
  const watchers = new Set<(report: ListenerReport) => void>();
  const listening: Listening = {
    gateway,
    reports: [],
    heard: 0,
    ended: Promise.resolve(
      adapter.listener?.listen?.({
        gateway,
        signal: controller.signal,
        report(report) {
          listening.reports.push(report);
          for (const look of watchers) look(report);
        },
        heard() {
          listening.heard++;
        },
      }),
    ).then(
      () => undefined,
      (error: unknown) => error,
    ),
    async stop() {
      controller.abort();
      await listening.ended;
    },
    async untilReport(condition) {
      const found = listening.reports.at(-1);
      if (found !== undefined && condition(found)) return found;
      return new Promise((resolve) => {
        const look = (report: ListenerReport) => {
          if (!condition(report)) return;
          watchers.delete(look);
          resolve(report);
        };
        watchers.add(look);
      });
    },
  };
  return listening;
}

const cleanups: (() => Promise<unknown>)[] = [];

/** A world of its own for each test of a file; ends with everything that listens there. */
export function useWorld(): () => DiscordWorld {
  let world: DiscordWorld | undefined;
  beforeEach(async () => {
    world = await openDiscordWorld();
  });
  afterEach(async () => {
    for (const end of cleanups.splice(0).toReversed()) await end();
    await world?.close();
  });
  return () => {
    if (world === undefined) throw new Error("There is no world yet");
    return world;
  };
}

/** Lets a new adapter listen in a world until the end of the test; resolves when it is connected or has given up. */
export async function startListening(
  world: DiscordWorld,
  given: {
    readonly options?: Partial<DiscordOptions>;
    readonly gateway?: RecordingGateway;
    readonly parts?: AdapterParts;
  } = {},
) {
  const adapter = world.adapterWith(given.options ?? {}, given.parts ?? testParts());
  const listening = listenWith(adapter, given.gateway);
  cleanups.push(() => listening.stop());
  await Promise.race([listening.untilReport(({ connected }) => connected), listening.ended]);
  return { adapter, listening, gateway: listening.gateway };
}
