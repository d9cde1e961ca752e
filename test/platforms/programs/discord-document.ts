import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fillDocument } from "../discord/transcripts.ts";

// Writes what docs/platforms/discord.md says of the code anew.
const path = join(import.meta.dirname, "../../../docs/platforms/discord.md");
await writeFile(path, await fillDocument(await readFile(path, "utf8")));
