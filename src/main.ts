import { describeError } from "./kernel/errors.ts";
import { RefusedToStart, startApp, type App } from "./app.ts";
import { ConfigError } from "./config/config-error.ts";
import { configFolder } from "./config/environment.ts";
import { loadConfig, type LoadedConfig } from "./config/load.ts";
import { configSecrets } from "./config/secrets.ts";
import { watchConfig } from "./config/watch.ts";
import { UnsuitableRedis } from "./store/check-redis.ts";
import { createLogger } from "./telemetry/logger.ts";

/** `parley start`: runs until SIGTERM or SIGINT. Resolves with the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  if (args.length > 0) {
    console.error(
      `parley: start takes no arguments, but was given ${args.join(" ")}. Settings: see docs/configuration.md.`,
    );
    return 2;
  }
  let loaded: LoadedConfig;
  try {
    loaded = await loadConfig({ env: process.env, dir: configFolder(process.env) });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(`parley: the configuration cannot be used:\n${error.issues.map((issue) => `  ${issue}`).join("\n")}`);
    return 2;
  }
  const { config, warnings } = loaded;
  const log = createLogger({ level: config.log_level, secrets: configSecrets(config) });
  for (const warning of warnings) log.warn({}, warning);
  const stopAsked = untilSignal();
  let app: App;
  try {
    app = await startApp({ config, configDir: configFolder(process.env), log });
  } catch (error) {
    const expected = error instanceof RefusedToStart || error instanceof UnsuitableRedis;
    console.error(`parley: ${expected ? "" : "could not start: "}${describeError(error)}`);
    return 1;
  }
  console.log(welcome(app, config.bot.name));
  const watch = watchConfig({
    env: process.env,
    dir: configFolder(process.env),
    initial: loaded,
    onChange: (changed) => {
      for (const secret of configSecrets(changed.config)) log.addSecret(secret);
      const later = app.applyConfig(changed.config);
      log.info(
        {},
        later.length === 0 ? "the changed settings are in force" : `in force after a restart: ${later.join(", ")}`,
      );
    },
    onError: (error) =>
      log.error(
        { error: describeError(error) },
        "the changed settings cannot be used; the last good ones stay in force",
      ),
  });
  const signal = await stopAsked;
  await watch.close();
  log.info({ signal }, "stopping: finishing what is running");
  await app.stop();
  return 0;
}

/** What a person who has just started it should read. */
function welcome(app: App, name: string): string {
  const lines = [`${name} is running, with ${app.redis}.`];
  if (app.url !== undefined) {
    lines.push(
      `  Chat in the browser:  ${app.url}`,
      "  Chat in a terminal:   npx parley chat",
      `  API:                  ${app.url}/openapi.json`,
    );
  }
  if (app.platforms.length > 0)
    lines.push(`  Listening to:         ${app.platforms.join(", ")} (npx parley status says how it goes)`);
  if (app.demo)
    lines.push(
      "  The offline demo model answers. For a real one set AI_URL and AI_API_KEY (and AI_MODEL), then start again.",
    );
  lines.push("  Stop with Ctrl+C.");
  return lines.join("\n");
}

function untilSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
  });
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
