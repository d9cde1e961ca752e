import { unescape } from "node:querystring";
import { Secret } from "../kernel/secret.ts";
import type { Config } from "./schema.ts";

/** The value of every secret in the configuration, for the log to leave out. */
export function configSecrets(config: Config): readonly string[] {
  const { url: redisUrl, ...redis } = config.redis;
  return [...revealAll({ ...config, redis }), ...passwordsIn(redisUrl)];
}

function revealAll(value: unknown): readonly string[] {
  if (value instanceof Secret) return [value.reveal()];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(revealAll) : [];
}

// An address without a password is worth reading in a log, so only its password is left out.
function passwordsIn(url: Secret | undefined): readonly string[] {
  const password = URL.parse(url?.reveal() ?? "")?.password ?? "";
  return password === "" ? [] : [...new Set([password, unescape(password)])];
}
