// @ts-check

/**
 * The field an event comes from.
 * @param {Event} event
 */
export function inputOf(event) {
  return /** @type {HTMLInputElement | HTMLTextAreaElement} */ (event.currentTarget);
}
