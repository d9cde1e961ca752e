import { z } from "zod";
import { readResult, say, useTool, type Move, type Rule } from "./move.ts";

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
      return schedule(when, description, turn);
    },
  },
  {
    pattern: /^\[scheduled task\]:\s*([\s\S]+)$/i,
    respond: ([, task = ""]) => say(`It is time: ${task}`),
  },
];

const addedSchema = z.object({ id: z.string(), confirmation: z.string() });

/** The tool asks when the time has two meanings; its result is then the clear wording to call it with again. */
function schedule(when: string, description: string, turn: Parameters<Rule["respond"]>[1], asked = 0): Move {
  const asking: { answer?: string } = {};
  const move = useTool(turn, { tool: "schedule_add", args: { when, description } }, (content) => {
    const added = readResult(addedSchema, content);
    if (added === undefined && (/\btz \S/.test(content) || WHEN.test(content))) asking.answer = content.trim();
    return `Scheduled "${description}" for ${when}. The scheduler says: ${added?.confirmation ?? content}`;
  });
  return asking.answer === undefined || asked >= MAX_ASKED
    ? move
    : schedule(asking.answer, description, turn, asked + 1);
}

const MAX_ASKED = 3;

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
