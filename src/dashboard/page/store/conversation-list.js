// @ts-check
import { signal } from "@preact/signals";
import { describe, Failure } from "../state/failures.js";

/** @import { Api, ConversationSummary } from "../net/api.js" */
/** @import { Kept } from "./kept.js" */

const LISTED = 50;
const MAX_TITLES = 300;
const TITLE_LENGTH = 60;

/**
 * A person's conversations with a title each: the first words said in it, kept by the browser once they are known.
 * @param {{ api: Api, titles: Kept["titles"], user: () => string }} parts
 */
export function createConversationList({ api, titles, user }) {
  /** @type {import("@preact/signals").Signal<readonly ConversationSummary[]>} */
  const list = signal([]);
  /** @type {import("@preact/signals").Signal<ReadonlyMap<string, string>>} */
  const titled = signal(new Map(titles.read()));
  /** @type {import("@preact/signals").Signal<string | undefined>} */
  const problem = signal(undefined);
  /** @type {Set<string>} */
  const lookedAt = new Set();
  let asked = 0;

  /** @param {string} id @param {string} text */
  function entitle(id, text) {
    if (titled.value.has(id)) return;
    /** @type {import("./kept.js").Titled[]} */
    const all = [...titled.value, [id, shorten(text)]];
    titles.write(all.slice(-MAX_TITLES));
    titled.value = new Map(titles.read());
  }

  async function refresh() {
    asked += 1;
    const mine = asked;
    try {
      const found = await api.conversations(user(), LISTED);
      if (mine !== asked) return;
      list.value = found;
      problem.value = undefined;
      for (const { id } of found) {
        // One without any message to be called by is not asked about again and again.
        if (titled.value.has(id) || lookedAt.has(id)) continue;
        const first = await api.firstMessage(id);
        lookedAt.add(id);
        if (first !== undefined) entitle(id, first.text);
        if (mine !== asked) return;
      }
    } catch (error) {
      if (mine === asked && !(error instanceof Failure && error.status === 401)) problem.value = describe(error);
    }
  }

  return { list, titled, problem, entitle, refresh };
}

/** @typedef {ReturnType<typeof createConversationList>} ConversationList */

/** @param {string} text */
function shorten(text) {
  const line = text.trim().replace(/\s+/g, " ");
  return line.length <= TITLE_LENGTH ? line : `${line.slice(0, TITLE_LENGTH - 1).trimEnd()}…`;
}
