// @ts-check

/** @import { Attachment } from "./conversation.js" */

/**
 * A number of bytes as people say it.
 * @param {number} bytes
 */
export function sizeInWords(bytes) {
  if (bytes < 1000) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  if (bytes < 999_500) return `${Math.round(bytes / 1000)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/**
 * How long the content is that a base64 text stands for.
 * @param {string} base64
 */
export function bytesOfBase64(base64) {
  return (base64.replace(/=+$/, "").length * 3) >> 2;
}

/** @type {Readonly<Record<Attachment["state"], string>>} */
const STATES = {
  received: "received",
  read: "read",
  shown: "shown to the model",
  unsupported: "not supported",
  "too-large": "too large",
  failed: "could not be read",
};

/**
 * What became of a file, for the person who sent it.
 * @param {Pick<Attachment, "state" | "reason">} file
 */
export function stateInWords({ state, reason }) {
  return reason === undefined ? STATES[state] : `${STATES[state]}: ${reason}`;
}

/**
 * Whether a file did not reach the model.
 * @param {Pick<Attachment, "state">} file
 */
export function isUnused({ state }) {
  return state === "unsupported" || state === "too-large" || state === "failed";
}

const PREVIEWED = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

/**
 * Whether a file is shown as a picture. Anything that a browser could run or follow, such as SVG, is not.
 * @param {{ media_type: string }} file
 */
export function isPreviewed({ media_type: type }) {
  return PREVIEWED.has(type);
}
