// @ts-check
import { html } from "htm/preact";
import { ApprovalCard } from "./approval.js";
import { memo } from "./memo.js";
import { splitDemoLabel } from "../state/deliveries.js";
import { dateAndTime, timeOfDay } from "./format-time.js";
import { Attachments, Files } from "./files.js";
import { Markdown } from "./markdown.js";

/** @import { Entry } from "../state/conversation.js" */
/** @import { Decide } from "./approval.js" */

/**
 * One message. What a person wrote is shown as it was typed, what the bot wrote as the Markdown it is.
 * @type {(props: { entry: Entry, botName: string, onChoose: ((text: string) => void) | undefined, onDecide: Decide }) => unknown}
 */
export const Message = memo(({ entry, botName, onChoose, onDecide }) => {
  const { id, role, kind, text, choices, approval } = entry;
  if (role === "user")
    return html`<article class="message from-user" data-id=${id}>
      <h2 class="visually-hidden">You</h2>
      ${text !== "" && html`<div class="bubble verbatim">${text}</div>`}
      <${Attachments} attachments=${entry.attachments} />
      <${Time} at=${entry.at} />
    </article>`;

  const shown = splitDemoLabel(text);
  return html`<article class="message from-bot" data-kind=${kind} data-id=${id}>
    <h2 class="visually-hidden">${botName}${LABELS[kind ?? "answer"]}</h2>
    <div class="said">
      ${
        approval === undefined
          ? html`<${Markdown} text=${shown.text} />`
          : html`<${ApprovalCard} approval=${approval} onDecide=${onDecide} />`
      }
      <${Files} files=${entry.files} />
      ${onChoose !== undefined && choices.length > 0 && html`<${Choices} choices=${choices} onChoose=${onChoose} />`}
    </div>
    <${Time} at=${entry.at}>${shown.demo && html`<span class="tag">offline demo model</span>`}<//>
  </article>`;
});

/** @type {Readonly<Record<import("../state/conversation.js").Kind, string>>} */
const LABELS = {
  answer: "",
  error: ", a problem",
  question: ", a question",
  approval: ", a request for approval",
  notice: ", a notice",
};

/** @param {{ choices: readonly string[], onChoose: (text: string) => void }} props */
function Choices({ choices, onChoose }) {
  return html`<div class="choices" role="group" aria-label="Choices">
    ${choices.map(
      (choice) =>
        html`<button type="button" class="choice" key=${choice} onClick=${() => onChoose(choice)}>${choice}</button>`,
    )}
  </div>`;
}

/** @param {{ at: number, children?: unknown }} props */
function Time({ at, children }) {
  return html`<p class="meta">
    <time datetime=${new Date(at).toISOString()} title=${dateAndTime(at)}>${timeOfDay(at)}</time>${children}
  </p>`;
}
