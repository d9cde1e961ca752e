// @ts-check
import { html, render } from "htm/preact";
import { createChat } from "./store/chat.js";
import { openKept } from "./store/kept.js";
import { App } from "./view/app.js";

const botName = document.querySelector("meta[name=application-name]")?.getAttribute("content") ?? "Parley";
const chat = createChat({ kept: openKept(), fetch: (input, init) => fetch(input, init), botName });

window.addEventListener("online", chat.wake);
document.addEventListener("visibilitychange", () => {
  // A page that slept may hold a connection that is long dead.
  if (document.visibilityState === "visible") chat.wake();
});
chat.wake();

const root = document.getElementById("app");
if (root !== null) render(html`<${App} chat=${chat} />`, root);
