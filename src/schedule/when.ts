import { readCron, readNearlyCron } from "./cron.ts";
import { english } from "./english/index.ts";
import {
  ask,
  refuse,
  type Ambiguous,
  type PhraseLanguage,
  type ReadContext,
  type Reading,
  type Refused,
} from "./reading.ts";
import { findZone, guessZone } from "./zones.ts";
import type { Rule } from "./rule.ts";

/** When something is to happen, completely read. */
export interface When {
  readonly kind: "rule";
  readonly rule: Rule;
  /** The zone in force: the phrase's own, or the one given. */
  readonly zone: string;
  /** Fires are spread over this many milliseconds, so that what many people ask for at 9:00 does not come at once. */
  readonly spreadMs: number;
}

/** A phrase or cron expression read, or why it was not. */
export type WhenReading = When | Ambiguous | Refused;

/** The longest text that is read. */
const MAX_CHARS = 200;
const MAX_SPREAD_MS = 3_600_000;

/**
 * Reads when something is to happen: a phrase in any of the languages, or a cron expression, each with `tz <zone>` and
 * `spread <length>` behind it. Pure. What may be meant in two ways is asked about, never guessed.
 */
export function readWhen(
  text: string,
  context: ReadContext,
  languages: readonly PhraseLanguage[] = [english],
): WhenReading {
  const given = text.trim();
  if (given === "") return refuse("Say when, for example: every day at 9:00");
  if (given.length > MAX_CHARS) return refuse(`This has more than ${MAX_CHARS} characters`);
  let phrase = given;
  let zone = context.zone;
  let spreadMs = 0;
  for (;;) {
    const [, before, key, value] =
      /^(.*?)[\s,(]*\b(tz|time ?zone|spread(?: over| by)?)[\s=:]+([\w+\-/]+(?: ?(?:s|sec|seconds?|m|mins?|minutes?|h|hours?))?)\)?$/i.exec(
        phrase,
      ) ?? [];
    if (before === undefined || key === undefined || value === undefined) break;
    if (/^spread/i.test(key)) {
      const spread = spreadOf(value);
      if (spread === undefined)
        return refuse("Fires can be spread over a length of time up to an hour, such as spread 10m");
      spreadMs = spread;
    } else {
      const found = findZone(value);
      if (found === undefined) return refuse(unknownZone(value));
      zone = found;
    }
    phrase = before.trim();
  }
  const suffix = given.slice(phrase.length).trim();
  const reading = readPhrase(phrase, { now: context.now, zone }, languages);
  if (reading.kind === "rule") return { kind: "rule", rule: reading.rule, zone, spreadMs };
  if (reading.kind === "refused") return reading;
  const clear = reading.choices.filter(
    (choice) => readPhrase(choice, { now: context.now, zone }, languages).kind === "rule",
  );
  if (clear.length === 0) return notUnderstood(phrase);
  return { ...reading, choices: clear.map((choice) => (suffix === "" ? choice : `${choice} ${suffix}`)) };
}

/** One sentence on a zone nobody knows, with a guess where there is one. */
export function unknownZone(text: string): string {
  const meant = guessZone(text);
  const hint = meant === undefined ? "use a name such as Europe/Madrid or UTC" : `did you mean ${meant}?`;
  return `Time zone ${JSON.stringify(text.slice(0, 64))} is not known; ${hint}`;
}

function readPhrase(phrase: string, context: ReadContext, languages: readonly PhraseLanguage[]): Reading {
  const cron = readCron(phrase, context.zone) ?? readNearlyCron(phrase);
  if (cron !== undefined) return cron;
  const abbreviation = /\b(?:est|edt|cst|cdt|mst|mdt|pst|pdt|cet|cest|bst|ist|jst|aest|gmt[+-]\d+|utc[+-]\d+)$/i.exec(
    phrase,
  );
  if (abbreviation !== null)
    return refuse(
      `"${abbreviation[0]}" names no zone with its clock changes; write tz and a name such as Europe/Madrid`,
    );
  for (const language of languages) {
    const reading = language.read(phrase, context);
    if (reading !== undefined) return reading;
  }
  return notUnderstood(phrase);
}

function notUnderstood(phrase: string): Refused {
  return refuse(
    `I do not understand ${JSON.stringify(phrase.slice(0, 80))}. Examples: in 30m, tomorrow 9am, every day at 9:00, ` +
      "weekdays at 9am, first of the month 7:00, 0 9 * * 1-5",
  );
}

function spreadOf(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,4}) ?(s|m|h)/i.exec(text) ?? [];
  if (count === undefined || unit === undefined) return undefined;
  const ms = Number(count) * (unit.toLowerCase() === "s" ? 1_000 : unit.toLowerCase() === "m" ? 60_000 : 3_600_000);
  return ms > 0 && ms <= MAX_SPREAD_MS ? ms : undefined;
}

/** Asks for the person's zone, with some usual ones as buttons. */
export function askZone(when: string): Ambiguous {
  const zones = ["Europe/London", "Europe/Berlin", "America/New_York", "UTC"];
  return ask(
    "Which time zone are you in? Another one can be written behind the time, such as tz Asia/Tokyo.",
    zones.map((zone) => `${when} tz ${zone}`),
  );
}
