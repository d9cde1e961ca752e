import type { ChatState } from "./chat-state.ts";

/** A few words on what is going on, for the line that is replaced again and again; "" when nothing is. Pure. */
export function statusLine(state: ChatState): string {
  if (state.link === "lost") return "The bot does not answer; trying again …";
  const parts = [doing(state), queue(state)].filter((part) => part !== "");
  return parts.join(" · ");
}

function doing({ run, pending, question, approvals }: ChatState): string {
  if (approvals.length > 0) return "Type /approve or /deny";
  if (question !== undefined)
    return question.choices.length > 0 ? "Type a number, or an answer" : "Waiting for your answer";
  if (run !== undefined) return `${run.label === "" ? "Working" : run.label} …`;
  if (pending.some((message) => message.state === "sending")) return "Sending …";
  return pending.some((message) => message.state === "taken") ? "Working …" : "";
}

function queue({ pending }: ChatState): string {
  const queued = pending.filter((message) => message.state === "queued");
  const [first] = queued;
  if (first === undefined) return "";
  const ahead = first.ahead > 0 ? `, ${first.ahead} ahead${queued.length > 1 ? " of the first" : ""}` : "";
  return `${queued.length} queued${ahead}`;
}
