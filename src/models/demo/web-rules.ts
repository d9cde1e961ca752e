import { z } from "zod";
import { readResult, useTool, type Rule } from "./move.ts";

const pageSchema = z.object({
  status: z.number().optional(),
  title: z.string().optional(),
  text: z.string(),
});

const MAX_LINES = 5;
const MAX_CHARACTERS = 600;

/** Reading a page, over `web_fetch`. */
export const webRules: readonly Rule[] = [
  {
    pattern:
      /^(?:(?:fetch|read|open|visit|summari[sz]e|look at)(?: me)?(?: the)?(?: (?:web ?)?(?:page|site|url|link))?(?: at| from)? )?<?(https?:\/\/[^\s>]+)>?\W*$/i,
    respond: ([, url = ""], turn) => readPage(url, turn),
  },
  {
    pattern:
      /^(?:fetch|read|open|visit|summari[sz]e)(?: the)? (?:web ?)?(?:page|site|url|link)(?: at| from)? ([^\s>]+\.[^\s>]+)$/i,
    respond: ([, address = ""], turn) => readPage(`https://${address}`, turn),
  },
];

function readPage(address: string, turn: Parameters<Rule["respond"]>[1]) {
  const url = address.replace(/[.,!?)]+$/, "");
  return useTool(turn, { tool: "web_fetch", args: { url } }, (content) => {
    const page = readResult(pageSchema, content) ?? { text: content };
    const lines = page.text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
    const excerpt = lines.slice(0, MAX_LINES).join("\n").slice(0, MAX_CHARACTERS).toWellFormed();
    const about = [page.title, page.status === undefined || page.status < 400 ? undefined : `status ${page.status}`];
    const heading = [url, ...about.filter((part) => part !== undefined)].join(", ");
    if (excerpt === "") return `I read ${heading}. It holds no text.`;
    const rest = excerpt.length < lines.join("\n").length ? "\n\n(These are only the first lines.)" : "";
    return `I read ${heading}. It begins:\n\n${excerpt}${rest}`;
  });
}
