// @ts-check

export const COMPOSER_ID = "message";

/** Puts the caret back where messages are written, after a button that is gone was used. */
export function focusComposer() {
  document.getElementById(COMPOSER_ID)?.focus();
}
