import { describe, expect, test } from "vitest";
import { ENVIRONMENT } from "./environment.ts";
import { listConfigKeys } from "./keys.ts";

const { keys, sections } = listConfigKeys();

describe("what operators rely on", () => {
  test("the keys of parley.yaml", () => {
    expect(keys.map(({ path }) => path.join("."))).toEqual([
      "bot.name",
      "bot.prompt",
      "bot.prompt_function",
      "ai.url",
      "ai.api_key",
      "ai.model",
      "ai.timeout_s",
      "ai.max_steps",
      "ai.history_messages",
      "ai.history_tokens",
      "ai.max_run_s",
      "ai.max_tokens",
      "ai.temperature",
      "ai.vision",
      "ai.tool_result_chars",
      "context.summary",
      "context.summary_share",
      "context.summary_tokens",
      "models",
      "prices",
      "budgets.currency",
      "budgets.zone",
      "budgets.output_tokens",
      "budgets.extend",
      "budgets.limits",
      "server.host",
      "server.port",
      "server.public_url",
      "server.api_key",
      "access",
      "allowed",
      "delivery.late_s",
      "delivery.expire_s",
      "redis.url",
      "redis.sentinels",
      "redis.sentinel_name",
      "redis.cluster_nodes",
      "redis.password",
      "redis.partitions",
      "data_dir",
      "roles",
      "platform_hints.web",
      "platform_hints.terminal",
      "platform_hints.slack",
      "platform_hints.discord",
      "platform_hints.telegram",
      "platform_hints.api",
      "queue.mode",
      "queue.max_waiting",
      "admins",
      "approvals.expire_s",
      "approvals.untrusted_once",
      "approvals.rules",
      "worker.chat_concurrency",
      "worker.delivery_concurrency",
      "worker.drain_s",
      "hooks.timeout_s",
      "hooks.max_failures",
      "artifacts.max_bytes",
      "artifacts.quota_bytes",
      "artifacts.quota_files",
      "artifacts.keep_days",
      "artifacts.link_hours",
      "attachments.max_files",
      "attachments.max_bytes",
      "attachments.max_request_bytes",
      "attachments.quota_bytes",
      "attachments.text_chars",
      "attachments.transcription.url",
      "attachments.transcription.api_key",
      "attachments.transcription.model",
      "schedules.max_per_person",
      "schedules.min_interval_s",
      "log_level",
      "master_key",
      "platforms.slack.bot_token",
      "platforms.slack.app_token",
      "platforms.slack.signing_secret",
      "platforms.slack.api_url",
      "platforms.discord.token",
      "platforms.discord.api_url",
      "platforms.discord.threads",
      "platforms.telegram.bot_token",
      "platforms.telegram.api_url",
      "platforms.telegram.webhook_url",
      "platforms.telegram.webhook_secret",
    ]);
  });

  test("the environment variables and what they set", () => {
    expect(Object.fromEntries(ENVIRONMENT.map(({ name, path }) => [name, path.join(".")]))).toEqual({
      REDIS_URL: "redis.url",
      REDIS_SENTINELS: "redis.sentinels",
      REDIS_SENTINEL_NAME: "redis.sentinel_name",
      REDIS_CLUSTER_NODES: "redis.cluster_nodes",
      AI_URL: "ai.url",
      AI_API_KEY: "ai.api_key",
      AI_MODEL: "ai.model",
      HOST: "server.host",
      PORT: "server.port",
      PARLEY_API_KEY: "server.api_key",
      PARLEY_DATA: "data_dir",
      PARLEY_ROLES: "roles",
      PARLEY_ACCESS: "access",
      PARLEY_MASTER_KEY: "master_key",
      LOG_LEVEL: "log_level",
      SLACK_BOT_TOKEN: "platforms.slack.bot_token",
      SLACK_APP_TOKEN: "platforms.slack.app_token",
      SLACK_SIGNING_SECRET: "platforms.slack.signing_secret",
      SLACK_API_URL: "platforms.slack.api_url",
      DISCORD_TOKEN: "platforms.discord.token",
      DISCORD_API_URL: "platforms.discord.api_url",
      TELEGRAM_BOT_TOKEN: "platforms.telegram.bot_token",
      TELEGRAM_API_URL: "platforms.telegram.api_url",
      TELEGRAM_WEBHOOK_URL: "platforms.telegram.webhook_url",
      TELEGRAM_WEBHOOK_SECRET: "platforms.telegram.webhook_secret",
    });
  });

  test("every variable sets a key that exists", () => {
    const known = keys.map(({ path }) => path.join("."));
    expect(ENVIRONMENT.map(({ path }) => path.join(".")).filter((path) => !known.includes(path))).toEqual([]);
  });

  test("every key and section is described", () => {
    expect([...keys, ...sections].filter(({ description }) => !description.endsWith("."))).toEqual([]);
  });

  test("whatever is named like a secret is one", () => {
    const named = keys.filter(({ path }) => /(key|token|secret|password)$/.test(path.at(-1) ?? ""));
    expect(named.filter(({ secret }) => !secret)).toEqual([]);
    expect(named.length).toBeGreaterThan(8);
  });
});
