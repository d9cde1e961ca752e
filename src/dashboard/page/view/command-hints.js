// @ts-check
import { html } from "htm/preact";

export const HINTS_ID = "command-hints";

/**
 * The element of a command in the list.
 * @param {string} name
 */
export function optionId(name) {
  return `${HINTS_ID}-${name}`;
}

/**
 * The commands that fit what is being typed. The keyboard stays in the send box.
 * @param {{ hints: readonly { name: string, help: string }[], chosen: string | undefined, onChoose: (name: string) => void }} props
 */
export function CommandHints({ hints, chosen, onChoose }) {
  return html`<ul class="hints" id=${HINTS_ID} role="listbox" aria-label="Commands">
    ${hints.map(
      ({ name, help }) =>
        html`<li
          key=${name}
          id=${optionId(name)}
          role="option"
          aria-selected=${name === chosen}
          onPointerDown=${(/** @type {Event} */ event) => event.preventDefault()}
          onClick=${() => onChoose(name)}
        >
          <code>/${name}</code><span>${help}</span>
        </li>`,
    )}
  </ul>`;
}
