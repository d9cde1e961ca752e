import { z } from "zod";
import { readResult, useTool, type PlannedCall, type Rule } from "./move.ts";

const answerSchema = z.object({ answer: z.string() });

/** Questions back to the person, over `ask_user`. */
export const askRules: readonly Rule[] = [
  {
    pattern: /^ask me(?: back)?(?:[:,]? (.+?))?[?.!\s]*$/i,
    respond: ([, what = ""], turn) =>
      useTool(turn, questionAbout(what.trim()), (content) => {
        return `You answered: ${readResult(answerSchema, content)?.answer ?? content}`;
      }),
  },
];

function questionAbout(what: string): PlannedCall {
  const choices = choicesIn(what);
  if (choices !== undefined)
    return { tool: "ask_user", args: { question: `Which one: ${what.replace(LEAD, "")}?`, choices } };
  return { tool: "ask_user", args: { question: asQuestion(what) } };
}

const LEAD = /^(?:whether|which(?: of)?|between|to (?:choose|pick)(?: between| from)?):? */i;
const OPEN = /^(?:if|what|how|when|where|why|who|for|about|my|to)\b/i;

function choicesIn(what: string): string[] | undefined {
  const listed = LEAD.test(what) || (!OPEN.test(what) && /\S(?:,|\bor\b).*\S/i.test(what));
  if (!listed || /^whether i\b/i.test(what)) return undefined;
  const choices = what
    .replace(LEAD, "")
    .split(/\s*,\s*(?:or |and )?|\s+(?:or|and)\s+/i)
    .map((choice) => choice.trim().slice(0, 75))
    .filter((choice) => choice !== "");
  return choices.length >= 2 && choices.length <= 10 ? choices : undefined;
}

function asQuestion(what: string): string {
  if (what === "") return "What would you like to tell me?";
  const mine = /^(?:for |about )?my (.+)$/i.exec(what)?.[1];
  if (mine !== undefined) return `What is your ${mine}?`;
  const whether = /^(?:if|whether) i (.+)$/i.exec(what)?.[1];
  if (whether !== undefined) return `Do you ${whether}?`;
  return `${what.charAt(0).toUpperCase()}${what.slice(1)}?`;
}
