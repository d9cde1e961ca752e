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
  const { conversation, link } = chat.open.value;
  const { draft, run } = conversation.value;
  const isLive = link.value === "live";
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
        ${isLive && html`<span class="pulse" aria-hidden="true"></span>`}
        <span>${isLive ? run.label || "Working" : "Was working when the connection broke"}</span>
      </p>`
    }
  </div>`;
}
