import { describeError, OutsideError } from "../../kernel/errors.ts";
import type { ConversationId } from "../../kernel/ids.ts";
import type { Log } from "../../kernel/ports.ts";
import type { Presence } from "../contract.ts";
import type { PlatformNotes } from "../notes.ts";
import { slackFlavour } from "../render/slack.ts";
import type { SlackApi } from "./api.ts";
import { refusal } from "./errors.ts";
import { type Spot, spotOf } from "./ids.ts";
import { createPreviews } from "./preview.ts";

// Slack takes a status away after two minutes.
const TYPING_EVERY_MS = 60_000;
const PREVIEW_EVERY_MS = 1_500;
const STATUS_LIMIT = 250;
const MOST = 1_000;

/** Slack's words for what a workspace or an app cannot do at all: asked once, then left. */
const CANNOT: ReadonlySet<string | undefined> = new Set([
  "missing_scope",
  "unknown_method",
  "not_allowed_token_type",
  "method_not_supported_for_channel_type",
  "feature_not_enabled",
  "access_denied",
]);

/**
 * Creates the signs of life: a status in threads, a line of its own in direct chats, and previews where Slack streams. What
 * Slack refuses for good is tried no more, and said once.
 */
export function createPresence(api: SlackApi, notes: PlatformNotes, log: Log): Presence {
  /** What was last shown as the status of a thread: `typing` must not wipe it out. */
  const lines = new Map<ConversationId, string>();
  const left = new Set<string>();

  async function unlessLeft<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    if (left.has(what)) return undefined;
    try {
      return await work();
    } catch (error) {
      if (!CANNOT.has(refusal(error))) throw error;
      left.add(what);
      log.warn({ why: describeError(error) }, `Slack shows no ${what} from now on`);
      return undefined;
    }
  }

  async function setStatus({ channel, thread }: Spot, status: string, signal: AbortSignal): Promise<void> {
    if (thread === undefined) return;
    const args = { channel_id: channel, thread_ts: thread, status };
    await unlessLeft("status", () => api.call("assistant.threads.setStatus", args, { signal }));
  }

  const previews = createPreviews(api, notes);

  return {
    typingEveryMs: TYPING_EVERY_MS,
    typing: async (conversation, signal) => {
      await setStatus(spotOf(conversation), lines.get(conversation) ?? "is thinking…", signal);
    },

    progress: async (conversation, line, previous, signal) => {
      const { channel, thread } = spotOf(conversation);
      if (thread !== undefined && !left.has("status")) {
        lines.delete(conversation);
        lines.set(conversation, line.slice(0, STATUS_LIMIT));
        const oldest = lines.keys().next().value;
        if (lines.size > MOST && oldest !== undefined) lines.delete(oldest);
        await setStatus({ channel, thread }, line.slice(0, STATUS_LIMIT), signal);
        return previous;
      }
      const text = `_${slackFlavour.escape(line)}_`;
      if (previous !== undefined) {
        try {
          return (await api.call("chat.update", { channel, ts: previous, text }, { signal })).ts;
        } catch (error) {
          if (!(error instanceof OutsideError) || error.code !== "not-found") throw error;
        }
      }
      const inThread = thread === undefined ? {} : { thread_ts: thread };
      return (await api.call("chat.postMessage", { channel, ...inThread, text }, { signal })).ts;
    },

    clearProgress: async (conversation, previous, signal) => {
      const { channel, thread } = spotOf(conversation);
      lines.delete(conversation);
      if (previous === undefined) return await setStatus({ channel, thread }, "", signal);
      try {
        await api.call("chat.delete", { channel, ts: previous }, { signal });
      } catch (error) {
        if (!(error instanceof OutsideError) || error.code !== "not-found") throw error;
      }
    },

    previewEveryMs: PREVIEW_EVERY_MS,
    preview: (conversation, preview, signal) =>
      unlessLeft("preview", () => previews(spotOf(conversation), preview, signal)),
  };
}
