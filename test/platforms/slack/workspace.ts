import { randomBytes } from "node:crypto";
import type { WorldFile } from "../world.ts";

/** A file as the workspace keeps it. */
export interface KeptFile extends WorldFile {
  readonly id: string;
  readonly user: string;
  shared: { channel: string; ts: string } | undefined;
  /** Uploaded and completed: before that nobody sees it. */
  complete: boolean;
}

/** A message as the workspace keeps it; what is optional here is left out in Slack's answers. */
export interface KeptMessage {
  readonly type: "message";
  readonly ts: string;
  readonly channel: string;
  user?: string;
  bot_id?: string;
  app_id?: string;
  subtype?: string;
  text: string;
  thread_ts?: string;
  blocks?: Record<string, unknown>[];
  metadata?: { event_type: string; event_payload: Record<string, unknown> };
  files?: KeptFile[];
  edited?: { user: string; ts: string };
  /** Written by a stream that is still open. */
  streaming?: boolean;
}

export interface Channel {
  readonly id: string;
  readonly name: string;
  readonly direct: boolean;
  /** The person of a direct chat. */
  readonly user?: string;
  botIsMember: boolean;
  archived: boolean;
}

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly isBot: boolean;
  readonly botId?: string;
}

export const TEAM = "T0PARLEY1";
export const APP = "A0PARLEY1";
export const BOT: Account = { id: "U0PARLEYB", name: "parley", isBot: true, botId: "B0PARLEY1" };

/** People, channels and messages of one Slack workspace, as its server has them. */
export class Workspace {
  readonly accounts = new Map<string, Account>([[BOT.id, BOT]]);
  readonly channels = new Map<string, Channel>();
  readonly messages: KeptMessage[] = [];
  readonly files = new Map<string, KeptFile>();
  /** What only one person saw. */
  readonly ephemerals: { channel: string; user: string; text: string; thread_ts?: string | undefined }[] = [];
  #last = 0;
  readonly #watchers = new Set<() => void>();

  /** Names of messages grow, whatever the clock does. */
  nextTs(): string {
    this.#last = Math.max(this.#last + 1, Date.now());
    return `${Math.floor(this.#last / 1_000)}.${String(this.#last % 1_000).padStart(3, "0")}100`;
  }

  newId(kind: string): string {
    return `${kind}0${randomBytes(4).toString("hex").toUpperCase()}`;
  }

  account(name: string, isBot: boolean): Account {
    const known = [...this.accounts.values()].find((account) => account.name === name && account.isBot === isBot);
    if (known !== undefined) return known;
    const made: Account = isBot
      ? { id: this.newId("U"), name, isBot, botId: this.newId("B") }
      : { id: this.newId("U"), name, isBot };
    this.accounts.set(made.id, made);
    return made;
  }

  channel(name: string, person?: Account): Channel {
    const known = [...this.channels.values()].find((one) => one.name === name && one.direct === (person !== undefined));
    if (known !== undefined) return known;
    const made: Channel = {
      id: this.newId(person === undefined ? "C" : "D"),
      name,
      direct: person !== undefined,
      ...(person === undefined ? {} : { user: person.id }),
      botIsMember: true,
      archived: false,
    };
    this.channels.set(made.id, made);
    return made;
  }

  message(channel: string, ts: string): KeptMessage | undefined {
    return this.messages.find((message) => message.channel === channel && message.ts === ts);
  }

  add(message: Omit<KeptMessage, "type" | "ts"> & { ts?: string }): KeptMessage {
    const added: KeptMessage = { ts: this.nextTs(), ...message, type: "message" };
    this.messages.push(added);
    this.changed();
    return added;
  }

  remove(message: KeptMessage): void {
    this.messages.splice(this.messages.indexOf(message), 1);
    this.changed();
  }

  changed(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** Resolves with what `look` gives, once it gives something; looked at after every change. */
  until<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const watcher = () => {
        const seen = look();
        if (seen === undefined) return;
        this.#watchers.delete(watcher);
        resolve(seen);
      };
      this.#watchers.add(watcher);
      watcher();
    });
  }
}
