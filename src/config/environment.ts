import type { ConfigKey, KeyKind } from "./keys.ts";

/** The variables of a process; `process.env` is one. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** An environment variable and the key it sets. */
export interface EnvironmentVariable {
  readonly name: string;
  readonly path: readonly string[];
}

/** Every environment variable that sets a key. The names are public: others start the program with them. */
export const ENVIRONMENT: readonly EnvironmentVariable[] = [
  { name: "REDIS_URL", path: ["redis", "url"] },
  { name: "REDIS_SENTINELS", path: ["redis", "sentinels"] },
  { name: "REDIS_SENTINEL_NAME", path: ["redis", "sentinel_name"] },
  { name: "REDIS_CLUSTER_NODES", path: ["redis", "cluster_nodes"] },
  { name: "AI_URL", path: ["ai", "url"] },
  { name: "AI_API_KEY", path: ["ai", "api_key"] },
  { name: "AI_MODEL", path: ["ai", "model"] },
  { name: "HOST", path: ["server", "host"] },
  { name: "PORT", path: ["server", "port"] },
  { name: "PARLEY_API_KEY", path: ["server", "api_key"] },
  { name: "PARLEY_DATA", path: ["data_dir"] },
  { name: "PARLEY_ROLES", path: ["roles"] },
  { name: "PARLEY_ACCESS", path: ["access"] },
  { name: "PARLEY_MASTER_KEY", path: ["master_key"] },
  { name: "LOG_LEVEL", path: ["log_level"] },
  { name: "SLACK_BOT_TOKEN", path: ["platforms", "slack", "bot_token"] },
  { name: "SLACK_APP_TOKEN", path: ["platforms", "slack", "app_token"] },
  { name: "SLACK_SIGNING_SECRET", path: ["platforms", "slack", "signing_secret"] },
  { name: "SLACK_API_URL", path: ["platforms", "slack", "api_url"] },
  { name: "DISCORD_TOKEN", path: ["platforms", "discord", "token"] },
  { name: "DISCORD_API_URL", path: ["platforms", "discord", "api_url"] },
  { name: "TELEGRAM_BOT_TOKEN", path: ["platforms", "telegram", "bot_token"] },
  { name: "TELEGRAM_API_URL", path: ["platforms", "telegram", "api_url"] },
  { name: "TELEGRAM_WEBHOOK_URL", path: ["platforms", "telegram", "webhook_url"] },
  { name: "TELEGRAM_WEBHOOK_SECRET", path: ["platforms", "telegram", "webhook_secret"] },
];

// Each of these says where Redis is; two of them would contradict each other.
const REDIS_ADDRESSES = ["REDIS_URL", "REDIS_SENTINELS", "REDIS_CLUSTER_NODES"];

/** The value of a variable; an empty one counts as unset, and surrounding white space does not count. */
export function readVariable(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === "" ? undefined : value;
}

/** The configuration folder: `PARLEY_CONFIG`, or `config` under the working directory. */
export function configFolder(env: Environment): string {
  return readVariable(env, "PARLEY_CONFIG") ?? "config";
}

/**
 * Turns text into what a key of this kind holds: lists are separated by commas. Text that is not a number stays as it
 * is, so that the schema refuses it.
 */
export function textToValue(text: string, kind: KeyKind | undefined): unknown {
  if (kind === "list")
    return text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
  if ((kind === "number" || kind === "whole number") && /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text)) return Number(text);
  return text;
}

/**
 * Lays the environment over what a file says, in place. Returns the variables that were used. A variable that says
 * where Redis is replaces every other answer to that question in the file.
 */
export function applyEnvironment(
  values: Record<string, unknown>,
  env: Environment,
  keys: readonly ConfigKey[],
): readonly EnvironmentVariable[] {
  const used = ENVIRONMENT.filter(({ name }) => readVariable(env, name) !== undefined);
  if (used.some(({ name }) => REDIS_ADDRESSES.includes(name))) {
    for (const { path } of ENVIRONMENT.filter(({ name }) => REDIS_ADDRESSES.includes(name))) unset(values, path);
  }
  for (const { name, path } of used) {
    const kind = keys.find((key) => key.path.join(".") === path.join("."))?.kind;
    set(values, path, textToValue(readVariable(env, name) ?? "", kind));
  }
  return used;
}

function set(values: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [head = "", ...rest] = path;
  if (rest.length === 0) {
    values[head] = value;
    return;
  }
  const inner = values[head] ?? {};
  // Anything but a section here is the file's mistake; it is left for the schema to refuse.
  if (!isSection(inner)) return;
  values[head] = inner;
  set(inner, rest, value);
}

function unset(values: Record<string, unknown>, path: readonly string[]): void {
  const [head = "", ...rest] = path;
  const inner = values[head];
  if (rest.length === 0) delete values[head];
  else if (isSection(inner)) unset(inner, rest);
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
