import type { PlatformName } from "../kernel/messages.ts";
import type { PlatformAdapter } from "./contract.ts";

/**
 * The web page, the terminal and the API: their readers read the record itself, so a message is posted by being
 * recorded, exactly once, whole, and its posted id is its delivery id.
 */
export function createRecordedPlatform(name: PlatformName): PlatformAdapter {
  return {
    name,
    sendSafety: "by-record",
    // What the readers make of the record and of the live events.
    abilities: {
      edit: false,
      typing: true,
      stream: true,
      threads: false,
      buttons: true,
      files: true,
      reactions: false,
      ephemeral: false,
      history: true,
    },
    render: ({ text }) => [text],
    send: ({ id }) => Promise.resolve({ postedId: id }),
  };
}
