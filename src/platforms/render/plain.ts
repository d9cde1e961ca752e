import type { Flavour } from "./flavour.ts";

const NOTHING = { open: "", close: "" };

/** Text without any marks, every word kept: for when a platform refuses the marked form. `limit` in UTF-16 units. */
export function plainFlavour(limit: number): Flavour {
  return {
    limit,
    escape: String,
    escapeCode: String,
    strong: NOTHING,
    em: NOTHING,
    strike: NOTHING,
    code: String,
    codeBlock: () => NOTHING,
    link: (label, href) => (label === href || /^mailto:|^tel:/i.test(href) ? label : `${label} (${href})`),
    heading: () => NOTHING,
    quote: { eachLine: "> " },
    rule: "———",
  };
}
