import { z } from "zod";
import { readResult, say, useTool, type Rule } from "./move.ts";

const foundSchema = z.object({ found: z.boolean(), value: z.string().optional() });
const deletedSchema = z.object({ deleted: z.boolean() });
const listingSchema = z.object({ entries: z.array(z.object({ key: z.string(), value: z.string() })) });

/** Remember, recall, list, search and forget, over the memory tools. */
export const memoryRules: readonly Rule[] = [
  {
    pattern: /^forget (?:everything|all)\b/i,
    respond: () => say('I forget one thing at a time: "forget my <name of it>". "What do you remember?" lists them.'),
  },
  {
    pattern: /^forget (?:about )?(?:that )?(?:my |the )?(.+)$/i,
    respond: ([, what = ""], turn) =>
      useTool(turn, { tool: "memory_delete", args: { key: keyOf(what) } }, (content) =>
        readResult(deletedSchema, content)?.deleted === false
          ? `I had nothing stored as ${nameOf(what)}.`
          : `Forgotten: ${nameOf(what)}.`,
      ),
  },
  {
    pattern: /^search (?:my |your |the )?memor(?:y|ies) for (.+)$/i,
    respond: ([, query = ""], turn) =>
      useTool(turn, { tool: "memory_search", args: { query: bare(query) } }, (content) =>
        showEntries(content, `What I remember about ${bare(query)}:`, `I remember nothing about ${bare(query)}.`),
      ),
  },
  {
    pattern:
      /^(?:what do you (?:remember|know)(?: about me)?|(?:list|show)(?: me)? (?:all )?(?:my |your |the )?memor(?:y|ies))\W*$/i,
    respond: (_, turn) =>
      useTool(turn, { tool: "memory_list", args: {} }, (content) =>
        showEntries(content, "This is what I remember:", "I remember nothing yet."),
      ),
  },
  { pattern: /^(?:who am i|do you know who i am)\W*$/i, respond: (_, turn) => recall("name", turn) },
  {
    pattern:
      /^(?:(?:do you (?:remember|know)|recall|what(?:'s| is| was| are)|tell me)(?: what)? my|(?:do you remember|recall)(?: the)?) (.+?)(?: is| was)?\W*$/i,
    respond: ([, what = ""], turn) => recall(what, turn),
  },
  {
    pattern: /^(?:my name is|call me|i am called) (.+)$/i,
    respond: ([, name = ""], turn) => remember("name", bare(name), false, turn),
  },
  {
    pattern:
      /^remember:? (secretly:? )?(?:that )?(?:my |the )?(secret )?(.+?)(?:\s+(?:is|are)\s+|\s*[=:]\s*)([\s\S]+)$/i,
    respond: ([, secretly, secret, what = "", value = ""], turn) =>
      remember(what, bare(value), secretly !== undefined || secret !== undefined, turn),
  },
  {
    pattern: /^remember:? (?:that |to )?(.+)$/i,
    respond: ([, note = ""], turn) =>
      remember(`note ${note.split(/\s+/).slice(0, 4).join(" ")}`, bare(note), false, turn),
  },
];

type Turn = Parameters<Rule["respond"]>[1];

function remember(what: string, value: string, secret: boolean, turn: Turn) {
  const args = { key: keyOf(what), value, ...(secret ? { secret } : {}) };
  return useTool(turn, { tool: "memory_set", args }, () =>
    secret
      ? `I will remember ${nameOf(what)} and keep it secret.`
      : `I will remember that ${nameOf(what)} is ${value}.`,
  );
}

function recall(what: string, turn: Turn) {
  return useTool(turn, { tool: "memory_get", args: { key: keyOf(what) } }, (content) => {
    const entry = readResult(foundSchema, content);
    if (entry === undefined) return `My memory says about ${nameOf(what)}: ${content}`;
    return entry.found ? `Your ${nameOf(what)} is ${entry.value ?? ""}.` : `I have nothing stored as ${nameOf(what)}.`;
  });
}

function showEntries(content: string, heading: string, none: string): string {
  const listing = readResult(listingSchema, content);
  if (listing === undefined) return `${heading}\n\n${content}`;
  if (listing.entries.length === 0) return none;
  return [heading, "", ...listing.entries.map(({ key, value }) => `- ${key.replaceAll("_", " ")}: ${value}`)].join(
    "\n",
  );
}

/** "Favourite colour?" and "favourite colour" are the same thing, stored as `favourite_colour`. */
function keyOf(what: string): string {
  return what
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "_")
    .replace(/^_+|_+$/g, "")
    .slice(0, 100);
}

function nameOf(what: string): string {
  return keyOf(what).replaceAll("_", " ");
}

function bare(text: string): string {
  return text.trim().replace(/[.!?]+$/, "");
}
