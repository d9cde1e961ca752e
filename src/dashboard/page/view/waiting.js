// @ts-check
import { useSignal } from "@preact/signals";
import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { aheadOf } from "../state/conversation.js";
import { inputOf } from "./events.js";
import { Attachments } from "./files.js";
import { focusComposer } from "./focus.js";

/** @import { Waiting as WaitingMessage } from "../state/conversation.js" */
/** @import { Chat } from "../store/chat.js" */

/**
 * The messages nobody has begun with, each with its place in the line.
 * @param {{ chat: Chat }} props
 */
export function Waiting({ chat }) {
  const conversation = chat.open.value.conversation.value;
  if (conversation.waiting.length === 0) return null;
  return html`<section class="waiting" aria-label="Waiting messages">
    ${conversation.waiting.map(
      (message, index) =>
        html`<${WaitingRow} key=${message.id} message=${message} ahead=${aheadOf(conversation, index)} chat=${chat} />`,
    )}
  </section>`;
}

/** @param {{ message: WaitingMessage, ahead: number, chat: Chat }} props */
function WaitingRow({ message, ahead, chat }) {
  const isEditing = useSignal(false);
  if (isEditing.value) {
    const close = () => {
      isEditing.value = false;
      focusComposer();
    };
    return html`<${Editor} message=${message} chat=${chat} onClose=${close} />`;
  }

  async function withdraw() {
    await chat.withdraw(message.id);
    focusComposer();
  }

  return html`<article class="message from-user is-waiting" data-id=${message.id}>
    <h2 class="visually-hidden">You, waiting</h2>
    ${message.text !== "" && html`<div class="bubble verbatim">${message.text}</div>`}
    <${Attachments} attachments=${message.attachments} />
    <p class="meta">
      <span>${placeInLine(ahead)}</span>
      <button type="button" class="quiet" onClick=${() => (isEditing.value = true)}>Edit</button>
      <button type="button" class="quiet" onClick=${withdraw}>Withdraw</button>
    </p>
  </article>`;
}

/** @param {{ message: WaitingMessage, chat: Chat, onClose: () => void }} props */
function Editor({ message, chat, onClose }) {
  const text = useSignal(message.text);
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));

  useEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(message.text.length, message.text.length);
  }, []);

  async function save() {
    const wanted = text.value.trim();
    if (wanted === "") return;
    if (wanted === message.text || (await chat.edit(message.id, wanted))) onClose();
  }

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (event.isComposing) return;
    if (event.key === "Escape") onClose();
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    void save();
  }

  return html`<article class="message from-user is-waiting is-editing" data-id=${message.id}>
    <textarea
      ref=${field}
      aria-label="Edit the waiting message"
      rows=${Math.min(8, Math.max(2, text.value.split("\n").length))}
      value=${text.value}
      onInput=${(/** @type {Event} */ event) => (text.value = inputOf(event).value)}
      onKeyDown=${onKeyDown}
    ></textarea>
    <p class="meta">
      <button type="button" class="quiet" onClick=${onClose}>Cancel</button>
      <button type="button" class="quiet strong" onClick=${save}>Save</button>
    </p>
  </article>`;
}

/** @param {number} ahead */
function placeInLine(ahead) {
  if (ahead === 0) return "Queued, next in line";
  return ahead === 1 ? "Queued, 1 message ahead" : `Queued, ${ahead} messages ahead`;
}
