import { askRules } from "./ask-rules.ts";
import { computeRules } from "./compute-rules.ts";
import { jobRules } from "./job-rules.ts";
import { memoryRules } from "./memory-rules.ts";
import { say, type Move, type Rule } from "./move.ts";
import { scheduleRules } from "./schedule-rules.ts";
import { notUnderstood, textRules } from "./text-rules.ts";
import type { Turn } from "./transcript.ts";
import { webRules } from "./web-rules.ts";

/** The last line of every answer, so that nobody takes it for a real model's. */
export const DEMO_LABEL = "— offline demo model";

const RULES: readonly Rule[] = [
  ...textRules,
  ...memoryRules,
  ...computeRules,
  ...webRules,
  ...askRules,
  ...jobRules,
  ...scheduleRules,
];

/**
 * What the demo model does next. Pure, and decided from this turn alone, so a repeated request gets the same reply.
 * Several messages in one turn are dealt with in order, and answered together.
 */
export function decide(turn: Turn): Move {
  const answers: string[] = [];
  for (const message of turn.asked) {
    const move = respond(message, turn);
    if (move.do === "call") return move;
    answers.push(move.text);
  }
  if (answers.length === 0) answers.push(notUnderstood());
  return say(`${answers.join("\n\n")}\n\n${DEMO_LABEL}`);
}

function respond(message: string, turn: Turn): Move {
  const scheduled = /^\[Scheduled task\]:?\s*([\s\S]+)$/.exec(message.trim())?.[1];
  const text = plainRequest(scheduled ?? message);
  for (const rule of RULES) {
    const found = rule.pattern.exec(text);
    if (found !== null) return rule.respond(found, turn);
  }
  return say(scheduled === undefined ? notUnderstood() : `Reminder: ${scheduled}`);
}

/** The request without mentions, courtesies, attachments and what these say. */
function plainRequest(message: string): string {
  return message
    .replace(/^\[attachment "[^"\n]*" \([^)\n]*\): read.*\]\n[^]*?^\[end of attachment "[^"\n]*"\]$/gm, "")
    .replace(/^\[attachment .*\]$/gm, "")
    .trim()
    .replace(/^(?:<@[^>]+>|@[\w-]+)[,:]?\s+/, "")
    .replace(/^(?:(?:ok|okay|hey|hi|hello)[, ]+)?(?:(?:please|can you|could you|would you|will you)[, ]+)+/i, "")
    .replace(/[, ]+please([.!?]*)$/i, "$1");
}
