// @ts-check
import { useSignal } from "@preact/signals";
import { html } from "htm/preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { hintsFor } from "../state/commands.js";
import { CommandHints, HINTS_ID, optionId } from "./command-hints.js";
import { inputOf } from "./events.js";
import { Chosen } from "./files.js";
import { COMPOSER_ID, focusComposer } from "./focus.js";
import { AttachIcon, SendIcon, StopIcon } from "./icons.js";
import { readFile } from "./read-file.js";
import { useDroppedFiles } from "./use-dropped-files.js";

/** @import { SentFile } from "../net/outbox.js" */
/** @import { Chat } from "../store/chat.js" */

/** What the server takes at most. */
const MAX_CHARACTERS = 32_000;

/**
 * Where messages are written. Enter sends, Shift+Enter begins a new line; a slash offers the commands.
 * @param {{ chat: Chat }} props
 */
export function Composer({ chat }) {
  const conversationId = chat.open.value.id;
  const texts = useRef(/** @type {Map<string, string>} */ (new Map()));
  const kept = useRef(/** @type {Map<string, readonly SentFile[]>} */ (new Map()));
  const picker = useRef(/** @type {HTMLInputElement | null} */ (null));
  const text = useSignal("");
  const files = useSignal(/** @type {readonly SentFile[]} */ ([]));
  const chosen = useSignal(0);
  const isDismissed = useSignal(false);
  const isStopping = useSignal(false);
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));

  const { run } = chat.open.value.conversation.value;
  const hints = isDismissed.value ? [] : hintsFor(text.value);
  const hint = hints[Math.min(chosen.value, hints.length - 1)];
  const tooLong = text.value.length - MAX_CHARACTERS;
  const canSend = (text.value.trim() !== "" || files.value.length > 0) && tooLong <= 0;
  const isDropping = useDroppedFiles(add);

  useEffect(() => {
    text.value = texts.current.get(conversationId) ?? "";
    files.value = kept.current.get(conversationId) ?? [];
    isDismissed.value = false;
    // On glass the focus would bring up a keyboard that nobody asked for.
    if (matchMedia("(pointer: fine)").matches) focusComposer();
  }, [conversationId]);

  useEffect(() => {
    isStopping.value = false;
  }, [run?.id, run === undefined]);

  useLayoutEffect(() => {
    const area = field.current;
    if (area === null) return;
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight}px`;
  }, [text.value]);

  /** @param {string} next */
  function write(next) {
    text.value = next;
    texts.current.set(conversationId, next);
    chosen.value = 0;
    isDismissed.value = false;
  }

  function send() {
    if (!canSend) return;
    chat.send(text.value.trim(), files.value);
    write("");
    choose([]);
    focusComposer();
  }

  /** @param {readonly SentFile[]} next */
  function choose(next) {
    files.value = next;
    kept.current.set(conversationId, next);
  }

  /** @param {readonly globalThis.File[]} chosenFiles */
  async function add(chosenFiles) {
    const read = await Promise.allSettled(chosenFiles.map(readFile));
    const good = read.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    if (good.length < read.length) chat.tell("Some of that cannot be sent; folders, for instance, cannot.");
    choose([...files.value, ...good]);
    focusComposer();
  }

  /** @param {ClipboardEvent} event */
  function onPaste(event) {
    const pasted = [...(event.clipboardData?.files ?? [])];
    if (pasted.length === 0) return;
    event.preventDefault();
    void add(pasted);
  }

  /** @param {Event} event */
  function onPick(event) {
    const input = /** @type {HTMLInputElement} */ (event.currentTarget);
    void add([...(input.files ?? [])]);
    // So that the same file can be chosen again.
    input.value = "";
  }

  /** @param {SubmitEvent} event */
  function onSubmit(event) {
    event.preventDefault();
    send();
  }

  /** @param {string} name */
  function complete(name) {
    write(`/${name}`);
    isDismissed.value = true;
    focusComposer();
  }

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (event.isComposing) return;
    if (hint !== undefined && handleHintKey(event, hint.name)) {
      event.preventDefault();
      return;
    }
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    send();
  }

  /** @param {KeyboardEvent} event @param {string} name */
  function handleHintKey(event, name) {
    switch (event.key) {
      case "ArrowDown":
        chosen.value = (chosen.value + 1) % hints.length;
        return true;
      case "ArrowUp":
        chosen.value = (chosen.value + hints.length - 1) % hints.length;
        return true;
      case "Escape":
        isDismissed.value = true;
        return true;
      case "Tab":
        complete(name);
        return true;
      case "Enter":
        if (event.shiftKey || text.value === `/${name}`) return false;
        complete(name);
        return true;
      default:
        return false;
    }
  }

  async function stop() {
    isStopping.value = true;
    const done = await chat.stop();
    if (!done) isStopping.value = false;
    focusComposer();
  }

  return html`<form class="composer" onSubmit=${onSubmit} onPaste=${onPaste}>
    ${isDropping && html`<p class="drop-here" aria-hidden="true">Drop files to send them</p>`}
    ${hints.length > 0 && html`<${CommandHints} hints=${hints} chosen=${hint?.name} onChoose=${complete} />`}
    <${Chosen}
      files=${files.value}
      onRemove=${(/** @type {number} */ at) => choose(files.value.filter((_file, index) => index !== at))}
    />
    <div class="box">
      <input ref=${picker} type="file" multiple hidden onChange=${onPick} aria-label="Files to send" />
      <button
        type="button"
        class="round attach"
        aria-label="Attach files"
        title="Attach files"
        onClick=${() => picker.current?.click()}
      >
        <${AttachIcon} />
      </button>
      <label class="visually-hidden" for=${COMPOSER_ID}>Message</label>
      <textarea
        id=${COMPOSER_ID}
        ref=${field}
        rows="1"
        placeholder=${`Message ${chat.botName}`}
        autocomplete="off"
        enterkeyhint="send"
        aria-describedby="composer-hint"
        aria-autocomplete="list"
        aria-controls=${hint === undefined ? undefined : HINTS_ID}
        aria-activedescendant=${hint === undefined ? undefined : optionId(hint.name)}
        value=${text.value}
        onInput=${(/** @type {Event} */ event) => write(inputOf(event).value)}
        onKeyDown=${onKeyDown}
      ></textarea>
      ${
        run !== undefined &&
        html`<button
          type="button"
          class="round stop"
          aria-label="Stop"
          title="Stop"
          disabled=${isStopping.value}
          onClick=${stop}
        >
          <${StopIcon} />
        </button>`
      }
      <button type="submit" class="round send" aria-label="Send" title="Send" disabled=${!canSend}>
        <${SendIcon} />
      </button>
    </div>
    <p class="composer-hint" id="composer-hint">
      ${
        tooLong > 0
          ? html`<span class="problem" role="alert"
              >This is ${tooLong} characters too long: at most ${MAX_CHARACTERS} can be sent.</span
            >`
          : html`<span>Enter sends, Shift+Enter begins a new line, / offers commands.</span>`
      }
    </p>
  </form>`;
}
