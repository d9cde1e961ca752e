import type { ApprovalPolicy } from "./agent/approvals/policy.ts";
import type { ChatLimits } from "./agent/chat.ts";
import { chatTakesImages } from "./config/models.ts";
import type { Config } from "./config/schema.ts";
import type { AccessRules } from "./gateway/gate.ts";
import type { ShelfLimits } from "./store/shelf.ts";

// What the parts need of the configuration, in their own words and units.

/** How long a question waits for its answer: a week, milliseconds. */
const QUESTION_MS = 7 * 86_400_000;
/** Tool calls taken from one reply of the model; no useful reply is known to have more. */
const MAX_CALLS_PER_TURN = 16;

/** The limits of the tick loop. `keepMs` is how long the fate of messages is kept. */
export function chatLimits({ ai, context }: Config, keepMs: number): ChatLimits {
  return {
    maxSteps: ai.max_steps,
    maxRunMs: ai.max_run_s * 1000,
    maxMessages: ai.history_messages,
    maxTokens: ai.history_tokens,
    maxCallsPerTurn: MAX_CALLS_PER_TURN,
    maxResultChars: ai.tool_result_chars,
    questionMs: QUESTION_MS,
    keepMs,
    summary: { on: context.summary === "on", share: context.summary_share, maxTokens: context.summary_tokens },
  };
}

/** What a person's artifacts may take. */
export function artifactLimits({ artifacts }: Config): ShelfLimits {
  return {
    maxBytes: artifacts.max_bytes,
    quotaBytes: artifacts.quota_bytes,
    quotaFiles: artifacts.quota_files,
    keepMs: artifacts.keep_days * 86_400_000,
  };
}

/** How files that people send are read. */
export function readerSettings(config: Config) {
  const { max_bytes: maxBytes, text_chars: textChars, transcription } = config.attachments;
  const { url, api_key: apiKey, model } = transcription;
  return {
    maxBytes,
    textChars,
    vision: chatTakesImages(config),
    transcription: url === undefined ? undefined : { url, apiKey, model },
  };
}

/** Who may talk to the bot on chat platforms. */
export function accessRules({ access, allowed, admins }: Config): AccessRules {
  return { access, allowed, admins };
}

/** How answers leave. `keepMs` is how long the fate of messages is kept. */
export function deliveryLimits({ delivery }: Config, keepMs: number) {
  return { keepMs, lateMs: delivery.late_s * 1000, expireMs: delivery.expire_s * 1000 };
}

/** Which calls ask before they are made. */
export function approvalPolicy({ approvals }: Config): ApprovalPolicy {
  const { rules, untrusted_once: untrustedOnce, expire_s: seconds } = approvals;
  return { rules, untrustedOnce, expireMs: seconds * 1000 };
}
