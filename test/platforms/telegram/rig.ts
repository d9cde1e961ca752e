import { onTestFinished } from "vitest";
import type { DeliveryId, MessageId } from "../../../src/kernel/ids.ts";
import { systemClock, type Log } from "../../../src/kernel/ports.ts";
import type { Part, PlatformAdapter, SendContext } from "../../../src/platforms/contract.ts";
import type { ListenerReport } from "../../../src/platforms/listening.ts";
import type { PlatformNotes } from "../../../src/platforms/notes.ts";
import type { AdapterParts } from "../../../src/platforms/parts.ts";
import type { TelegramOptions } from "../../../src/platforms/telegram/options.ts";
import type { Chat } from "../world.ts";
import { memoryNotes, Recorder } from "./recorder.ts";
import { openTelegramWorld, type TelegramWorld } from "./world.ts";

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
