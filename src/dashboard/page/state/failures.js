// @ts-check

/** A request that did not do what it was for. `message` is for people. */
export class Failure extends Error {
  /**
   * @param {string} message
   * @param {{ status: number, code: string }} what `status` is 0 when no answer came
   */
  constructor(message, { status, code }) {
    super(message);
    this.name = "Failure";
    this.status = status;
    this.code = code;
  }
}

/**
 * What to do about a message the server did not take: try again by itself, ask for a key, or tell the person.
 * @param {unknown} error
 * @returns {"retry" | "unauthorized" | "refused"}
 */
export function judge(error) {
  if (!(error instanceof Failure)) return "refused";
  if (error.status === 401) return "unauthorized";
  if (error.code === "conversation_full") return "refused";
  return error.status === 0 || error.status === 408 || error.status === 429 || error.status >= 500
    ? "retry"
    : "refused";
}

/**
 * One plain sentence about anything that went wrong.
 * @param {unknown} error
 */
export function describe(error) {
  if (!(error instanceof Failure)) return "Something went wrong in this page. Reloading it may help.";
  return IN_OTHER_WORDS[error.code] ?? error.message;
}

/**
 * What the server says to programs, with ids that mean nothing to the person who reads it here.
 * @type {Readonly<Record<string, string>>}
 */
const IN_OTHER_WORDS = {
  message_taken: "This message is being answered already; it can no longer be changed.",
  conversation_full: "Too many messages wait in this conversation. Try again when some are answered.",
  unauthorized: "The server asks for a key.",
};
