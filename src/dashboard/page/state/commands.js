// @ts-check

/** The commands the page offers while one is typed; `/help` has the last word. */
export const COMMANDS = [
  { name: "help", help: "lists the commands" },
  { name: "stop", help: "stops what I am doing" },
  { name: "approve", help: "lets me do what I have asked about" },
  { name: "deny", help: "keeps me from doing what I have asked about" },
  { name: "status", help: "shows what I am doing and what waits" },
  { name: "new", help: "starts anew; memory stays" },
  { name: "reset", help: "starts anew and asks whether memory goes too" },
  { name: "tools", help: "lists what I can do" },
  { name: "memory", help: "lists what I remember about you" },
  { name: "queue", help: "shows what waits; queue, collect, steer or interrupt chooses how it is taken" },
  { name: "model", help: "shows the models; a name chooses one for this conversation" },
  { name: "usage", help: "shows what you have used of your budgets" },
  { name: "credentials", help: "lists what tools sign in with for you; set or remove changes it" },
  { name: "link", help: "makes your accounts on several platforms one person" },
  { name: "privacy", help: "export gives you everything I keep about you, forget deletes it" },
  { name: "where", help: "shows which conversation and whose memory this is" },
  { name: "debug", help: "shows the last run in detail" },
];

/**
 * The commands that fit what has been typed so far; none once it is more than a command's name.
 * @param {string} typed
 */
export function hintsFor(typed) {
  const name = /^\/([a-z]*)$/i.exec(typed)?.[1]?.toLowerCase();
  return name === undefined ? [] : COMMANDS.filter((command) => command.name.startsWith(name));
}

/**
 * Whether a message is a command that is answered at once, beside the conversation: it waits for nothing, and the
 * server keeps neither it nor its answer.
 * @param {string} text
 */
export function runsBeside(text) {
  const [, typed, rest = ""] = /^\/([a-z]+)(?:\s+([\s\S]*))?$/i.exec(text.trim()) ?? [];
  const name = typed?.toLowerCase();
  if (name === "privacy" && rest.trim().toLowerCase() === "forget") return false;
  return name !== undefined && name !== "new" && name !== "reset";
}
