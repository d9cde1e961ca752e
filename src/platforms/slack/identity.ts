import type { SlackApi } from "./api.ts";
import type { Self } from "./events.ts";
import { BOT_SCOPES } from "./methods.ts";

/** Who the bot is, asked once; and what it lacks. */
export interface Identity {
  /** Throws `OutsideError` when Slack does not take the token; the next call asks again. */
  self(): Promise<Self>;
  /** Asks again, whatever is known: tells whether the token is still good. Gives what is missing, in one sentence. */
  check(): Promise<string | undefined>;
}

/** Creates the identity behind the bot's token. */
export function createIdentity(api: SlackApi): Identity {
  let known: Promise<Self> | undefined;
  let lacking: string | undefined;

  async function ask(): Promise<Self> {
    const reply = await api.call("auth.test", {});
    lacking = missing(reply.response_metadata?.scopes);
    return { user: reply.user_id, bot: reply.bot_id, team: reply.team_id };
  }
  function learn(): Promise<Self> {
    const asked = ask();
    known = asked;
    asked.catch(() => {
      if (known === asked) known = undefined;
    });
    return asked;
  }

  return {
    self: () => known ?? learn(),
    check: async () => {
      await learn();
      return lacking;
    },
  };
}

/** What to tell the operator about scopes that were not granted; undefined when Slack does not say which were. */
function missing(granted: readonly string[] | undefined): string | undefined {
  if (granted === undefined || granted.length === 0) return undefined;
  const lacking = BOT_SCOPES.filter((scope) => !granted.includes(scope));
  if (lacking.length === 0) return undefined;
  return `The Slack app lacks the scope${lacking.length === 1 ? "" : "s"} ${lacking.join(", ")}: add what is missing under OAuth & Permissions and install the app again`;
}
