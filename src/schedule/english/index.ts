import { ask, refuse, type PhraseLanguage, type ReadContext, type Reading } from "../reading.ts";
import { readDelay, readIso, readOnce, readWithChrono } from "./once.ts";
import { readInterval, readRepeat } from "./repeat.ts";
import { splitTimes, type Daypart } from "./times.ts";

/** Phrases in English. */
export const english: PhraseLanguage = { name: "English", read: readEnglish };

const REPEATS = /^(?:every|each|all) (?:single )?/;

function readEnglish(given: string, context: ReadContext): Reading | undefined {
  const phrase = given
    .toLowerCase()
    .replaceAll(/[’`]/g, "'")
    .replaceAll(/\s+/g, " ")
    .replace(/[\s.!?;]+$/, "")
    .replace(/^(?:please |remind me |run )/, "")
    .trim();
  const early = readIso(phrase, context) ?? readDelay(phrase, context);
  if (early !== undefined) return early;
  const every = REPEATS.test(phrase);
  if (every) {
    const interval = readInterval(phrase.replace(REPEATS, ""), context);
    if (interval !== undefined) return interval;
  }
  const { head, times } = splitTimes(phrase, daypartOf(phrase));
  if (times?.kind === "impossible") return refuse(`"${times.token}" is not a time of day`);
  if (times?.kind === "ambiguous")
    return ask(
      `Is ${times.token} in the morning or in the afternoon?`,
      times.options.map((option) => replaceLast(phrase, times.token, option)),
    );
  const repeats = every || REPEATS.test(head);
  const read =
    readRepeat(head.replace(REPEATS, ""), times?.times, { every: repeats, phrase }, context) ??
    (repeats ? undefined : readOnce(head, times?.times, phrase, context));
  if (read !== undefined) return read;
  return repeats ? undefined : readWithChrono(phrase, context);
}

/** The part of the day that stands outside the time itself: `tonight at 8`, `every evening at 8`. */
function daypartOf(phrase: string): Daypart | undefined {
  const found = /\b(?:(?:every|each|this|tomorrow) (morning|afternoon|evening|night)|(tonight))\b/.exec(phrase);
  if (found === null) return undefined;
  if (found[2] !== undefined) return "evening";
  const word = found[1];
  return word === "morning" || word === "afternoon" || word === "evening" || word === "night" ? word : undefined;
}

function replaceLast(text: string, token: string, by: string): string {
  const index = text.lastIndexOf(token);
  return `${text.slice(0, index)}${by}${text.slice(index + token.length)}`;
}
