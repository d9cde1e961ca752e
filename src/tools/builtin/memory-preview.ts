import type { MemoryListing } from "../../store/memory.ts";

const PREVIEW_CHARS = 300;

/** A listing of memory for the model: long values are shortened, damaged entries are named. */
export function previewListing({ entries, unreadable }: MemoryListing) {
  return {
    entries: entries.map(({ key, value }) => ({ key, value: preview(value) })),
    ...(unreadable.length === 0 ? {} : { unreadable }),
  };
}

function preview(value: string): string {
  if (value.length <= PREVIEW_CHARS) return value;
  return `${value.slice(0, PREVIEW_CHARS).toWellFormed()}… (${value.length} characters; memory_get shows all)`;
}
