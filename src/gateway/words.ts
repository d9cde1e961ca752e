import type { WorkspaceId } from "../kernel/ids.ts";
import type { AccessRules } from "./gate.ts";

/** What somebody who may not talk to the bot is told. */
export function refusal(about: {
  readonly access: AccessRules["access"];
  readonly direct: boolean;
  /** The pairing code; undefined where none is given. */
  readonly code: string | undefined;
  readonly account: WorkspaceId;
}): string {
  const { access, direct, code, account } = about;
  if (access === "allowlist")
    return `I only talk with people on my list. Whoever runs me can add \`${account}\` to \`allowed\` in the settings.`;
  if (!direct) return "I do not know you yet. Send me a direct message, and I tell you how we can meet.";
  if (code === undefined)
    return "I do not know you yet, and too many people are asking right now. Please come back in an hour.";
  return [
    "I do not know you yet.",
    `Give this code to whoever runs me: **${code}**`,
    `They let you in with \`npx parley pair ${code}\` or by sending me \`/pair ${code}\`. The code is good for an hour; then write to me again.`,
  ].join("\n\n");
}
