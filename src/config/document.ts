import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { ENVIRONMENT } from "./environment.ts";
import { listConfigKeys, type ConfigKey, type ConfigSection } from "./keys.ts";

/** The text of `docs/configuration.md`, made from the schema. */
export function renderConfigDocument(): string {
  const { keys, sections } = listConfigKeys();
  const [top, ...inner] = sections;
  const parts = [
    INTRODUCTION,
    ...(top === undefined ? [] : ["## At the top", renderKeys(top, keys)]),
    ...inner.flatMap((section) => [`## \`${section.path.join(".")}\``, section.description, renderKeys(section, keys)]),
    "## Environment variables",
    ENVIRONMENT.map(({ name, path }) => `- \`${name}\` sets \`${path.join(".")}\``)
      .concat("- `PARLEY_CONFIG` names the configuration folder; `config` unless set")
      .join("\n"),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

const INTRODUCTION = `# Configuration

<!-- Made from the schema by \`node src/config/document.ts\`; edit src/config/schema.ts instead. -->

Parley reads \`parley.yaml\` in its configuration folder (\`config\`, or the folder named by \`PARLEY_CONFIG\`). Every key is optional, the file too. An unknown key is refused, and every mistake is reported with its line and column.

- An environment variable wins over the file. An empty one counts as unset. In a variable the items of a list are separated by commas.
- \`\${NAME}\` and \`\${NAME:-default}\` in a value are filled in from the environment; \`$\${\` stands for a plain \`\${\`. Without a default the variable must be set.
- Units are in the names: \`_s\` is seconds.
- The files are watched. A change that cannot be used is reported and the last good configuration stays in force.
- Secrets are never logged and never shown.`;

function renderKeys(section: ConfigSection, keys: readonly ConfigKey[]): string {
  return keys
    .filter(
      ({ path }) => path.length === section.path.length + 1 && section.path.every((part, at) => path[at] === part),
    )
    .map((key) => `- **\`${key.path.join(".")}\`** (${facts(key).join("; ")}): ${key.description}`)
    .join("\n");
}

function facts(key: ConfigKey): readonly string[] {
  const variable = ENVIRONMENT.find(({ path }) => path.join(".") === key.path.join("."));
  return [
    ...(key.secret
      ? ["secret"]
      : [
          key.choices === undefined
            ? key.kind
            : `${key.kind === "list" ? "list of" : "one of"} ${key.choices.map((choice) => `\`${choice}\``).join(", ")}`,
        ]),
    key.default === undefined
      ? "unset"
      : `default \`${typeof key.default === "string" ? key.default : JSON.stringify(key.default)}\``,
    ...(variable === undefined ? [] : [`\`${variable.name}\``]),
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(new URL("../../docs/configuration.md", import.meta.url), renderConfigDocument());
}
