import { Secret } from "../../kernel/secret.ts";
import type { HttpAuth, McpConfig, ServerSpec } from "./server-spec.ts";

/** Every secret value in the settings of one server. */
export function secretsOf(spec: ServerSpec): readonly string[] {
  const values =
    spec.kind === "stdio" ? Object.values(spec.env) : [...Object.values(spec.headers), authSecret(spec.auth)];
  return values.filter((value) => value instanceof Secret).map((secret) => secret.reveal());
}

/** Every secret value in the settings. */
export function configSecretsOf(config: McpConfig): readonly string[] {
  return config.servers.flatMap(secretsOf);
}

function authSecret(auth: HttpAuth): Secret | undefined {
  switch (auth.type) {
    case "none":
      return undefined;
    case "bearer":
      return auth.token;
    case "oauth":
    case "client_credentials":
      return auth.client?.secret;
  }
}
