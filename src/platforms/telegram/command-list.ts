/** One entry of the menu of commands that Telegram shows. */
export interface MenuCommand {
  /** Without the slash: `status`. */
  readonly name: string;
  /** What it does, in a few words. */
  readonly text: string;
  /** Shown in groups too. */
  readonly groups: boolean;
}

/** What the menu offers, the most useful first; every other command can be typed. */
export const MENU: readonly MenuCommand[] = [
  { name: "help", text: "What I can do", groups: true },
  { name: "stop", text: "Stop what I am doing", groups: true },
  { name: "status", text: "What I am doing and what waits", groups: true },
  { name: "new", text: "Start a new conversation", groups: true },
  { name: "schedule", text: "Schedules: add, list, change", groups: true },
  { name: "tools", text: "What I can do for you", groups: false },
  { name: "memory", text: "What I remember about you", groups: false },
  { name: "usage", text: "What you have used", groups: false },
  { name: "model", text: "Choose a model", groups: false },
  { name: "queue", text: "What happens to messages while I work", groups: false },
  { name: "reset", text: "Start anew, with or without memory", groups: false },
  { name: "link", text: "Make your accounts one person", groups: false },
  { name: "privacy", text: "What is kept of you, and deleting it", groups: false },
];
