import type { Secret } from "../../kernel/secret.ts";
import type { McpConfig, ServerSpec } from "./config-schema.ts";

/** Every secret value in the settings of one server. */
export function secretsOf(spec: ServerSpec): readonly string[] {
  return (spec.kind === "stdio" ? Object.values(spec.env) : [...Object.values(spec.headers), ...authSecrets(spec.auth)])
    .map((secret) => secret.reveal());
}

/** Every secret value in the settings. */
export function configSecretsOf(config: McpConfig): readonly string[] {
  return config.servers.flatMap(secretsOf);
}

function authSecrets(auth: Extract<ServerSpec, { kind: "http" }>["auth"]): readonly Secret[] {
  switch (auth.type) {
    case "none":
      return [];
    case "bearer":
      return [auth.token];
    case "oauth":
      return auth.clientSecret === undefined ? [] : [auth.clientSecret];
    case "client_credentials":
      return [auth.clientSecret];
  }
}
