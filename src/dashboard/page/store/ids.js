// @ts-check

/** A new id that nobody else makes and nobody guesses. */
export function newId() {
  // `randomUUID` is missing where the page comes over plain HTTP from another machine.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The id of a new conversation of this page. */
export function newConversationId() {
  return `web:${newId()}`;
}
