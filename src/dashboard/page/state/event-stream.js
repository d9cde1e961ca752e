// @ts-check

/** @typedef {{ event: string, id: string | undefined, data: string }} StreamEvent */

/**
 * Reads server-sent events from a stream's text, whatever pieces it comes in. `push` returns the events that are
 * complete; comments and `retry` are left out.
 */
export function createEventReader() {
  let rest = "";
  let first = true;
  return {
    /**
     * @param {string} text
     * @returns {StreamEvent[]}
     */
    push(text) {
      rest += first ? text.replace(/^\uFEFF/, "") : text;
      if (text !== "") first = false;
      // A lone CR at the end may be half of a CRLF.
      const held = rest.endsWith("\r") ? "\r" : "";
      const blocks = rest
        .slice(0, rest.length - held.length)
        .replace(/\r\n?/g, "\n")
        .split("\n\n");
      rest = (blocks.pop() ?? "") + held;
      return blocks.flatMap(parseBlock);
    },
  };
}

/**
 * @param {string} block
 * @returns {StreamEvent[]}
 */
function parseBlock(block) {
  let event = "message";
  /** @type {string | undefined} */
  let id;
  /** @type {string[]} */
  const data = [];
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event = value;
    else if (field === "id") id = value;
    else if (field === "data") data.push(value);
  }
  return data.length === 0 ? [] : [{ event, id, data: data.join("\n") }];
}
