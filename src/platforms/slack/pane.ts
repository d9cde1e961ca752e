import { describeError } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/ports.ts";
import type { PlatformNotes } from "../notes.ts";
import type { SlackApi } from "./api.ts";

/** The assistant's pane: what greets a person there, and what their talks are called. Nothing of it is needed to talk. */
export interface Pane {
  opened(channel: string, thread: string): Promise<void>;
  /** A message was taken in a thread of a direct chat: the first one gives the thread its title. */
  talked(channel: string, thread: string, text: string): void;
}

const DAY_MS = 86_400_000;
const TITLE_LIMIT = 60;

/** Shown to a person who opens the pane, to begin with a click. */
const PROMPTS = [
  { title: "What can you do?", message: "What can you do for me?" },
  { title: "Remind me of something", message: "Remind me tomorrow at 9 to look at my notes" },
  { title: "What do you remember?", message: "What do you remember about me?" },
];

/** Creates the pane's courtesies. */
export function createPane(api: SlackApi, notes: PlatformNotes, log: Log): Pane {
  const key = (channel: string, thread: string) => `pane:${channel}:${thread}`;

  async function kindly(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      log.info({ why: describeError(error) }, `could not ${what} in Slack's assistant pane`);
    }
  }

  return {
    opened: async (channel_id, thread_ts) => {
      await notes.write(key(channel_id, thread_ts), "untitled", DAY_MS);
      const prompts = { channel_id, thread_ts, title: "How can I help?", prompts: PROMPTS };
      await kindly("greet", () => api.call("assistant.threads.setSuggestedPrompts", prompts, { quick: true }));
    },
    talked: (channel_id, thread_ts, text) => {
      void kindly("set a title", async () => {
        const note = key(channel_id, thread_ts);
        if ((await notes.read(note)) !== "untitled") return;
        await notes.write(note, "titled", DAY_MS);
        const [line = ""] = text.split("\n");
        const title = line.length <= TITLE_LIMIT ? line : `${line.slice(0, TITLE_LIMIT - 1).trimEnd()}…`;
        if (title !== "") await api.call("assistant.threads.setTitle", { channel_id, thread_ts, title });
      });
    },
  };
}
