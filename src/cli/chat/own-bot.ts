import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describeError } from "../../kernel/errors.ts";
import type { Config } from "../../config/schema.ts";
import { configFolder } from "../../config/environment.ts";
import { configSecrets } from "../../config/secrets.ts";
import { createLogger } from "../../telemetry/logger.ts";
import { CommandFailed } from "../command-failed.ts";

/** A bot that runs inside this process. */
export interface OwnBot {
  readonly url: string;
  /** True when the offline demo model answers. */
  readonly demo: boolean;
  /** Where its warnings go. */
  readonly logFile: string;
  /** Lets it finish what it is doing, then ends it. */
  stop(): Promise<void>;
}

/**
 * Starts the configured bot in this process, on a free port that only this machine can reach. It works on the same data
 * as every other process with this configuration. Throws `CommandFailed` when it cannot start.
 */
export async function startOwnBot(config: Config): Promise<OwnBot> {
  const logFile = join(config.data_dir, "chat.log");
  mkdirSync(config.data_dir, { recursive: true, mode: 0o700 });
  const file = createWriteStream(logFile, { flags: "a", mode: 0o600 });
  // A disk that is full must not end the chat.
  file.on("error", () => undefined);
  const log = createLogger({ level: "warn", secrets: configSecrets(config), destination: file });
  try {
    const { startApp } = await import("../../app.ts");
    const app = await startApp({
      config: {
        ...config,
        server: { ...config.server, host: "127.0.0.1", port: 0 },
        roles: [...new Set([...config.roles, "api", "worker"] as const)],
      },
      configDir: configFolder(process.env),
      log,
    });
    return {
      url: app.url ?? "",
      demo: app.demo,
      logFile,
      async stop() {
        await app.stop();
        file.end();
      },
    };
  } catch (error) {
    file.end();
    throw new CommandFailed(1, `could not start a bot of its own: ${describeError(error)}`, { cause: error });
  }
}
