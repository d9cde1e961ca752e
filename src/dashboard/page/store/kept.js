// @ts-check
import { createKept } from "./storage.js";

/** @import { Unsent } from "../net/outbox.js" */

export const DEFAULT_USER = "local";

/** What the page remembers: all of it on this browser, the key only as long as its window is open. */
export function openKept() {
  const local = () => localStorage;
  return {
    user: createKept(local, "parley.user", (raw) => textOr(raw, DEFAULT_USER)),
    conversation: createKept(local, "parley.conversation", (raw) => textOr(raw, undefined)),
    titles: createKept(local, "parley.titles", readTitles),
    unsent: createKept(local, "parley.unsent", readUnsent),
    key: createKept(
      () => sessionStorage,
      "parley.key",
      (raw) => textOr(raw, undefined),
    ),
  };
}

/** @typedef {ReturnType<typeof openKept>} Kept */

/** @template Otherwise @param {unknown} raw @param {Otherwise} otherwise */
function textOr(raw, otherwise) {
  return typeof raw === "string" && raw !== "" ? raw : otherwise;
}

/** @typedef {readonly [conversation: string, title: string]} Titled */

/** @param {unknown} raw @returns {readonly Titled[]} */
function readTitles(raw) {
  return Array.isArray(raw) ? raw.filter(isTitled) : [];
}

/** @param {unknown} raw @returns {raw is Titled} */
function isTitled(raw) {
  return Array.isArray(raw) && raw.length === 2 && raw.every((part) => typeof part === "string");
}

/** @param {unknown} raw @returns {readonly Unsent[]} */
function readUnsent(raw) {
  if (!Array.isArray(raw)) return [];
  return raw
    .filter(isUnsent)
    .map((message) => (message.state === "refused" ? message : { ...message, state: "sending" }));
}

/** @param {unknown} raw @returns {raw is Unsent} */
function isUnsent(raw) {
  if (typeof raw !== "object" || raw === null) return false;
  const message = /** @type {Record<string, unknown>} */ (raw);
  if (message["attachments"] !== undefined && !Array.isArray(message["attachments"])) return false;
  const texts = ["id", "conversation", "user", "text", "state", "reason"];
  return texts.every((name) => typeof message[name] === "string") && typeof message["at"] === "number";
}
