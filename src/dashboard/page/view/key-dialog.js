// @ts-check
import { useSignal } from "@preact/signals";
import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { inputOf } from "./events.js";

/** @import { Chat } from "../store/chat.js" */

/**
 * Asks for an API key when the server wants one. It stays until there is one: without it nothing here works.
 * @param {{ chat: Chat }} props
 */
export function KeyDialog({ chat }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const key = useSignal("");
  const isRefused = useSignal(false);
  const needed = chat.needsKey.value;

  useEffect(() => {
    if (needed) {
      isRefused.value = chat.hasKey();
      dialog.current?.showModal();
    } else dialog.current?.close();
  }, [needed]);

  /** @param {SubmitEvent} event */
  function submit(event) {
    event.preventDefault();
    const given = key.value.trim();
    if (given === "") return;
    key.value = "";
    chat.useKey(given);
  }

  return html`<dialog
    ref=${dialog}
    class="dialog"
    aria-labelledby="key-title"
    onCancel=${(/** @type {Event} */ event) => event.preventDefault()}
  >
    <form onSubmit=${submit}>
      <h2 id="key-title">This server asks for a key</h2>
      <p class="hint" id="key-hint">
        It is the value of PARLEY_API_KEY, or a key an administrator made for you. It is kept until this window is
        closed.
      </p>
      <label for="api-key">API key</label>
      <input
        id="api-key"
        type="password"
        autocomplete="off"
        required
        aria-describedby="key-hint key-problem"
        value=${key.value}
        onInput=${(/** @type {Event} */ event) => (key.value = inputOf(event).value)}
      />
      <p class="problem" id="key-problem" role="alert">
        ${isRefused.value && "The server does not know the key given before."}
      </p>
      <button type="submit" class="primary">Continue</button>
    </form>
  </dialog>`;
}
