// @ts-check
import { html } from "htm/preact";

/** @param {string} path */
const icon = (path) => () =>
  html`<svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true"><path d=${path} /></svg>`;

export const MenuIcon = icon("M4 7h16M4 12h16M4 17h16");
export const PlusIcon = icon("M12 5v14M5 12h14");
export const CloseIcon = icon("M6 6l12 12M18 6L6 18");
export const SendIcon = icon("M12 19V5M6 11l6-6 6 6");
export const DownIcon = icon("M12 5v14M6 13l6 6 6-6");
export const SettingsIcon = icon(
  "M4 8h8M18 8h2M4 16h2M12 16h8M15 10.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5ZM9 18.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5Z",
);
export const AttachIcon = icon(
  "M20 11.500l-8.500 8.500a5 5 0 0 1-7-7l9-9a3.300 3.300 0 0 1 4.700 4.700l-9 9a1.650 1.650 0 0 1-2.300-2.300l8.300-8.300",
);
export const FileIcon = icon("M14 3H6.500v18h11V6.500L14 3ZM14 3v3.500h3.500M9.500 12h5M9.500 15.500h5");
export const StopIcon = () =>
  html`<svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
    <rect class="filled" x="7" y="7" width="10" height="10" rx="1.500" />
  </svg>`;
