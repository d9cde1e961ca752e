import { ConfigError } from "../config/config-error.ts";
import { configFolder } from "../config/environment.ts";
import { listConfigKeys } from "../config/keys.ts";
import { loadConfig, type LoadedConfig } from "../config/load.ts";
import { publicBindProblem } from "../config/public-bind.ts";
import { Secret } from "../kernel/secret.ts";
import { describeProblems } from "./config-problems.ts";
import { printJson, printLine, type Io } from "./io.ts";
import { renderTable } from "./table.ts";

/** One key of the configuration in force. */
export interface ShownSetting {
  readonly key: string;
  /** Null when it is unset; a secret is never shown. */
  readonly value: string | number | readonly string[] | null;
  /** A place in a file, a variable, or `default`. */
  readonly source: string;
}

/** `parley config check`: says what is wrong with the configuration. Returns 0 when it can be used and 2 when not. */
export async function checkConfig(io: Pick<Io, "env" | "output" | "errors">): Promise<number> {
  const loaded = await tryLoad(io);
  if (loaded === undefined) return 2;
  const problem = publicBindProblem(loaded.config);
  for (const warning of loaded.warnings) printLine(io.errors, `warning: ${warning}`);
  if (problem !== undefined) {
    printLine(io.errors, `parley: ${problem}`);
    return 2;
  }
  printLine(io.output, `The configuration in ${configFolder(io.env)} can be used.`);
  return 0;
}

/** `parley config show`: prints every value in force and where it comes from. Returns the exit code. */
export async function showConfig(
  options: { readonly json?: true },
  io: Pick<Io, "env" | "output" | "errors">,
): Promise<number> {
  const loaded = await tryLoad(io);
  if (loaded === undefined) return 2;
  const settings = listSettings(loaded);
  if (options.json === true) printJson(io.output, settings);
  else printLine(io.output, renderTable(settings.map(({ key, value, source }) => [key, showValue(value), source])));
  return 0;
}

/** Every key with its value and source, in the order of the reference; secrets stay hidden. Pure. */
export function listSettings({ config, sources }: Pick<LoadedConfig, "config" | "sources">): ShownSetting[] {
  return listConfigKeys().keys.map(({ path, secret }) => {
    const key = path.join(".");
    return { key, value: plainValue(valueAt(config, path), secret), source: sources[key] ?? "default" };
  });
}

async function tryLoad(io: Pick<Io, "env" | "errors">): Promise<LoadedConfig | undefined> {
  const dir = configFolder(io.env);
  try {
    return await loadConfig({ env: io.env, dir });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    printLine(io.errors, `parley: the configuration cannot be used:\n${describeProblems(error.issues, dir)}`);
    return undefined;
  }
}

const HIDDEN = "(hidden)";

function plainValue(value: unknown, secret: boolean): ShownSetting["value"] {
  if (value === undefined) return null;
  if (secret || value instanceof Secret) return HIDDEN;
  if (Array.isArray(value)) return value.map(plainItem);
  return typeof value === "number" ? value : plainItem(value);
}

function plainItem(value: unknown): string {
  if (typeof value === "object" && value !== null && "host" in value && "port" in value)
    return `${String(value.host)}:${String(value.port)}`;
  return typeof value === "string" ? value : JSON.stringify(value);
}

function showValue(value: ShownSetting["value"]): string {
  if (value === null) return "(unset)";
  return typeof value === "object" ? value.join(",") : String(value);
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return value;
  return typeof value === "object" && value !== null ? valueAt(Reflect.get(value, head), rest) : undefined;
}
