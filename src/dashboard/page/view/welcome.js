// @ts-check
import { html } from "htm/preact";

/** @import { Chat } from "../store/chat.js" */

const SUGGESTIONS = ["What can you do?", "What is 12*7+1?", "Ask me whether tea or coffee"];

/**
 * What an empty conversation shows.
 * @param {{ chat: Chat }} props
 */
export function Welcome({ chat }) {
  return html`<section class="welcome" aria-label="Welcome">
    <p class="greeting">What can I do for you?</p>
    <p class="hint">Every message gets one answer. You can write on while I work: what you send waits its turn.</p>
    <div class="choices">
      ${SUGGESTIONS.map(
        (text) =>
          html`<button type="button" class="choice" key=${text} onClick=${() => chat.send(text)}>${text}</button>`,
      )}
    </div>
  </section>`;
}
