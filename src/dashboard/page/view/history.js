// @ts-check
import { useSignal } from "@preact/signals";
import { Fragment } from "preact";
import { html } from "htm/preact";
import { openQuestion } from "../state/conversation.js";
import { dayOf } from "./format-time.js";
import { Message } from "./message.js";

/** @import { Chat } from "../store/chat.js" */

/** How many messages are shown at first, and how many more at a time. */
const SHOWN = 150;

/**
 * Everything that was said. New messages are read out by screen readers; the first ones are not.
 * @param {{ chat: Chat }} props
 */
export function History({ chat }) {
  const shown = useSignal(SHOWN);
  const { conversation, loaded } = chat.open.value;
  const { history } = conversation.value;
  // A choice that is on its way is not made twice.
  const asked = chat.unsent.value.length > 0 ? undefined : openQuestion(conversation.value);
  const visible = history.slice(-shown.value);
  const now = Date.now();
  let day = "";

  return html`${
      visible.length < history.length &&
      html`<button type="button" class="plain earlier" onClick=${() => (shown.value += SHOWN)}>
        Show earlier messages
      </button>`
    }
    <div
      class="log"
      role="log"
      aria-live=${loaded.value ? "polite" : "off"}
      aria-relevant="additions"
      aria-label="Messages"
    >
      ${visible.map((entry) => {
        const thisDay = dayOf(entry.at, now);
        const begins = thisDay !== day;
        day = thisDay;
        return html`<${Fragment} key=${entry.id}>
          ${begins && html`<p class="day">${thisDay}</p>`}
          <${Message}
            entry=${entry}
            botName=${chat.botName}
            onChoose=${entry.id === asked ? chat.send : undefined}
            onDecide=${chat.decide}
          />
        <//>`;
      })}
    </div>`;
}
