import { webApi } from "@slack/bolt";
import { z } from "zod";
import { describeError, type OutsideCode, OutsideError, type Retry } from "../../kernel/errors.ts";

interface Meaning {
  readonly code: OutsideCode;
  /** Another try may do: without it, only a person can help. */
  readonly again?: true;
  /** What is wrong and what to do, for the operator. */
  readonly advice: string;
}

const TOKEN = "check SLACK_BOT_TOKEN: install the app to the workspace again and copy its bot token";
const PASSING = "the trouble is Slack's and passes";
const INVITE = "invite the bot to the channel with /invite";

/** What Slack's error codes mean for us. What is not in it is refused for good, with Slack's own word. */
export const MEANINGS: Readonly<Record<string, Meaning>> = {
  ratelimited: { code: "rate-limited", again: true, advice: "too many calls" },
  rate_limited: { code: "rate-limited", again: true, advice: "too many calls" },
  message_limit_exceeded: { code: "rate-limited", again: true, advice: "the workspace posts too many messages" },
  not_authed: { code: "unauthorized", advice: TOKEN },
  invalid_auth: { code: "unauthorized", advice: TOKEN },
  token_revoked: { code: "unauthorized", advice: `the token was revoked; ${TOKEN}` },
  token_expired: { code: "unauthorized", advice: `the token has expired; ${TOKEN}` },
  account_inactive: { code: "unauthorized", advice: `the app was removed from the workspace; ${TOKEN}` },
  org_login_required: { code: "unavailable", again: true, advice: "the workspace is being moved; it comes back" },
  missing_scope: { code: "forbidden", advice: "add the scope under OAuth & Permissions and install the app again" },
  not_allowed_token_type: { code: "forbidden", advice: "another kind of token is needed for it" },
  no_permission: { code: "forbidden", advice: INVITE },
  not_in_channel: { code: "forbidden", advice: INVITE },
  restricted_action: { code: "forbidden", advice: "the workspace's settings do not let the bot post there" },
  restricted_action_read_only_channel: { code: "forbidden", advice: "only some people may post in this channel" },
  restricted_action_thread_only_channel: { code: "forbidden", advice: "this channel takes replies in threads only" },
  restricted_action_thread_locked: { code: "forbidden", advice: "the thread is locked" },
  access_denied: { code: "forbidden", advice: "the app may not do this in this workspace" },
  cannot_dm_bot: { code: "forbidden", advice: "bots cannot write to bots" },
  ekm_access_denied: { code: "forbidden", advice: "the workspace's administrators have suspended posting there" },
  messages_tab_disabled: { code: "forbidden", advice: "switch on the Messages tab under App Home" },
  channel_not_found: { code: "not-found", advice: `the channel is gone or the bot is not in it; ${INVITE}` },
  is_archived: { code: "not-found", advice: "the channel is archived" },
  thread_not_found: { code: "not-found", advice: "the thread was deleted" },
  message_not_found: { code: "not-found", advice: "the message was deleted" },
  cant_update_message: { code: "not-found", advice: "the message is not the bot's" },
  file_not_found: { code: "not-found", advice: "the file was deleted" },
  file_deleted: { code: "not-found", advice: "the file was deleted" },
  user_not_found: { code: "not-found", advice: "the person is gone" },
  msg_too_long: { code: "too-large", advice: "the message is too long" },
  msg_blocks_too_long: { code: "too-large", advice: "the message is too long" },
  file_uploads_disabled: { code: "forbidden", advice: "files are switched off in this workspace" },
  storage_limit_reached: { code: "quota-exhausted", advice: "the workspace's space for files is used up" },
  invalid_blocks: { code: "bad-request", advice: "the form of the message was refused" },
  invalid_blocks_format: { code: "bad-request", advice: "the form of the message was refused" },
  fatal_error: { code: "unavailable", again: true, advice: PASSING },
  internal_error: { code: "unavailable", again: true, advice: PASSING },
  service_unavailable: { code: "unavailable", again: true, advice: PASSING },
  request_timeout: { code: "timeout", again: true, advice: PASSING },
  messaging_processing_failed: { code: "unavailable", again: true, advice: PASSING },
};

