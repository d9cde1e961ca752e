import { randomBytes } from "node:crypto";

/** An id as long as the program's own: ids stand in keys and journals, so their length is part of what is measured. */
export function shortId(): string {
  return randomBytes(8).toString("hex");
}
