import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { mcpFileSchema } from "./config-schema.ts";

/** The JSON Schema (draft 7) with which editors check and complete `mcp.yaml`; `config/mcp.schema.json` is made from it. */
export function mcpJsonSchema(): z.core.JSONSchema.BaseSchema {
  return { ...z.toJSONSchema(mcpFileSchema, { target: "draft-7", io: "input" }), title: "mcp.yaml" };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = new URL("../../../config/mcp.schema.json", import.meta.url);
  await writeFile(file, `${JSON.stringify(mcpJsonSchema(), null, 2)}\n`);
}