/** A call as it is named in messages. */
export interface Called {
  readonly method: string;
  readonly where?: string | undefined;
}

/** Slack's own word for why it refused; undefined when the failure was another. */
export function refusal(error: unknown): string | undefined {
  const original: unknown = error instanceof OutsideError ? error.cause : error;
  return original instanceof webApi.WebAPIPlatformError ? original.data.error : undefined;
}

/** Whatever the client library threw, as the one error that platforms throw. Nothing of the request gets into it. */
export function outsideError(error: unknown, { method, where }: Called): OutsideError {
  if (error instanceof OutsideError) return error;
  const name = where === undefined ? method : `${method} in ${where}`;
  if (error instanceof webApi.WebAPIRateLimitedError) return rateLimited(name, error.retryAfter * 1_000, error);
  if (error instanceof webApi.WebAPIPlatformError) return refused(name, error);
  if (error instanceof webApi.WebAPIHTTPError) {
    const again = error.statusCode >= 500 || error.statusCode === 408;
    return new OutsideError(`Slack answered ${name} with HTTP ${error.statusCode}`, {
      code: again ? "unavailable" : "failed",
      retry: again ? { kind: "after" } : { kind: "never" },
      cause: error,
    });
  }
  if (error instanceof webApi.WebAPIRequestError) {
    const timeout = error.original.name === "TimeoutError";
    const what = timeout ? "did not answer in time" : "could not be reached";
    return new OutsideError(`Slack ${what} for ${name}`, {
      code: timeout ? "timeout" : "unavailable",
      retry: { kind: "after" },
      cause: error.original,
    });
  }
  // A 429 that does not say for how long is thrown without a class.
  if (error instanceof Error && error.message.startsWith("Retry header")) return rateLimited(name, undefined, error);
  // Above all an answer whose end never came.
  return new OutsideError(`Slack's answer to ${name} could not be read: ${describeError(error)}`, {
    code: error instanceof Error && error.name === "TimeoutError" ? "timeout" : "unavailable",
    retry: { kind: "after" },
    cause: error,
  });
}

function rateLimited(name: string, ms: number | undefined, cause: unknown): OutsideError {
  const wait = ms === undefined ? "a while" : `${ms / 1_000} s`;
  return new OutsideError(`Slack asks to wait ${wait} before ${name}`, {
    code: "rate-limited",
    retry: after(ms),
    cause,
  });
}

const after = (ms: number | undefined): Retry => (ms === undefined ? { kind: "after" } : { kind: "after", ms });

const details = z.object({
  needed: z.string().optional(),
  response_metadata: z.object({ retryAfter: z.number().optional() }).optional(),
});

function refused(name: string, error: webApi.WebAPIPlatformError): OutsideError {
  const word = error.data.error;
  const { needed, response_metadata } = details.safeParse(error.data).data ?? {};
  const meaning = MEANINGS[word];
  if (meaning?.code === "rate-limited") {
    const seconds = response_metadata?.retryAfter;
    return rateLimited(name, seconds === undefined ? undefined : seconds * 1_000, error);
  }
  const scope = word === "missing_scope" && needed !== undefined ? ` (${needed})` : "";
  const said = /^[a-z0-9_]{1,60}$/.test(word) ? word : "an answer that is no JSON";
  const advice = meaning === undefined ? "" : `: ${meaning.advice}`;
  return new OutsideError(`Slack refused ${name} with ${said}${scope}${advice}`, {
    code: meaning?.code ?? "refused",
    retry: meaning?.again === true ? { kind: "after" } : { kind: "never" },
    cause: error,
  });
}
