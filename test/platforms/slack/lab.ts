import { onTestFinished } from "vitest";
import type { ConversationId, DeliveryId } from "../../../src/kernel/ids.ts";
import type { ApprovalCard } from "../../../src/kernel/messages.ts";
import { type Clock, type Log, silentLog, systemClock } from "../../../src/kernel/ports.ts";
import type { Part, PlatformAdapter, SendContext } from "../../../src/platforms/contract.ts";
import type {
  Gateway,
  ListenContext,
  ListenerReport,
  PlatformMessage,
  Press,
  Pressed,
  Taken,
} from "../../../src/platforms/listening.ts";
import type { PlatformNotes } from "../../../src/platforms/notes.ts";
import { createSlackAdapter, type SlackOptions } from "../../../src/platforms/slack/adapter.ts";
import { openSlackWorld, type SlackWorld } from "./world.ts";

/** Notes that are kept in memory; several adapters may share them, as processes share Redis. */
export function memoryNotes(): PlatformNotes & { readonly all: Map<string, string> } {
  const all = new Map<string, string>();
  const reached = new Map<string, { channel: string; cursor: string; at: number }>();
  return {
    all,
    read: (key) => Promise.resolve(all.get(key)),
    write: (key, value) => {
      all.set(key, value);
      return Promise.resolve();
    },
    keep: (key, value) => {
      if (!all.has(key)) all.set(key, value);
      return Promise.resolve(all.get(key) ?? value);
    },
    reach: (channel, cursor, at) => {
      if ((reached.get(channel)?.at ?? 0) <= at) reached.set(channel, { channel, cursor, at });
      return Promise.resolve();
    },
    reached: () => Promise.resolve([...reached.values()].sort((a, b) => b.at - a.at)),
  };
}

/** A gateway that writes down what comes in and lets a test decide what becomes of it. */
export class RecordingGateway implements Gateway {
  readonly messages: PlatformMessage[] = [];
  /** Every call, also of what is known already. */
  readonly calls: string[] = [];
  /** What became durable, in order. */
  readonly order: string[] = [];
  readonly edits: { conversationId: ConversationId; id: string; text: string }[] = [];
  readonly deletions: { conversationId: ConversationId; id: string }[] = [];
  readonly presses: Press[] = [];
  readonly cards = new Map<string, ApprovalCard>();
  answer: Pressed = { notice: "Noted." };
  /** What must happen before a message counts as kept; throwing means that it could not be. */
  keep: (message: PlatformMessage) => Promise<void> = () => Promise.resolve();
  readonly #seen = new Set<string>();
  readonly #watchers = new Set<() => void>();

  async message(message: PlatformMessage): Promise<Taken> {
    this.calls.push(message.id);
    this.#changed();
    await this.keep(message);
    const key = `${message.conversationId} ${message.id}`;
    const known = this.#seen.has(key);
    this.#seen.add(key);
    if (!known) this.messages.push(message);
    this.order.push(`message ${message.id}`);
    this.#changed();
    if (message.author.isBot || (!message.addressed && !message.thread)) return "ignored";
    return known ? "known" : "kept";
  }

  edited(change: { conversationId: ConversationId; id: string; text: string }): Promise<void> {
    this.edits.push(change);
    this.order.push(`edit ${change.id}`);
    this.#changed();
    return Promise.resolve();
  }

  deleted(change: { conversationId: ConversationId; id: string }): Promise<void> {
    this.deletions.push(change);
    this.#changed();
    return Promise.resolve();
  }

  pressed(press: Press): Promise<Pressed> {
    this.presses.push(press);
    this.#changed();
    return Promise.resolve(this.answer);
  }

  approval(token: string): Promise<ApprovalCard | undefined> {
    return Promise.resolve(this.cards.get(token));
  }

  busy(): Promise<boolean> {
    return Promise.resolve(false);
  }

  /** Resolves when the condition holds; looked at after every call. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const watcher = () => {
        if (!condition()) return;
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
      watcher();
    });
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

/** An adapter that listens, and everything around it. */
export interface Lab {
  readonly world: SlackWorld;
  readonly adapter: PlatformAdapter;
  readonly gateway: RecordingGateway;
  readonly notes: ReturnType<typeof memoryNotes>;
  readonly reports: ListenerReport[];
  /** Every line of the log that an operator reads. */
  readonly logged: string[];
  /** Begins to listen, and waits until it does; gives the way to stop. */
  readonly listen: () => Promise<() => Promise<void>>;
  /** Begins to listen, whatever comes of it. */
  readonly begin: () => { readonly ended: Promise<void>; readonly stop: () => void };
}

export interface LabOptions {
  readonly world?: SlackWorld;
  readonly notes?: ReturnType<typeof memoryNotes>;
  readonly gateway?: RecordingGateway;
  readonly options?: Partial<SlackOptions>;
  readonly clock?: Clock;
  readonly files?: Readonly<Record<string, Buffer>>;
}

/** Opens a world with one adapter on it; everything ends with the test. */
export async function slackLab(setup: LabOptions = {}): Promise<Lab> {
  const world = setup.world ?? (await openSlackWorld());
  if (setup.world === undefined) onTestFinished(() => world.close());
  const { notes = memoryNotes(), gateway = new RecordingGateway(), clock = systemClock, files = {} } = setup;
  const logged: string[] = [];
  const log = recordingLog(logged);
  const adapter = createSlackAdapter(
    { ...world.options(), ...setup.options },
    { clock, log, notes, readFile: (file) => Promise.resolve(files[file.artifact_id]) },
  );
  const reports: ListenerReport[] = [];
  const watchers = new Set<() => void>();

  const begin = () => {
    const stopping = new AbortController();
    const context: ListenContext = {
      gateway,
      signal: stopping.signal,
      heard() {},
      report: (report) => {
        reports.push(report);
        for (const watcher of watchers) watcher();
      },
    };
    const ended = adapter.listener?.listen?.(context) ?? Promise.resolve();
    ended.catch(() => {});
    onTestFinished(async () => {
      stopping.abort();
      await ended.catch(() => {});
    });
    return {
      ended,
      stop: () => {
        stopping.abort();
      },
    };
  };

  return {
    world,
    adapter,
    gateway,
    notes,
    reports,
    logged,
    begin,
    listen: async () => {
      const before = reports.length;
      const { ended, stop } = begin();
      const connected = new Promise<void>((resolve) => {
        const watcher = () => {
          if (reports.slice(before).some((report) => report.connected)) resolve();
        };
        watchers.add(watcher);
      });
      await Promise.race([connected, ended]);
      return async () => {
        stop();
        await ended;
      };
    },
  };
}

/** A part as the core makes it. */
export function part(conversationId: ConversationId, text: string, more: Partial<Part> = {}): Part {
  const id = "run1:final:0" as DeliveryId;
  return { id, conversationId, kind: "answer", text, buttons: [], answers: [], ...more };
}

/** The circumstances of a first try. */
export function firstTry(more: Partial<SendContext> = {}): SendContext {
  return { repeatSince: undefined, draft: undefined, signal: new AbortController().signal, ...more };
}

function recordingLog(lines: string[]): Log {
  const write = (fields: object, message: string) => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
  };
  return { ...silentLog, info: write, warn: write, error: write, with: () => recordingLog(lines) };
}
