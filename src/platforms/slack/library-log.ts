import { LogLevel } from "@slack/bolt";
import type { Logger } from "@slack/bolt";
import type { Log } from "../../kernel/ports.ts";

/** The client libraries' own words, as details of ours: what matters of them is thrown or reported by us. */
export function libraryLog(log: Log): Logger {
  const write = (...words: readonly unknown[]) => {
    log.debug({}, `Slack's library: ${words.map(String).join(" ")}`);
  };
  return {
    // Its debug lines hold whole messages and addresses with tickets in them.
    debug() {},
    info: write,
    warn: write,
    error: write,
    setLevel() {},
    getLevel: () => LogLevel.INFO,
    setName() {},
  };
}
