import type { ConversationId, WorkspaceId } from "../../src/kernel/ids.ts";
import type { PlatformName } from "../../src/kernel/messages.ts";
import type { PlatformAdapter } from "../../src/platforms/contract.ts";
import type { AdapterParts } from "../../src/platforms/parts.ts";

/** A file as a person sends or sees it. */
export interface WorldFile {
  readonly name: string;
  readonly mimeType: string;
  readonly content: Buffer;
}

/** One of the bot's messages as people see it now, edits applied, deleted ones left out. */
export interface Shown {
  readonly id: string;
  /** As it was posted, in the platform's own markup. */
  readonly text: string;
  readonly buttons: readonly { readonly label: string }[];
  readonly files: readonly WorldFile[];
}

/** A place where people talk on the platform. */
export interface Chat {
  readonly direct: boolean;
  /** The conversation a message said here (without a thread) belongs to, once the bot was addressed with message `id`. */
  conversation(id: string): ConversationId;
}

/** What the platform does wrong at the next calls that post something. */
export type Fault =
  | { readonly kind: "rate-limited"; readonly seconds: number }
  | { readonly kind: "failing"; readonly status: number }
  /** The message is posted, the reply never comes. */
  | { readonly kind: "reply-lost" }
  /** The token is not (or no longer) good. */
  | { readonly kind: "unauthorized" }
  /** The bot may not post there. */
  | { readonly kind: "forbidden" }
  /** The platform refuses the markup. */
  | { readonly kind: "markup-refused" };

/**
 * A platform on this machine, as the people on it use it: a local server that behaves like the real one. Built by each
 * platform's tests; the contract suite and the scripts that run over all platforms use nothing else.
 */
export interface World {
  readonly platform: PlatformName;
  /** A new adapter on the real client library, talking to this world; several may live at once. */
  adapter(parts: AdapterParts): PlatformAdapter;
  /** Where the program answers, for a platform that is a part of it. */
  attach?(url: string): void;
  /** Settings under which the whole program reaches this world: environment variables. */
  readonly env: Readonly<Record<string, string>>;
  person(name: string): { readonly id: WorkspaceId; readonly name: string; readonly isBot: boolean };
  bot(name: string): { readonly id: WorkspaceId; readonly name: string; readonly isBot: boolean };
  /** The direct chat of a person with the bot; the same for the same name. */
  direct(person: string): Chat;
  /** A group's channel, the same for the same name; undefined where there are none. */
  group?(name: string): Chat;
  /** A thread that begins with message `id`; undefined where there are no threads. */
  thread?(chat: Chat, id: string): Chat;
  /** Says something; resolves with the platform's id once the server has it, not once the bot has. */
  say(
    chat: Chat,
    by: string,
    message: { readonly text: string; readonly mention?: boolean; readonly files?: readonly WorldFile[] },
  ): Promise<string>;
  edit(chat: Chat, id: string, text: string): Promise<void>;
  /** Undefined where bots are not told of it. */
  delete?(chat: Chat, id: string): Promise<void>;
  /** Gives a command in the platform's own form (a slash command, a menu entry); resolves as `say`. */
  command(chat: Chat, by: string, command: string): Promise<string>;
  /** Presses a button of a message; resolves with what the person is told. */
  press(chat: Chat, by: string, message: Shown, label: string): Promise<string>;
  /** What the bot posted there, oldest first. */
  shown(chat: Chat): readonly Shown[];
  /** Resolves when `shown` meets the condition; looked at after every change. */
  until(chat: Chat, condition: (shown: readonly Shown[]) => boolean): Promise<readonly Shown[]>;
  /** The next calls that post meet these, one each; undefined where nothing leaves the process. */
  fault?(...faults: readonly Fault[]): void;
  /** Cuts every connection that events come in by; the client has to come back by itself. */
  cut?(): void;
  /** Brings the event of message `id` again, this many times. */
  redeliver(id: string, times: number): Promise<void>;
  /** Events that the platform still counts as not received (sent again or offered again until they are). */
  unacknowledged(): number;
  close(): Promise<void>;
}
