import { parseMarkdown } from "./document.ts";
import type { Flavour } from "./flavour.ts";
import { cutFlow } from "./flow.ts";
import { writeFlow } from "./write-flow.ts";

/**
 * Markdown as the messages of a platform, in order: every word is kept, every part is within the limit and valid by
 * itself. At least one part, also of nothing.
 */
export function renderMarkdown(markdown: string, flavour: Flavour): string[] {
  const parts = cutFlow(writeFlow(parseMarkdown(markdown), flavour), flavour.limit);
  return parts.length === 0 ? ["(empty)"] : parts;
}
