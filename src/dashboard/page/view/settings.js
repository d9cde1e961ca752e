// @ts-check
import { useSignal } from "@preact/signals";
import { html } from "htm/preact";
import { useRef } from "preact/hooks";
import { inputOf } from "./events.js";

/** @import { Chat } from "../store/chat.js" */

export const SETTINGS_ID = "settings";

/** What the server accepts as a name. */
const NAME = /^[^\s{}\p{Cc}]{1,200}$/u;

/**
 * The popover with who one is and the key.
 * @param {{ chat: Chat }} props
 */
export function Settings({ chat }) {
  const name = useSignal(chat.user.value);
  const problem = useSignal("");
  const popover = useRef(/** @type {HTMLElement | null} */ (null));

  /** @param {SubmitEvent} event */
  function save(event) {
    event.preventDefault();
    const wanted = name.value.trim();
    if (!NAME.test(wanted)) {
      problem.value = "A name has 1 to 200 characters, without spaces or braces.";
      return;
    }
    problem.value = "";
    chat.changeUser(wanted);
    popover.current?.hidePopover();
  }

  function forget() {
    chat.forgetKey();
    popover.current?.hidePopover();
  }

  return html`<section id=${SETTINGS_ID} class="popover" popover="auto" ref=${popover} aria-label="Settings">
    <form onSubmit=${save}>
      <label for="user-name">Your name here</label>
      <p class="hint" id="user-hint">
        Conversations and what is remembered belong to it. Another name begins another conversation.
      </p>
      <div class="row">
        <input
          id="user-name"
          type="text"
          autocomplete="off"
          autocapitalize="none"
          spellcheck=${false}
          aria-describedby="user-hint user-problem"
          aria-invalid=${problem.value !== ""}
          value=${name.value}
          onInput=${(/** @type {Event} */ event) => (name.value = inputOf(event).value)}
        />
        <button type="submit" class="primary">Save</button>
      </div>
      <p class="problem" id="user-problem" role="alert">${problem.value}</p>
    </form>
    ${
      chat.hasKey() &&
      html`<div class="row spread">
        <span>This window uses an API key.</span>
        <button type="button" class="plain" onClick=${forget}>Forget it</button>
      </div>`
    }
  </section>`;
}
