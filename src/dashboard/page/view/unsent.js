// @ts-check
import { html } from "htm/preact";
import { isKnown } from "../state/conversation.js";
import { Chosen } from "./files.js";

/** @import { Unsent as UnsentMessage } from "../net/outbox.js" */
/** @import { Chat } from "../store/chat.js" */

/**
 * The messages the server has not confirmed, and why.
 * @param {{ chat: Chat }} props
 */
export function Unsent({ chat }) {
  const conversation = chat.open.value.conversation.value;
  // An event may tell of a message before the reply to sending it comes.
  const unsent = chat.unsent.value.filter((message) => !isKnown(conversation, message.id));
  return unsent.map(
    (message) =>
      html`<article
        class="message from-user is-unsent"
        data-id=${message.id}
        key=${message.id}
        data-state=${message.state}
      >
        <h2 class="visually-hidden">You, not sent yet</h2>
        ${message.text !== "" && html`<div class="bubble verbatim">${message.text}</div>`}
        <${Chosen} files=${message.attachments ?? []} />
        <${Status} message=${message} chat=${chat} />
      </article>`,
  );
}

/** @param {{ message: UnsentMessage, chat: Chat }} props */
function Status({ message, chat }) {
  if (message.state === "sending") return html`<p class="meta"><span>Sending</span></p>`;
  const discard = html`<button type="button" class="quiet" onClick=${() => chat.outbox.discard(message.id)}>
    Discard
  </button>`;
  if (message.state === "retrying")
    return html`<p class="meta" role="status">
      <span>Not sent yet: it is tried again by itself. ${message.reason}</span>${discard}
    </p>`;
  return html`<p class="meta is-problem" role="alert">
    <span>Not sent. ${message.reason}</span>
    <button type="button" class="quiet" onClick=${() => chat.outbox.again(message.id)}>Try again</button>
    ${discard}
  </p>`;
}
