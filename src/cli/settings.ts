import { ConfigError } from "../config/config-error.ts";
import { configFolder, type Environment } from "../config/environment.ts";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { configuredAddress, parseAddress } from "./bot-address.ts";
import { createBotClient, type BotClient } from "./bot-client.ts";
import { CommandFailed } from "./command-failed.ts";
import { describeProblems } from "./config-problems.ts";
import type { Io } from "./io.ts";

/** Reads the configuration. Throws `CommandFailed` with everything that is wrong with it. */
export async function readSettings(env: Environment): Promise<Config> {
  const dir = configFolder(env);
  try {
    return (await loadConfig({ env, dir })).config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandFailed(2, `the configuration cannot be used:\n${describeProblems(error.issues, dir)}`, {
      cause: error,
    });
  }
}

/** Where to find the bot: at the address given on the command line, else at the configured one, if that is known. */
export function findAddress(config: Config, given: string | undefined): string | undefined {
  if (given === undefined) return configuredAddress(config.server);
  const address = parseAddress(given);
  if (address !== undefined) return address;
  throw new CommandFailed(2, `--url needs an address such as http://127.0.0.1:8300, but was given ${given}`);
}

/** A client of the bot at the address given on the command line, else at the configured one. */
export async function connectToBot(io: Io, given: string | undefined): Promise<BotClient> {
  const config = await readSettings(io.env);
  const url = findAddress(config, given);
  if (url === undefined)
    throw new CommandFailed(
      2,
      "the configured port is 0, which is another one at every start: give the address with --url",
    );
  return createBotClient({ url, key: config.server.api_key, fetch: io.fetch });
}
