import { z } from "zod";
import { readResult, useTool, type Rule } from "./move.ts";

const resultSchema = z.object({ result: z.union([z.number(), z.string()]), note: z.string().optional() });
const timeSchema = z.object({ local: z.string(), zone: z.string() });

/** Arithmetic and the clock, over `calculate` and `time_now`. */
export const computeRules: readonly Rule[] = [
  {
    pattern: /^(?:calculate|compute|evaluate) (.+)$/i,
    respond: ([, expression = ""], turn) => calculate(expression, turn),
  },
  {
    pattern:
      /^(?:what(?:'s| is)|how much is)\s+((?:[\d\s.,+\-*/^%()x×÷]|plus|minus|times|divided by)*\d(?:[\d\s.,+\-*/^%()x×÷]|plus|minus|times|divided by)*)[=?\s]*$/i,
    respond: ([, expression = ""], turn) => calculate(expression, turn),
  },
  {
    pattern: /^([\d(][\d\s.()]*[+\-*/^%x×÷][\d\s.,+\-*/^%()x×÷]*)[=?\s]*$/i,
    respond: ([, expression = ""], turn) => calculate(expression, turn),
  },
  {
    pattern:
      /^(?:(?:what(?:'s| is) )?(?:the )?(?:current )?(?:time|date)|what time is it|what day is (?:it|today)|what(?:'s| is) today's date)(?: (?:right )?now)?(?: in (.+?))?\W*$/i,
    respond: ([, place], turn) =>
      useTool(turn, { tool: "time_now", args: place === undefined ? {} : { tz: zoneOf(place) } }, (content) => {
        const time = readResult(timeSchema, content);
        return time === undefined ? `The clock says: ${content}` : `It is ${time.local} (${time.zone}).`;
      }),
  },
];

function calculate(text: string, turn: Parameters<Rule["respond"]>[1]) {
  const expression = expressionOf(text);
  return useTool(turn, { tool: "calculate", args: { expression } }, (content) => {
    const found = readResult(resultSchema, content);
    const shown = /[*_]/.test(expression) ? `\`${expression}\`` : expression;
    if (found === undefined) return `${shown} = ${content}`;
    return `${shown} = ${found.result}${found.note === undefined ? "" : ` (${found.note})`}`;
  });
}

function expressionOf(text: string): string {
  return text
    .replace(/[=?\s]+$/, "")
    .replace(/(\d),(?=\d{3}\b)/g, "$1")
    .replace(/\bplus\b/gi, "+")
    .replace(/\bminus\b/gi, "-")
    .replace(/\btimes\b|×|(?<=[\d)\s])x(?=[\d(\s])/gi, "*")
    .replace(/\bdivided by\b|÷/gi, "/")
    .trim();
}

/** `madrid` means `Europe/Madrid`; what is no known city goes to the tool as it is, which says what it accepts. */
function zoneOf(place: string): string {
  const city = place.trim().toLowerCase().replaceAll(" ", "_");
  return Intl.supportedValuesOf("timeZone").find((zone) => zone.toLowerCase().endsWith(`/${city}`)) ?? place.trim();
}
