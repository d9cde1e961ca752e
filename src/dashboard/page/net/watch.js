// @ts-check
import { backoffMs } from "../state/backoff.js";
import { createEventReader } from "../state/event-stream.js";
import { Failure } from "../state/failures.js";
import { pathOf } from "./api.js";
import { createNudge } from "./nudge.js";

/** @import { ShownLiveEvent } from "../../../api/contract.ts" */
/** @import { Requests } from "./requests.js" */

/** @typedef {"connecting" | "live" | "reconnecting" | "offline"} Link How well the page hears what happens. */

/**
 * @typedef {object} Watcher
 * @property {(link: Link) => void} link
 * @property {() => void} opened Events flow from here on; what happened before must be asked for.
 * @property {(event: ShownLiveEvent) => void} event
 * @property {() => void} refused The server answers but gives no stream: events must be asked for instead.
 */

/** The server shows that it is alive every 15 s; a stream that is silent for longer than two of them is dead. */
const SILENCE_MS = 35_000;
const RETRY = { first: 500, most: 8_000 };
/** After this many failures in a row the server counts as away. */
const OFFLINE_AFTER = 3;
const WAIT_FOR_RETRY_MS = 60_000;

/**
 * Follows a conversation's events until `stop`, coming back after every end of the stream.
 * @param {{ requests: Pick<Requests, "stream">, conversation: string, watcher: Watcher }} parts
 */
export function watch({ requests, conversation, watcher }) {
  const over = new AbortController();
  const nudge = createNudge();
  /** @type {string | undefined} */
  let lastEventId;
  let failures = 0;

  async function follow() {
    watcher.link("connecting");
    while (!over.signal.aborted) {
      try {
        await readOnce();
      } catch (error) {
        const status = error instanceof Failure ? error.status : 0;
        if (over.signal.aborted) return;
        if (status === 404 || status === 401) {
          // Not there before its first message is, or not for us: only `retry` can know better.
          failures = 0;
          if (status === 404) watcher.refused();
          watcher.link(status === 404 ? "live" : "offline");
          await nudge.wait(WAIT_FOR_RETRY_MS, over.signal);
          continue;
        }
        if (status > 0) watcher.refused();
      }
      if (over.signal.aborted) return;
      failures += 1;
      watcher.link(failures > OFFLINE_AFTER || !navigator.onLine ? "offline" : "reconnecting");
      await nudge.wait(backoffMs(failures, RETRY, Math.random()), over.signal);
    }
  }

  async function readOnce() {
    const attempt = new AbortController();
    const signal = AbortSignal.any([over.signal, attempt.signal]);
    const silence = createWatchdog(SILENCE_MS, () => attempt.abort());
    try {
      /** @type {Record<string, string>} */
      const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
      const body = await requests.stream(`${pathOf(conversation)}/events`, headers, signal);
      const events = createEventReader();
      const decoder = new TextDecoder();
      let open = false;
      for await (const chunk of chunksOf(body)) {
        silence.heard();
        const found = events.push(decoder.decode(chunk, { stream: true }));
        if (!open) {
          open = true;
          failures = 0;
          watcher.opened();
          watcher.link("live");
        }
        for (const { id, data } of found) {
          if (id !== undefined) lastEventId = id;
          const event = parseEvent(data);
          if (event !== undefined) watcher.event(event);
        }
      }
    } finally {
      silence.stop();
      attempt.abort();
    }
  }

  void follow();
  return {
    /** Tries again at once instead of waiting; does nothing while the stream is open. */
    retry: () => nudge.now(),
    stop: () => over.abort(),
  };
}

/** @param {ReadableStream<Uint8Array>} body */
async function* chunksOf(body) {
  // Not every browser can iterate over a stream.
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

/** @param {string} data @returns {ShownLiveEvent | undefined} */
function parseEvent(data) {
  try {
    return /** @type {ShownLiveEvent} */ (JSON.parse(data));
  } catch {
    return undefined;
  }
}

/** @param {number} ms @param {() => void} onSilence */
function createWatchdog(ms, onSilence) {
  let timer = setTimeout(onSilence, ms);
  return {
    heard() {
      clearTimeout(timer);
      timer = setTimeout(onSilence, ms);
    },
    stop: () => clearTimeout(timer),
  };
}
