import { createHash } from "node:crypto";
import { readFile as readFromDisk } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "./config-error.ts";
import { deepFreeze } from "./deep-freeze.ts";
import { describeIssue } from "./describe-issue.ts";
import { applyEnvironment, type Environment, type EnvironmentVariable } from "./environment.ts";
import { errorCode } from "./error-code.ts";
import { listConfigKeys } from "./keys.ts";
import { readPrompt, type ReadFile } from "./prompt.ts";
import { configSchema, type Config } from "./schema.ts";
import { modelWarnings } from "./models.ts";
import { configWarnings } from "./warnings.ts";
import { parseYamlFile, type YamlFile } from "./yaml-file.ts";

/** A configuration that passed every check. */
export interface LoadedConfig {
  readonly config: Config;
  /** For every key, written `server.port`, where its value came from: a place in the file, a variable, or the default. */
  readonly sources: Readonly<Record<string, string>>;
  /** Sentences for the operator about what is allowed but probably not meant. */
  readonly warnings: readonly string[];
  /** Equal when the files read were equal; tells a change from a mere touch. */
  readonly fingerprint: string;
}

/** The file in the configuration folder that holds the settings. */
const CONFIG_FILE = "parley.yaml";

/**
 * Reads the configuration: `parley.yaml` in `dir`, the environment over it, and the system prompt. A missing file
 * counts as an empty one. Throws {@link ConfigError} with everything that is wrong, each with its place.
 */
export async function loadConfig(options: {
  readonly env: Environment;
  readonly dir: string;
  /** Reads a file as text and throws with `code: "ENOENT"` when there is none; from the disk unless given. */
  readonly readFile?: ReadFile;
}): Promise<LoadedConfig> {
  const { env, dir, readFile = (path: string) => readFromDisk(path, "utf8") } = options;
  const seen = createHash("sha256");
  const read: ReadFile = async (path) => {
    const text = await readFile(path);
    seen.update(JSON.stringify([path, text]));
    return text;
  };

  const { keys } = listConfigKeys();
  const file = parseYamlFile(await readSettings(join(dir, CONFIG_FILE), read), env, keys);
  const variables = applyEnvironment(file.values, env, keys);
  const parsed = configSchema.safeParse(file.values);
  const issues = file.problems.map(({ place, message }) => `${CONFIG_FILE}:${place} ${message}`);
  if (!parsed.success) {
    for (const { path, isUnknownKey, message } of parsed.error.issues.flatMap((issue) => describeIssue(issue, keys)))
      issues.push(`${placeOf(path, isUnknownKey, file, variables)}: ${message}`);
  }
  if (!parsed.success || issues.length > 0) throw new ConfigError(issues);

  const settings = parsed.data;
  const sources = Object.fromEntries(keys.map(({ path }) => [path.join("."), sourceOf(path, file, variables)]));
  const prompt = await readPrompt(
    { dir, file: settings.bot.prompt, isDefault: sources["bot.prompt"] === "default" },
    read,
  );
  if ("problem" in prompt) {
    throw new ConfigError([`${placeOf(["bot", "prompt"], false, file, variables)}: ${prompt.problem}`]);
  }
  const config: Config = deepFreeze({ ...settings, bot: { ...settings.bot, prompt_text: prompt.text } });
  return deepFreeze({
    config,
    sources,
    warnings: [
      ...configWarnings(config),
      ...modelWarnings(config),
      ...(prompt.warning === undefined ? [] : [prompt.warning]),
    ],
    fingerprint: seen.digest("hex"),
  });
}

async function readSettings(path: string, read: ReadFile): Promise<string> {
  try {
    return await read(path);
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") return "";
    throw new ConfigError([`${CONFIG_FILE}: cannot be read (${code})`], { cause: error });
  }
}

function placeOf(
  path: readonly PropertyKey[],
  isUnknownKey: boolean,
  file: YamlFile,
  variables: readonly EnvironmentVariable[],
): string {
  const variable = variableFor(path, variables);
  if (variable !== undefined) return variable.name;
  const place = isUnknownKey ? file.placeOfKey(path) : file.placeOf(path);
  const name = path.map(String).join(".");
  return place === undefined ? `${CONFIG_FILE} ${name}` : `${CONFIG_FILE}:${place} ${name}`;
}

function sourceOf(path: readonly string[], file: YamlFile, variables: readonly EnvironmentVariable[]): string {
  const variable = variableFor(path, variables);
  if (variable !== undefined) return variable.name;
  return isGiven(file.values, path) ? `${CONFIG_FILE}:${file.placeOf(path)}` : "default";
}

// A list's items belong to the variable that set the list.
function variableFor(path: readonly PropertyKey[], variables: readonly EnvironmentVariable[]) {
  return variables.find((variable) => variable.path.every((part, index) => path[index] === part));
}

function isGiven(values: unknown, path: readonly string[]): boolean {
  const [head, ...rest] = path;
  if (head === undefined) return values !== undefined;
  return typeof values === "object" && values !== null && isGiven(Reflect.get(values, head), rest);
}
