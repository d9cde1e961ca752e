import { join } from "node:path";
import type { Config } from "./config/schema.ts";
import { parseYamlFile } from "./config/yaml-file.ts";
import type { Log } from "./kernel/ports.ts";
import type { RedisConnection } from "./store/connection.ts";
import { createCredentialStore } from "./store/credentials.ts";
import { createCodeTools } from "./tools/code/create-code-tools.ts";
import { createHttpTools } from "./tools/http/create-http-tools.ts";
import type { ToolSource } from "./tools/source.ts";

/** Opens the places an administrator puts tools: files in `tools` of the configuration folder. */
export async function openToolSources(parts: {
  readonly config: Config;
  readonly configDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly redis: RedisConnection;
  readonly log: Log;
}): Promise<readonly { readonly label: string; readonly source: ToolSource }[]> {
  const { config, env, redis, log } = parts;
  const dir = join(parts.configDir, "tools");
  const credentials =
    config.master_key === undefined ? undefined : createCredentialStore(redis, { masterKey: config.master_key });
  const [code, http] = await Promise.all([
    createCodeTools({ dir, log }),
    createHttpTools({
      dir,
      readYaml: (text) => parseYamlFile(text, env, []),
      log,
      ...(credentials === undefined ? {} : { credentials }),
    }),
  ]);
  return [
    { label: "TypeScript tools", source: code },
    { label: "HTTP tools", source: http },
  ];
}
