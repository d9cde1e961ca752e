import type { ConversationId } from "../kernel/ids.ts";
import type { ScheduleView } from "../kernel/schedules.ts";
import { platformOf } from "../kernel/messages.ts";
import { describeLength, showFires } from "./words.ts";

/** What a person reads after making or changing a schedule. `tokens` are what its last runs used. Pure. */
export function confirmation(view: ScheduleView, tokens: readonly number[], now: number): string {
  const { id, description, words, zone, conversationId, status } = view;
  const fires = showFires(view.next, zone, now);
  return [
    `Schedule ${id}: ${description}`,
    `When: ${words} (${zone})${view.spreadMs > 0 ? `, spread over ${describeLength(view.spreadMs)}` : ""}`,
    ...(status === "active" ? [] : [`It is ${status}.`]),
    ...(fires.length === 0
      ? []
      : [fires.length === 1 ? "It fires:" : "It fires next:", ...fires.map((fire) => `- ${fire}`), ""]),
    `If it is missed: ${MISSED[view.catchUp]}${view.maxLatenessMs === undefined ? "" : `, at most ${describeLength(view.maxLatenessMs)} late`}.`,
    `Delivered to: ${placeOf(conversationId)}`,
    estimate(tokens),
  ].join("\n");
}

/** Names that people chose are shown; the page's and the terminal's own mean nothing to anybody. */
function placeOf(conversationId: ConversationId): string {
  const platform = platformOf(conversationId);
  if (platform === "api") return `the conversation ${conversationId} over the API`;
  return `this conversation on ${platform}`;
}

const MISSED = {
  skip: "missed fires are left out",
  once: "the latest missed fire is made up for",
  all: "up to ten missed fires are made up for",
} as const;

function estimate(tokens: readonly number[]): string {
  if (tokens.length === 0) return "Cost: not known yet, there was no run to judge by.";
  const average = tokens.reduce((sum, each) => sum + each, 0) / tokens.length;
  const rounded = average < 1000 ? Math.round(average) : Math.round(average / 100) * 100;
  return `Cost: about ${rounded.toLocaleString("en")} tokens each time, judging by ${tokens.length === 1 ? "the last run" : `the last ${tokens.length} runs`}.`;
}
