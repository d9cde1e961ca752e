import type { Update } from "grammy/types";
import { ApiFault } from "./api-fault.ts";

interface Waiting {
  readonly offset: number;
  readonly limit: number;
  readonly give: (updates: Update[]) => void;
  readonly refuse: (fault: ApiFault) => void;
  readonly cut: () => void;
  readonly timer: NodeJS.Timeout;
}

interface WebhookTarget {
  readonly url: string;
  readonly secret: string | undefined;
}

/** Where the server posts updates; how failures are retried is quicker than at Telegram, the rest is as there. */
const RETRY_MS = 25;

/**
 * The updates that wait at Telegram: given again and again until they are confirmed by a later offset, or brought to a
 * webhook, of one chat one after the other.
 */
export class Updates {
  readonly #pending: Update[] = [];
  readonly #all: Update[] = [];
  readonly #busyChats = new Set<number>();
  #next = 1_000;
  #waiting: Waiting | undefined;
  #webhook: WebhookTarget | undefined;
  #allowed: readonly string[] | undefined;
  #lastError: string | undefined;
  #closed = false;
  /** How often a poll ended another one. */
  conflicts = 0;
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get pending(): number {
    return this.#pending.length;
  }

  get webhook(): WebhookTarget | undefined {
    return this.#webhook;
  }

  get lastError(): string | undefined {
    return this.#lastError;
  }

  get polled(): boolean {
    return this.#waiting !== undefined;
  }

  /** A new update; what nobody asked for is not kept. */
  add(content: Omit<Update, "update_id">): void {
    const kind = Object.keys(content)[0];
    if (this.#allowed !== undefined && !this.#allowed.includes(kind ?? "")) return;
    const update: Update = { update_id: this.#next++, ...content };
    this.#pending.push(update);
    this.#all.push(update);
    this.#changed();
    this.#offer();
  }

  /** The update that brought this message, once more. */
  again(messageId: string): void {
    const update = this.#all.find(({ message }) => String(message?.message_id) === messageId);
    if (update === undefined) throw new Error(`no message ${messageId} was ever sent`);
    const { update_id: _, ...content } = update;
    this.add(content);
  }

  poll(request: {
    readonly offset: number;
    readonly limit: number;
    readonly timeout: number;
    readonly allowed: readonly string[] | undefined;
    readonly cut: () => void;
  }): Promise<Update[]> {
    if (this.#webhook !== undefined)
      throw new ApiFault(
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
      );
    this.#allowed = request.allowed ?? this.#allowed;
    this.conflicts += this.#waiting === undefined ? 0 : 1;
    this.#endWaiting((waiting) =>
      waiting.refuse(
        new ApiFault(
          409,
          "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
        ),
      ),
    );
    const confirmed = this.#pending.findIndex(({ update_id: id }) => id >= request.offset);
    this.#pending.splice(0, confirmed === -1 ? this.#pending.length : confirmed);
    queueMicrotask(() => this.#changed());
    return new Promise((give, refuse) => {
      const timer = setTimeout(() => this.#endWaiting((waiting) => waiting.give([])), request.timeout * 1000);
      this.#waiting = { ...request, give, refuse, timer };
      if (request.timeout === 0) this.#endWaiting((waiting) => waiting.give(this.#pending.slice(0, waiting.limit)));
      else this.#offer();
    });
  }

  /** The connection a poll came by is gone. */
  left(cut: () => void): void {
    if (this.#waiting?.cut === cut) this.#endWaiting(() => {});
  }

  cut(): void {
    this.#endWaiting((waiting) => waiting.cut());
  }

  setWebhook(target: WebhookTarget | undefined, allowed?: readonly string[]): void {
    this.#webhook = target;
    this.#lastError = undefined;
    if (allowed !== undefined) this.#allowed = allowed;
    if (target !== undefined)
      this.#endWaiting((waiting) => waiting.refuse(new ApiFault(409, "Conflict: terminated by setWebhook request")));
    this.#offer();
  }

  close(): void {
    this.#closed = true;
    this.#webhook = undefined;
    this.#endWaiting((waiting) => waiting.cut());
  }

  #endWaiting(end: (waiting: Waiting) => void): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    clearTimeout(waiting.timer);
    end(waiting);
    queueMicrotask(() => this.#changed());
  }

  #offer(): void {
    if (this.#webhook !== undefined) return this.#bring();
    if (this.#pending.length > 0) this.#endWaiting((waiting) => waiting.give(this.#pending.slice(0, waiting.limit)));
  }

  #bring(): void {
    const seen = new Set<number>();
    for (const update of this.#pending) {
      const chat = chatOf(update);
      if (seen.has(chat)) continue;
      seen.add(chat);
      if (!this.#busyChats.has(chat)) void this.#post(update, chat);
    }
  }

  async #post(update: Update, chat: number): Promise<void> {
    const target = this.#webhook;
    if (target === undefined) return;
    this.#busyChats.add(chat);
    const error = await deliver(target, update);
    this.#busyChats.delete(chat);
    if (this.#closed) return;
    if (error === undefined) {
      const index = this.#pending.indexOf(update);
      if (index !== -1) this.#pending.splice(index, 1);
      this.#changed();
      return this.#offer();
    }
    this.#lastError = error;
    this.#changed();
    setTimeout(() => this.#offer(), RETRY_MS);
  }
}

async function deliver(target: WebhookTarget, update: Update): Promise<string | undefined> {
  try {
    const response = await fetch(target.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(target.secret === undefined ? {} : { "x-telegram-bot-api-secret-token": target.secret }),
      },
      body: JSON.stringify(update),
    });
    await response.body?.cancel();
    return response.ok ? undefined : `Wrong response from the webhook: ${response.status} ${response.statusText}`;
  } catch {
    return "Connection refused";
  }
}

function chatOf({ message, edited_message: edited, callback_query: press }: Update): number {
  return (message ?? edited ?? press?.message)?.chat.id ?? 0;
}
