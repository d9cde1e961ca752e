import type { Gateway, PlatformMessage, Press, Pressed } from "../../../src/platforms/listening.ts";
import type { PlatformNotes } from "../../../src/platforms/notes.ts";

/** What came through a gateway that keeps everything, once by conversation and id. */
export class Recorder implements Gateway {
  readonly messages: PlatformMessage[] = [];
  /** Every call, also of what was known. */
  readonly calls: PlatformMessage[] = [];
  readonly edits: { readonly conversationId: string; readonly id: string; readonly text: string }[] = [];
  readonly presses: Press[] = [];
  /** So many calls fail from now on: all, or those for messages that say `failsFor`. */
  failing = 0;
  failsFor: string | undefined;
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
    if (this.failing > 0 && (this.failsFor ?? message.text) === message.text) {
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
