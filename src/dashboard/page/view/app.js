// @ts-check
import { useSignal } from "@preact/signals";
import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { Composer } from "./composer.js";
import { Header } from "./header.js";
import { KeyDialog } from "./key-dialog.js";
import { Notice } from "./notice.js";
import { SidePanel } from "./side-panel.js";
import { Thread } from "./thread.js";

/** @import { Chat } from "../store/chat.js" */

/** Below this width the list of conversations is a drawer over the page. The style sheet knows it too. */
const WIDE = "(min-width: 56rem)";

/**
 * The whole page.
 * @param {{ chat: Chat }} props
 */
export function App({ chat }) {
  const drawer = useSignal(false);
  const menu = useRef(/** @type {HTMLButtonElement | null} */ (null));

  useEffect(() => {
    const wide = matchMedia(WIDE);
    /** @param {KeyboardEvent} event */
    const onKey = (event) => {
      if (event.key === "Escape") closeDrawer();
    };
    wide.addEventListener("change", closeDrawer);
    document.addEventListener("keydown", onKey);
    return () => {
      wide.removeEventListener("change", closeDrawer);
      document.removeEventListener("keydown", onKey);
    };
  }, []);

  function closeDrawer() {
    drawer.value = false;
  }

  // Only after it was drawn closed can what is beside the drawer take the focus again.
  const wasOpen = useRef(false);
  useEffect(() => {
    if (wasOpen.current && !drawer.value) menu.current?.focus();
    wasOpen.current = drawer.value;
  }, [drawer.value]);

  const { id } = chat.open.value;
  return html`<div class="app" data-drawer=${drawer.value ? "open" : "closed"}>
    <${SidePanel} chat=${chat} isOpen=${drawer.value} onClose=${closeDrawer} />
    <div class="backdrop" onClick=${closeDrawer}></div>
    <div class="column" inert=${drawer.value}>
      <${Header} chat=${chat} menu=${menu} isOpen=${drawer.value} onMenu=${() => (drawer.value = true)} />
      <${Thread} key=${id} chat=${chat} />
      <${Notice} notice=${chat.notice} />
      <${Composer} chat=${chat} />
    </div>
    <${KeyDialog} chat=${chat} />
  </div>`;
}
