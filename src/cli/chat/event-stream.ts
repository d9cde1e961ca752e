import { OutsideError } from "../../kernel/errors.ts";
import { EventReader } from "../../models/sse.ts";
import { failureOf, type BotClient } from "../bot-client.ts";
import { parseChatEvent, type ChatEvent } from "./chat-event.ts";

/**
 * What happens in a conversation from now on, begun by `open`: from then on nothing is missed until the stream ends.
 * With `lastEventId`, what was delivered after that delivery comes first. Ends when the bot closes the stream; throws
 * `OutsideError` when it cannot be had or falls silent.
 */
export async function* followEvents(
  bot: Pick<BotClient, "url" | "open">,
  options: {
    readonly conversation: string;
    readonly lastEventId: string | undefined;
    readonly signal: AbortSignal;
    /** The bot shows every 15 s that it is there; after this long without a word it is not. */
    readonly silenceMs?: number;
  },
): AsyncGenerator<ChatEvent | { readonly type: "open" }> {
  const { conversation, lastEventId, signal, silenceMs = 45_000 } = options;
  const silence = new AbortController();
  const watchdog = setTimeout(() => silence.abort(silent(bot.url)), silenceMs);
  try {
    const response = await bot.open({
      path: `/v1/conversations/${encodeURIComponent(conversation)}/events`,
      headers: { accept: "text/event-stream", ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }) },
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (!response.ok || response.body === null) throw await failureOf(response, bot.url);
    const reader = new EventReader();
    const decoder = new TextDecoder();
    let head: string | undefined = "";
    for await (const bytes of response.body as AsyncIterable<Uint8Array>) {
      watchdog.refresh();
      const text = decoder.decode(bytes, { stream: true });
      const events = reader.push(text);
      if (head !== undefined) {
        head += text;
        if (events.length > 0 || head.includes(": open")) {
          head = undefined;
          yield { type: "open" };
        }
      }
      for (const { data } of events) {
        const event = parseChatEvent(data);
        if (event !== undefined) yield event;
      }
    }
  } catch (error) {
    if (error instanceof OutsideError) throw error;
    throw new OutsideError(`The connection to ${bot.url} was cut`, {
      code: "unavailable",
      retry: { kind: "after" },
      cause: error,
    });
  } finally {
    clearTimeout(watchdog);
    silence.abort();
  }
}

function silent(url: string): OutsideError {
  return new OutsideError(`${url} fell silent`, { code: "timeout", retry: { kind: "after" } });
}
