import { isLoopback } from "./public-bind.ts";
import type { Config } from "./schema.ts";

// Below this a key can be guessed by trying.
const SAFE_KEY_LENGTH = 16;

/** What an operator should know about settings that are valid but probably not meant so, one sentence each. Pure. */
export function configWarnings(config: Pick<Config, "ai" | "models" | "server" | "platforms">): readonly string[] {
  const { ai, server, platforms } = config;
  const { slack, telegram } = platforms;
  const warnings: string[] = [];
  if (ai.api_key !== undefined && ai.url === undefined && (config.models ?? []).length === 0) {
    warnings.push("AI_API_KEY (ai.api_key) is set but AI_URL (ai.url) is not: the offline demo model answers.");
  }
  if (!isLoopback(server.host) && (server.api_key?.reveal().length ?? SAFE_KEY_LENGTH) < SAFE_KEY_LENGTH) {
    warnings.push(
      `PARLEY_API_KEY (server.api_key) is short, and others can reach ${server.host}: use ${SAFE_KEY_LENGTH} characters or more.`,
    );
  }
  if (slack.bot_token !== undefined && slack.app_token === undefined && slack.signing_secret === undefined) {
    warnings.push(
      "SLACK_BOT_TOKEN is set, but neither SLACK_APP_TOKEN (Socket Mode) nor SLACK_SIGNING_SECRET (HTTP): nothing can be received from Slack.",
    );
  }
  if (telegram.webhook_url !== undefined && telegram.webhook_secret === undefined) {
    warnings.push(
      "TELEGRAM_WEBHOOK_URL is set without TELEGRAM_WEBHOOK_SECRET: updates are polled, because a webhook without a secret accepts anyone's.",
    );
  }
  return warnings;
}
