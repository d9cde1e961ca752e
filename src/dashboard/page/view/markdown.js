// @ts-check
import { html } from "htm/preact";
import { h } from "preact";
import { useMemo } from "preact/hooks";
import { lexer } from "marked";
import { decodeEntities, safeHref } from "../state/safe-text.js";
import { CodeBlock } from "./code-block.js";

/** @import { ComponentChildren, VNode } from "preact" */
/** @import { MarkedToken, Token, Tokens } from "marked" */

/**
 * Markdown as elements. What is written decides which of a fixed set of elements appear, and never becomes markup: HTML
 * in it is shown as it was written, images become links, and links lead only to the web or to a mailbox.
 * @param {{ text: string }} props
 */
export function Markdown({ text }) {
  const blocks = useMemo(() => renderBlocks(parse(text), 0), [text]);
  return html`<div class="prose">${blocks}</div>`;
}

/** @param {string} text @returns {readonly Token[]} */
function parse(text) {
  try {
    return lexer(text, { gfm: true, breaks: true });
  } catch {
    // Nested too deeply to be read as Markdown; every word of it is still shown.
    return [{ type: "paragraph", raw: text, text, tokens: [{ type: "text", raw: text, text }] }];
  }
}

/** Nobody means to nest deeper than this; drawing what does could exhaust the browser's stack. */
const MAX_DEPTH = 16;

/** @param {readonly Token[]} tokens @param {number} depth @returns {ComponentChildren[]} */
function renderBlocks(tokens, depth) {
  return tokens.map((token) =>
    depth > MAX_DEPTH
      ? h("p", { class: "verbatim" }, token.raw)
      : renderBlock(/** @type {MarkedToken} */ (token), depth),
  );
}

/** @param {MarkedToken} token @param {number} depth @returns {ComponentChildren} */
function renderBlock(token, depth) {
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "hr":
      return h("hr", null);
    case "heading":
      // The page has headings of its own; those of an answer begin below them.
      return h(`h${Math.min(token.depth + 2, 6)}`, null, renderInline(token.tokens, depth));
    case "paragraph":
      return h("p", null, renderInline(token.tokens, depth));
    case "blockquote":
      return h("blockquote", null, renderBlocks(token.tokens, depth + 1));
    case "code":
      return h(CodeBlock, { text: token.text, language: /^\S*/.exec(token.lang ?? "")?.[0] ?? "" });
    case "list":
      return renderList(token, depth);
    case "table":
      return renderTable(token, depth);
    case "html":
      return h("p", { class: "verbatim" }, token.raw.trimEnd());
    case "checkbox":
      return renderCheckbox(token);
    case "text":
      return token.tokens === undefined
        ? decodeEntities(token.text)
        : h("span", null, renderInline(token.tokens, depth));
    default:
      return renderInline([token], depth);
  }
}

/** @param {Tokens.List} list @param {number} depth */
function renderList(list, depth) {
  const items = list.items.map((item) =>
    h("li", item.task ? { class: "task" } : null, renderBlocks(item.tokens, depth + 1)),
  );
  if (!list.ordered) return h("ul", null, items);
  return h("ol", list.start === "" || list.start === 1 ? null : { start: list.start }, items);
}

/** @param {Tokens.Checkbox} box */
function renderCheckbox(box) {
  return h("input", {
    type: "checkbox",
    disabled: true,
    checked: box.checked,
    "aria-label": box.checked ? "done" : "open",
  });
}

/** @param {Tokens.Table} table @param {number} depth @returns {VNode} */
function renderTable(table, depth) {
  /** @param {"th" | "td"} tag @param {Tokens.TableCell} cell */
  const renderCell = (tag, cell) =>
    h(tag, cell.align === null ? null : { class: `align-${cell.align}` }, renderInline(cell.tokens, depth));
  return h(
    "div",
    { class: "table", tabindex: 0, role: "region", "aria-label": "Table" },
    h("table", null, [
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          table.header.map((cell) => renderCell("th", cell)),
        ),
      ),
      h(
        "tbody",
        null,
        table.rows.map((row) =>
          h(
            "tr",
            null,
            row.map((cell) => renderCell("td", cell)),
          ),
        ),
      ),
    ]),
  );
}

/** @param {readonly Token[]} tokens @param {number} depth @returns {ComponentChildren[]} */
function renderInline(tokens, depth) {
  return tokens.map((token) =>
    depth > MAX_DEPTH ? token.raw : renderSpan(/** @type {MarkedToken} */ (token), depth + 1),
  );
}

/** @param {MarkedToken} token @param {number} depth @returns {ComponentChildren} */
function renderSpan(token, depth) {
  switch (token.type) {
    case "text":
      return token.tokens === undefined ? decodeEntities(token.text) : renderInline(token.tokens, depth);
    case "escape":
      return token.text;
    case "strong":
    case "em":
    case "del":
      return h(token.type, null, renderInline(token.tokens, depth));
    case "codespan":
      return h("code", null, token.text);
    case "br":
      return h("br", null);
    case "link":
      return renderLink(token.href, renderInline(token.tokens, depth), token.raw);
    case "image":
      // Fetching it would tell a stranger's server who reads this.
      return renderLink(token.href, token.text === "" ? token.href : token.text, token.raw);
    case "html":
      return /^<br\s*\/?>$/i.test(token.raw.trim()) ? h("br", null) : token.raw;
    case "checkbox":
      return renderCheckbox(token);
    default:
      return token.raw;
  }
}

/** @param {string} href @param {ComponentChildren} label @param {string} raw */
function renderLink(href, label, raw) {
  const safe = safeHref(href);
  if (safe === undefined) return raw;
  return h("a", { href: safe, target: "_blank", rel: "noopener noreferrer" }, label);
}
