// @ts-check
import { html } from "htm/preact";
import { bytesOfBase64, isPreviewed, isUnused, sizeInWords, stateInWords } from "../state/files.js";
import { CloseIcon, FileIcon } from "./icons.js";

/** @import { Attachment, File } from "../state/conversation.js" */
/** @import { SentFile } from "../net/outbox.js" */

/**
 * The files a person sent, each with what became of it.
 * @param {{ attachments: readonly Attachment[] }} props
 */
export function Attachments({ attachments }) {
  if (attachments.length === 0) return null;
  return html`<ul class="files" aria-label="Files you sent">
    ${attachments.map(
      (file, index) =>
        html`<li class="file" key=${index} data-state=${file.state} data-unused=${isUnused(file)}>
          <${FileIcon} />
          <span class="file-words"
            ><span class="file-name">${file.name}</span><span class="file-more">${stateInWords(file)}</span></span
          >
        </li>`,
    )}
  </ul>`;
}

/**
 * The files the bot sent: pictures to look at, everything to keep.
 * @param {{ files: readonly File[] }} props
 */
export function Files({ files }) {
  if (files.length === 0) return null;
  return html`<ul class="files" aria-label="Files">
    ${files.map(
      (file) =>
        html`<li key=${file.artifact_id}>
          <a class="file is-link" href=${file.url} download=${file.name} title=${`Download ${file.name}`}>
            ${isPreviewed(file) && html`<img class="preview" src=${file.url} alt=${file.name} loading="lazy" />`}
            <span class="file-row">
              <${FileIcon} />
              <span class="file-words"
                ><span class="file-name">${file.name}</span
                ><span class="file-more">${sizeInWords(file.bytes)}, download</span></span
              >
            </span>
          </a>
        </li>`,
    )}
  </ul>`;
}

/**
 * Files that go with the message being written.
 * @param {{ files: readonly SentFile[], onRemove?: (index: number) => void }} props
 */
export function Chosen({ files, onRemove }) {
  if (files.length === 0) return null;
  return html`<ul class="files is-chosen" aria-label="Files to send">
    ${files.map(
      (file, index) =>
        html`<li class="file" key=${index}>
          <${FileIcon} />
          <span class="file-words"
            ><span class="file-name">${file.name}</span
            ><span class="file-more">${sizeInWords(bytesOfBase64(file.content_base64))}</span></span
          >
          ${
            onRemove !== undefined &&
            html`<button
              type="button"
              class="file-remove"
              aria-label=${`Remove ${file.name}`}
              onClick=${() => onRemove(index)}
            >
              <${CloseIcon} />
            </button>`
          }
        </li>`,
    )}
  </ul>`;
}
