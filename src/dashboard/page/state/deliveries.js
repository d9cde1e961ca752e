// @ts-check

/** @typedef {"answer" | "error" | "question" | "approval" | "notice"} Kind What a message of the bot is to its reader. */

/**
 * The run a delivery belongs to.
 * @param {string} id
 */
export function runOf(id) {
  return id.split(":").slice(0, -2).join(":");
}

/**
 * Whether the server forgets a message of the bot as soon as it is said, as it does with answers to commands.
 * @param {string} id
 */
export function isPassing(id) {
  return id.split(":").at(-2) === "command";
}

const DEMO_LABEL = "— offline demo model";

/**
 * An answer without the line by which the demo model shows that it is none, and whether there was one.
 * @param {string} text
 */
export function splitDemoLabel(text) {
  const trimmed = text.trimEnd();
  if (!trimmed.endsWith(DEMO_LABEL)) return { text, demo: false };
  return { text: trimmed.slice(0, -DEMO_LABEL.length).trimEnd(), demo: true };
}
