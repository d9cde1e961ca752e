import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { httpToolSchema } from "./schema.ts";

/** The text of `config/tools/http-tool.schema.json`: the JSON Schema (draft 7) with which editors check HTTP tools. */
export function renderHttpToolJsonSchema(): string {
  const schema = z.toJSONSchema(httpToolSchema, { target: "draft-7", io: "input" });
  return `${JSON.stringify({ ...schema, title: "HTTP tools" }, null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = new URL("../../../config/tools/http-tool.schema.json", import.meta.url);
  await writeFile(file, renderHttpToolJsonSchema());
}
