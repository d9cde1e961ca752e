import type { PlatformName } from "../kernel/messages.ts";
import type { PlatformAdapter } from "./contract.ts";

/**
 * The web page, the terminal and the API: their readers read the record itself, so a message is posted by being
 * recorded, exactly once, and its posted id is its delivery id.
 */
export function createRecordedPlatform(name: PlatformName): PlatformAdapter {
  return {
    name,
    sendSafety: "by-record",
    send: (message) => Promise.resolve({ postedId: message.id }),
  };
}
