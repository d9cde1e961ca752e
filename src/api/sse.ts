import type { TranscriptMessage } from "../agent/door-contract.ts";
import { describeError } from "../kernel/errors.ts";
import type { ConversationId } from "../kernel/ids.ts";
import type { Log } from "../kernel/ports.ts";
import type { LinkSigner } from "../store/artifact-links.ts";
import type { ShownLiveEvent } from "./contract.ts";
import type { LiveFeed } from "./live-feed.ts";
import { showApproval, showFiles } from "./show.ts";

/** What an event stream needs of its connection. */
export interface Sink {
  write(text: string): Promise<unknown>;
  onAbort(listener: () => void): void;
  /** Drops the connection with everything not yet written. */
  abort(): void;
}

/** What an event stream shows, to whom and for how long. */
export interface Watching {
  readonly conversation: ConversationId;
  /** The last delivery the client has seen, when it comes back. */
  readonly lastEventId: string | undefined;
  readonly feed: LiveFeed;
  /** Makes the links to files that were sent. */
  readonly links: LinkSigner;
  readonly transcript: (conversation: ConversationId) => Promise<readonly TranscriptMessage[]>;
  /** Whether the caller may still watch; asked at every heartbeat. */
  readonly stillAllowed: () => Promise<boolean>;
  readonly heartbeatMs: number;
  /** Ends the stream when it aborts. */
  readonly closing: AbortSignal | undefined;
  readonly log: Log;
}

/**
 * Writes the live events of a conversation until the client goes, the server closes, the caller loses the right to
 * watch, or events may have been missed: then the client comes back with the id of the last delivery it has seen, and
 * is given those after it first. Never throws.
 */
export async function streamEvents(sink: Sink, watching: Watching): Promise<void> {
  const { feed, links, closing, log, heartbeatMs } = watching;
  const over = Promise.withResolvers<void>();
  const writer = createWriter(sink, over.resolve);
  const shown = createShown();
  // Events that arrive before the past was written wait here.
  let held: ShownLiveEvent[] | undefined = [];
  const show = (event: ShownLiveEvent) => {
    if (event.type !== "delivery" || shown.isNew(event.delivery.id)) writer.write(frame(withLinks(event, links)));
  };
  const watch = feed.watch(watching.conversation, {
    event(event) {
      if (held === undefined) show(event);
      else if (held.push(event) > MAX_HELD) over.resolve();
    },
    lost: over.resolve,
  });
  let opened = false;
  const heartbeat = setInterval(() => {
    if (opened) writer.write(": still here\n\n");
    watching.stillAllowed().then(
      (allowed) => allowed || over.resolve(),
      (error: unknown) => log.warn({ error: describeError(error) }, "Could not check who watches a conversation"),
    );
  }, heartbeatMs);
  const end = () => over.resolve();
  sink.onAbort(end);
  closing?.addEventListener("abort", end);
  if (closing?.aborted === true) end();

  const begin = async () => {
    await watch.ready;
    writer.write(": open\nretry: 1000\n\n");
    opened = true;
    if (watching.lastEventId !== undefined) {
      const messages = await watching.transcript(watching.conversation);
      for (const { role, id } of messages) if (role === "assistant") shown.isNew(id);
      for (const event of missedDeliveries(messages, watching.lastEventId))
        writer.write(frame(withLinks(event, links)));
    }
    for (const event of held ?? []) show(event);
    held = undefined;
    await over.promise;
  };
  try {
    await Promise.race([begin(), over.promise]);
  } catch (error) {
    log.warn({ conversation: watching.conversation, error: describeError(error) }, "An event stream failed");
  } finally {
    watch.stop();
    clearInterval(heartbeat);
    closing?.removeEventListener("abort", end);
  }
}

/**
 * What the bot said after the delivery with this id, as events. All of it when there is no such delivery any more: the
 * client tells by their ids which it has. Pure.
 */
export function missedDeliveries(messages: readonly TranscriptMessage[], lastEventId: string): ShownLiveEvent[] {
  const last = messages.findIndex((message) => message.role === "assistant" && message.id === lastEventId);
  return messages
    .slice(last + 1)
    .filter((message) => message.role === "assistant")
    .map(({ id, text, at, runId, kind = "answer", choices, files, approval }) => ({
      type: "delivery",
      delivery: {
        id,
        kind,
        text,
        ...(choices === undefined ? {} : { choices: [...choices] }),
        ...(files === undefined ? {} : { files: [...files] }),
        ...(approval === undefined ? {} : { approval: showApproval(approval) }),
        answers: messages.filter((asked) => asked.role === "user" && asked.runId === runId).map((asked) => asked.id),
        at: new Date(at).toISOString(),
      },
    }));
}

/** How many events may wait while the past is read. */
const MAX_HELD = 1000;
/** How much may wait for a client that does not read, in UTF-16 units. */
const MAX_UNREAD = 4 * 1024 * 1024;
/** How many deliveries are remembered as shown: a repeated announcement comes soon after the first. */
const MAX_SHOWN = 1000;

function frame(event: ShownLiveEvent): string {
  const id = event.type === "delivery" ? `id: ${event.delivery.id}\n` : "";
  return `event: ${event.type}\n${id}data: ${JSON.stringify(event)}\n\n`;
}

function withLinks(event: ShownLiveEvent, links: LinkSigner): ShownLiveEvent {
  if (event.type !== "delivery" || event.delivery.files === undefined) return event;
  return { ...event, delivery: { ...event.delivery, files: showFiles(event.delivery.files, links) } };
}

function createWriter(sink: Sink, onStuck: () => void) {
  let unread = 0;
  return {
    write(text: string): void {
      unread += text.length;
      if (unread > MAX_UNREAD) {
        sink.abort();
        onStuck();
        return;
      }
      void sink.write(text).finally(() => {
        unread -= text.length;
      });
    },
  };
}

function createShown() {
  const ids = new Set<string>();
  return {
    /** Notes a delivery; false when it was noted before. */
    isNew(id: string): boolean {
      if (ids.has(id)) return false;
      ids.add(id);
      const [oldest] = ids;
      if (ids.size > MAX_SHOWN && oldest !== undefined) ids.delete(oldest);
      return true;
    },
  };
}
