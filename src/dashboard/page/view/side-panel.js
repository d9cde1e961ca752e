// @ts-check
import { computed } from "@preact/signals";
import { html } from "htm/preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { dayOf, timeOfDay } from "./format-time.js";
import { CloseIcon, PlusIcon } from "./icons.js";

/** @import { ConversationSummary } from "../net/api.js" */
/** @import { Chat } from "../store/chat.js" */

/**
 * The person's conversations, the latest first, and a button for another one.
 * @param {{ chat: Chat, isOpen: boolean, onClose: () => void }} props
 */
export function SidePanel({ chat, isOpen, onClose }) {
  const panel = useRef(/** @type {HTMLElement | null} */ (null));
  const rows = useMemo(() => computed(() => rowsOf(chat)), [chat]);

  useEffect(() => {
    if (isOpen) panel.current?.querySelector("button")?.focus();
  }, [isOpen]);

  /** @param {() => void} act */
  const closing = (act) => () => {
    act();
    onClose();
  };

  return html`<aside id="conversations" class="panel" ref=${panel} aria-label="Conversations">
    <div class="panel-head">
      <button type="button" class="primary wide" onClick=${closing(() => chat.startNew())}>
        <${PlusIcon} />New conversation
      </button>
      <button type="button" class="icon-button drawer-only" aria-label="Close" onClick=${onClose}>
        <${CloseIcon} />
      </button>
    </div>
    <nav aria-label="Conversations">
      <ul>
        ${rows.value.map(
          (row) =>
            html`<li key=${row.id}>
              <button
                type="button"
                class="conversation"
                aria-current=${row.isOpen ? "true" : undefined}
                onClick=${closing(() => chat.show(row.id))}
              >
                <span class="title">${row.title}</span>
                <span class="meta">${row.meta}</span>
              </button>
            </li>`,
        )}
      </ul>
    </nav>
    ${chat.list.problem.value !== undefined && html`<p class="problem">${chat.list.problem.value}</p>`}
    <p class="panel-foot">You are <strong>${chat.user.value}</strong></p>
  </aside>`;
}

/** @param {Chat} chat */
function rowsOf(chat) {
  const { id: openId } = chat.open.value;
  const titles = chat.list.titled.value;
  const listed = chat.list.list.value;
  const now = Date.now();
  const rows = listed.map((each) => ({
    id: each.id,
    title: titles.get(each.id) ?? "Untitled conversation",
    meta: metaOf(each, now),
    isOpen: each.id === openId,
  }));
  if (listed.some((each) => each.id === openId)) return rows;
  return [
    { id: openId, title: titles.get(openId) ?? "New conversation", meta: "Not begun yet", isOpen: true },
    ...rows,
  ];
}

/** @param {ConversationSummary} conversation @param {number} now */
function metaOf({ platform, last_activity_at }, now) {
  const at = Date.parse(last_activity_at);
  const day = dayOf(at, now);
  const when = day === "Today" ? timeOfDay(at) : day;
  return platform === "web" ? when : `${when} · ${PLATFORMS[platform] ?? platform}`;
}

/** @type {Readonly<Record<string, string>>} */
const PLATFORMS = { api: "API", terminal: "Terminal", slack: "Slack", discord: "Discord", telegram: "Telegram" };
