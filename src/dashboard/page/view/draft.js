// @ts-check
import { html } from "htm/preact";
import { splitDemoLabel } from "../state/deliveries.js";
import { Markdown } from "./markdown.js";

/** @import { Chat } from "../store/chat.js" */

/**
 * What the bot is doing, and what it has written so far. Not read out while it grows: the message itself will be.
 * @param {{ chat: Chat }} props
 */
export function Draft({ chat }) {
  const { draft, run } = chat.open.value.conversation.value;
  const isWorking = run?.phase === "working";
  return html`<div class="draft">
    ${
      draft !== undefined &&
      html`<div class="message from-bot" data-kind="draft" aria-live="off">
        <div class="said">
          ${draft.partial && html`<p class="hint">The beginning of this will be there when it is finished.</p>`}
          <${Markdown} text=${splitDemoLabel(draft.text).text} />
        </div>
      </div>`
    }
    ${
      isWorking &&
      html`<p class="progress">
        <span class="pulse" aria-hidden="true"></span><span>${run.label === "" ? "Working" : run.label}</span>
      </p>`
    }
  </div>`;
}
