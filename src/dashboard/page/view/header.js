// @ts-check
import { html } from "htm/preact";
import { MenuIcon, SettingsIcon } from "./icons.js";
import { Settings, SETTINGS_ID } from "./settings.js";

/** @import { Ref } from "preact" */
/** @import { Link } from "../net/watch.js" */
/** @import { Conversation } from "../state/conversation.js" */
/** @import { Chat } from "../store/chat.js" */

/** @type {Readonly<Record<Link, string>>} */
const LINKS = { connecting: "Connecting", live: "Live", reconnecting: "Reconnecting", offline: "Offline" };

/**
 * The bot's name, what it is doing, and how well the page hears of it.
 * @param {{ chat: Chat, menu: Ref<HTMLButtonElement>, isOpen: boolean, onMenu: () => void }} props
 */
export function Header({ chat, menu, isOpen, onMenu }) {
  const { conversation, link } = chat.open.value;
  const state = stateOf(conversation.value);
  return html`<header class="header">
    <button
      ref=${menu}
      type="button"
      class="icon-button drawer-only"
      aria-label="Conversations"
      aria-expanded=${isOpen}
      aria-controls="conversations"
      onClick=${onMenu}
    >
      <${MenuIcon} />
    </button>
    <div class="who">
      <h1>${chat.botName}</h1>
      <p class="state" data-state=${state.name} role="status">${state.words}</p>
    </div>
    <p class="link" data-link=${link.value} role="status">
      <span class="dot" aria-hidden="true"></span>${LINKS[link.value]}
    </p>
    <button type="button" class="icon-button" aria-label="Settings" popovertarget=${SETTINGS_ID}>
      <${SettingsIcon} />
    </button>
    <${Settings} chat=${chat} />
  </header>`;
}

/** @param {Conversation} conversation */
function stateOf({ run, waiting }) {
  if (run?.phase === "waiting") return { name: "waiting", words: "Waiting for you" };
  if (run === undefined && waiting.length === 0) return { name: "idle", words: "Idle" };
  return { name: "working", words: "Working" };
}
