import { parseLines } from "../../src/engine/journal.ts";

/**
 * Reads a journal from its beginning and returns a sentence for everything that no reader could make sense of: lines
 * outside a run, a run inside another, an end of another run, an unreadable line, lines after the end.
 */
export function checkJournal(lines: readonly string[]): string[] {
  const complaints: string[] = [];
  let open: string | undefined;
  for (const [index, entry] of parseLines(lines).entries()) {
    const where = `line ${index} (${entry.kind})`;
    if (entry.kind === "unreadable") complaints.push(`${where} cannot be read: ${entry.line}`);
    else if (entry.kind === "opened") {
      if (open !== undefined) complaints.push(`${where} opens ${entry.runId} inside ${open}`);
      open = entry.runId;
    } else if (open === undefined) complaints.push(`${where} belongs to no run`);
    else if (entry.kind === "ended") {
      if (entry.runId !== open) complaints.push(`${where} ends ${entry.runId} inside ${open}`);
      open = undefined;
    }
  }
  return complaints;
}
