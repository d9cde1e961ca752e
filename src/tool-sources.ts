import { join } from "node:path";
import { createServerData } from "./agent/privacy/stored.ts";
import type { Config } from "./config/schema.ts";
import { parseYamlFile } from "./config/yaml-file.ts";
import { interpolate } from "./config/interpolate.ts";
import type { PersonalData } from "./kernel/personal-data.ts";
import { systemClock, type NewId } from "./kernel/ports.ts";
import type { Logger } from "./telemetry/logger.ts";
import { watchMcpConfig } from "./tools/mcp/config-watch.ts";
import { createMcpTools, type McpTools } from "./tools/mcp/mcp-tools.ts";
import { createPersonServerStore } from "./tools/mcp/person-servers.ts";
import type { RedisConnection } from "./store/connection.ts";
import { createCredentialStore, type CredentialStore } from "./store/credentials.ts";
import { createCodeTools } from "./tools/code/create-code-tools.ts";
import { createHttpTools } from "./tools/http/create-http-tools.ts";
import type { ToolSource } from "./tools/source.ts";

export interface ToolSources {
  /** The strongest first. */
  readonly sources: readonly { readonly label: string; readonly source: ToolSource }[];
  /** What people do with the servers they add themselves. */
  readonly mcp: Pick<McpTools, "command">;
  /** What people connect; absent without a master key. */
  readonly credentials?: CredentialStore;
  /** What is kept of people here. */
  readonly personalData: readonly PersonalData[];
  close(): Promise<void>;
}

/** Opens the places tools come from besides the built-in ones: files in `tools` of the configuration folder, MCP servers. */
export async function openToolSources(parts: {
  readonly config: Config;
  readonly configDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly redis: RedisConnection;
  readonly newId: NewId;
  readonly log: Logger;
}): Promise<ToolSources> {
  const { config, env, redis, log } = parts;
  const dir = join(parts.configDir, "tools");
  const credentials =
    config.master_key === undefined ? undefined : createCredentialStore(redis, { masterKey: config.master_key });
  const mcpConfig = await watchMcpConfig({ dir: parts.configDir, fill: (text) => interpolate(text, env), log });
  const people = createPersonServerStore(redis);
  const mcp = createMcpTools({
    config: mcpConfig,
    people,
    env,
    log,
    clock: systemClock,
    newId: parts.newId,
    ...(credentials === undefined ? {} : { credentials }),
  });
  const hide = () => mcp.secrets().forEach((secret) => log.addSecret(secret));
  hide();
  mcpConfig.onChange(hide);
  const [code, http] = await Promise.all([
    createCodeTools({ dir, log }),
    createHttpTools({
      dir,
      readYaml: (text) => parseYamlFile(text, env, []),
      log,
      ...(credentials === undefined ? {} : { credentials }),
    }),
  ]);
  return {
    sources: [
      { label: "TypeScript tools", source: code },
      { label: "HTTP tools", source: http },
      { label: "MCP servers", source: mcp },
    ],
    mcp,
    ...(credentials === undefined ? {} : { credentials }),
    personalData: [
      createServerData({
        servers: async (person) => (await people.list(person)).servers.map(({ name, url }) => ({ name, url })),
        erase: (person) => mcp.erase(person),
      }),
    ],
    async close() {
      await Promise.all([code.close(), http.close(), mcp.close()]);
      await mcpConfig.close();
    },
  };
}
