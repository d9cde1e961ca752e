import { say, useTool, type Rule } from "./move.ts";

const TIME = String.raw`\d{1,2}(?::\d{2})?(?: ?[ap]m)?`;
const DAY = "(?:mon|tues|wednes|thurs|fri|satur|sun)days?";
const UNIT = "(?:s|sec|seconds?|m|min|mins|minutes?|h|hours?|d|days?|weeks?)";
const WHEN = new RegExp(
  [
    String.raw`\b(?:every|each) (?:\d+ ?${UNIT}|day|weekday|week|month|hour|minute|morning|evening|${DAY}(?:(?:, | and )${DAY})*)(?:(?: at)? ${TIME})?\b`,
    String.raw`\b(?:weekdays|daily|tomorrow|today|tonight|(?:on |next )?${DAY})(?:(?: at)? ${TIME})?\b`,
    String.raw`\bin \d+ ?${UNIT}\b`,
    String.raw`\bat ${TIME}(?: (?:tomorrow|today|every day|on weekdays))?\b`,
  ].join("|"),
  "i",
);

/** Reminders, over `schedule_add`. */
export const scheduleRules: readonly Rule[] = [
  {
    pattern:
      /^(?:remind me\b|schedule\b|every \S|each \S|weekdays\b|daily\b|tomorrow\b|in \d+ ?(?:s|m|h|d)|at \d)[\s\S]*$/i,
    respond: ([text], turn) => {
      if (!turn.offered.has("schedule_add"))
        return say("I cannot set reminders here: no tool for schedules is available. Nothing was scheduled.");
      const when = WHEN.exec(text)?.[0];
      if (when === undefined) return say('When? For example: "remind me in 10 minutes to stretch".');
      const description = describe(text.replace(when, " "));
      return useTool(turn, { tool: "schedule_add", args: { when, description } }, (content) => {
        return `Scheduled "${description}" for ${when}. The scheduler says: ${content}`;
      });
    },
  },
];

function describe(text: string): string {
  const rest = text
    .replace(/\s+/g, " ")
    .trim()
    .replace(/^(?:schedule|remind me)\b ?/i, "")
    .replace(/^[,:] ?/, "")
    .replace(/^(?:remind me|tell me)\b ?/i, "")
    .replace(/^(?:to|that|about|of) /i, "")
    .replace(/[\s,.!?]+$/, "");
  return rest === "" ? "reminder" : rest;
}
