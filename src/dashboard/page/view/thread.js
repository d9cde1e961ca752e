// @ts-check
import { useSignal } from "@preact/signals";
import { html } from "htm/preact";
import { Draft } from "./draft.js";
import { History } from "./history.js";
import { DownIcon } from "./icons.js";
import { Unsent } from "./unsent.js";
import { useStickToEnd } from "./use-stick-to-end.js";
import { Waiting } from "./waiting.js";
import { Welcome } from "./welcome.js";

/** @import { Chat } from "../store/chat.js" */

/**
 * The open conversation: what was said, what is being written, what waits, what is not sent yet.
 * @param {{ chat: Chat }} props
 */
export function Thread({ chat }) {
  const { conversation, loaded, problem } = chat.open.value;
  const isAtEnd = useSignal(true);
  const { scroller, content, toEnd } = useStickToEnd(isAtEnd);
  const { history, waiting, run } = conversation.value;
  const unsent = chat.unsent.value;
  const isEmpty = history.length === 0 && waiting.length === 0 && unsent.length === 0 && run === undefined;

  return html`<main class="thread" aria-label="Chat">
    <div class="scroller" ref=${scroller} tabindex="-1">
      <div class="messages" ref=${content}>
        ${problem.value !== undefined && html`<p class="problem banner" role="alert">${problem.value}</p>`}
        ${isEmpty && loaded.value && html`<${Welcome} chat=${chat} />`}
        <${History} chat=${chat} />
        <${Draft} chat=${chat} />
        <${Waiting} chat=${chat} />
        <${Unsent} chat=${chat} />
      </div>
    </div>
    ${
      !isAtEnd.value &&
      html`<button type="button" class="to-end" onClick=${toEnd} aria-label="Go to the latest message">
        <${DownIcon} />
      </button>`
    }
  </main>`;
}
