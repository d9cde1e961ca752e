import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const recordSchema = z.object({
  server: z.object({ pid: z.number().int().positive(), began: z.string().optional() }),
  socketPath: z.string(),
});

/** Which process serves a data folder, and where; kept beside the data for every later process. */
export type ServerRecord = z.infer<typeof recordSchema>;

/** The record of the server started last, dead or alive, or undefined when there is no readable one. */
export function readServerRecord(home: string): ServerRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(join(home, FILE), "utf8")));
  } catch {
    // Missing before the first start. A garbled one names no process; whoever reads it asks the socket as well.
    return undefined;
  }
}

/** Replaces the record, as a whole or not at all. */
export function writeServerRecord(home: string, record: ServerRecord): void {
  const path = join(home, FILE);
  writeFileSync(`${path}.new`, JSON.stringify(record));
  renameSync(`${path}.new`, path);
}

const FILE = "server.json";
