import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { configSchema } from "./schema.ts";

/** The text of `config/parley.schema.json`: the JSON Schema (draft 7) with which editors check and complete `parley.yaml`. */
export function renderConfigJsonSchema(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}

function configJsonSchema(): z.core.JSONSchema.BaseSchema {
  return {
    ...z.toJSONSchema(configSchema, {
      target: "draft-7",
      io: "input",
      override: ({ jsonSchema }) => {
        // A section whose keys are all commented out is null in YAML; it counts as not given.
        if (jsonSchema.type === "object") jsonSchema.type = ["object", "null"];
      },
    }),
    title: "parley.yaml",
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(new URL("../../config/parley.schema.json", import.meta.url), renderConfigJsonSchema());
}
