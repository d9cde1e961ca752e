import { onTestFinished } from "vitest";
import type { DeliveryId, MessageId } from "../../../src/kernel/ids.ts";
import { systemClock, type Log } from "../../../src/kernel/ports.ts";
import type { Part, PlatformAdapter, SendContext } from "../../../src/platforms/contract.ts";
import type { Gateway, ListenerReport, PlatformMessage, Press, Pressed } from "../../../src/platforms/listening.ts";
import type { PlatformNotes } from "../../../src/platforms/notes.ts";
import type { AdapterParts } from "../../../src/platforms/parts.ts";
import type { TelegramOptions } from "../../../src/platforms/telegram/options.ts";
import type { Chat } from "../world.ts";
import { openTelegramWorld, type TelegramWorld } from "./world.ts";

/** What came through a gateway that keeps everything, once by conversation and id. */
export class Recorder implements Gateway {
  readonly messages: PlatformMessage[] = [];
  /** Every call, also of what was known. */
  readonly calls: PlatformMessage[] = [];
  readonly edits: { readonly conversationId: string; readonly id: string; readonly text: string }[] = [];
  readonly presses: Press[] = [];
  /** So many calls fail from now on. */
  failing = 0;
  told: Pressed = { notice: "Noted." };
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get texts(): readonly string[] {
    return this.messages.map(({ text }) => text);
  }

  message(message: PlatformMessage): Promise<"kept" | "known"> {
    this.calls.push(message);
    if (this.failing > 0) {
      this.failing -= 1;
      this.#changed();
      return Promise.reject(new Error("Redis is not there"));
    }
    const known = this.messages.some(
      ({ id, conversationId }) => id === message.id && conversationId === message.conversationId,
    );
    if (!known) this.messages.push(message);
    this.#changed();
    return Promise.resolve(known ? "known" : "kept");
  }

  edited(change: (typeof this.edits)[number]): Promise<void> {
    this.edits.push(change);
    this.#changed();
    return Promise.resolve();
  }

  deleted(): Promise<void> {
    return Promise.resolve();
  }

  pressed(press: Press): Promise<Pressed> {
    this.presses.push(press);
    return Promise.resolve(this.told);
  }

  approval(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  busy(): Promise<boolean> {
    return Promise.resolve(false);
  }
}

/** Notes in memory; several adapters may share them, as processes share Redis. */
export function memoryNotes(): PlatformNotes {
  const values = new Map<string, string>();
  const cursors = new Map<string, { channel: string; cursor: string; at: number }>();
  return {
    read: (key) => Promise.resolve(values.get(key)),
    write: (key, value) => Promise.resolve(void values.set(key, value)),
    keep(key, value) {
      if (!values.has(key)) values.set(key, value);
      return Promise.resolve(values.get(key) ?? value);
    },
    reach: (channel, cursor, at) => Promise.resolve(void cursors.set(channel, { channel, cursor, at })),
    reached: () => Promise.resolve([...cursors.values()].toSorted((a, b) => b.at - a.at)),
  };
}

/** Everything one process would have: an adapter that listens, and what was recorded of it. */
export interface Rig {
  readonly adapter: PlatformAdapter;
  readonly gateway: Recorder;
  readonly reports: ListenerReport[];
  /** Every line that was logged, as text. */
  readonly logged: string[];
  /** What was waited for, milliseconds; nothing is waited for really. */
  readonly waits: number[];
  /** Resolves when listening is over; rejects with why it ended. */
  readonly over: Promise<void>;
  stop(): Promise<void>;
}

export interface RigOptions {
  readonly notes?: PlatformNotes;
  readonly options?: Partial<TelegramOptions>;
  readonly gateway?: Recorder;
  readonly files?: Readonly<Record<string, Buffer>>;
  readonly clock?: AdapterParts["clock"];
}

/** A world that closes with the test. */
export async function testWorld(): Promise<TelegramWorld> {
  const world = await openTelegramWorld();
  onTestFinished(() => world.close());
  return world;
}

/** An adapter on this world, not listening. */
export function adapterOn(
  world: TelegramWorld,
  { notes = memoryNotes(), options = {}, files = {}, clock }: RigOptions = {},
) {
  const logged: string[] = [];
  const waits: number[] = [];
  const adapter = world.adapter(
    {
      clock: clock ?? systemClock,
      log: loggingTo(logged),
      notes,
      readFile: (file) => Promise.resolve(files[file.artifact_id]),
    },
    {
      wait(ms) {
        waits.push(ms);
        world.api.changed();
        return new Promise((resolve) => setImmediate(resolve));
      },
      ...options,
    },
  );
  onTestFinished(() => adapter.close?.());
  return { adapter, logged, waits, notes };
}

/** An adapter that listens to this world until the test ends. */
export function listenOn(world: TelegramWorld, given: RigOptions = {}): Rig {
  const { adapter, logged, waits } = adapterOn(world, given);
  const gateway = given.gateway ?? new Recorder(() => world.api.changed());
  const reports: ListenerReport[] = [];
  const stopping = new AbortController();
  const listening = adapter.listener?.listen?.({
    gateway,
    signal: stopping.signal,
    report(report) {
      reports.push(report);
      world.api.changed();
    },
    heard() {},
  });
  const over = listening ?? Promise.resolve();
  over.catch(() => {});
  const stop = async () => {
    stopping.abort();
    await over.catch(() => {});
  };
  onTestFinished(stop);
  return { adapter, gateway, reports, logged, waits, over, stop };
}

/** A part of text for a chat. */
export function part(chat: Chat, text: string, more: Partial<Part> = {}): Part {
  return {
    id: "run1:answer:0" as DeliveryId,
    conversationId: chat.conversation(""),
    kind: "answer",
    text,
    buttons: [],
    answers: [] as MessageId[],
    ...more,
  };
}

export const CALM: SendContext = {
  repeatSince: undefined,
  draft: undefined,
  signal: new AbortController().signal,
};

function loggingTo(lines: string[]): Log {
  const write = (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const log: Log = { debug: write, info: write, warn: write, error: write, with: () => log };
  return log;
}
