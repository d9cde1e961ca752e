import { parse as parseWithChrono } from "chrono-node";
import { Temporal } from "temporal-polyfill";
import { ask, refuse, rule, type ReadContext, type Reading } from "../reading.ts";
import { showTime, type ClockTime } from "../rule.ts";
import { instantOf, localTime } from "../zones.ts";
import { durationOf, MONTH, monthOf, NUMBER, numberOf, ORDINAL, ordinalOf, WEEKDAY, weekdayOf } from "./words.ts";

/** Reads `in 30m`, `in 2 hours`: real time from now. */
export function readDelay(phrase: string, context: ReadContext): Reading | undefined {
  const [, length] = /^(?:in|after) (.+)$/.exec(phrase) ?? [];
  const later = /^(.+) (?:from now|later)$/.exec(phrase)?.[1];
  const text = length ?? later;
  if (text === undefined) return undefined;
  const ms = durationOf(text);
  if (ms === undefined) return undefined;
  if (ms > MAX_AHEAD_MS) return refuse("That is more than ten years ahead");
  return rule({ kind: "once", at: context.now + ms });
}

const MAX_AHEAD_MS = 3_653 * 86_400_000;

/** Reads one date with a time: `tomorrow`, `next monday`, `2026-12-01`, `december 1`. `head` is without the time. */
export function readOnce(
  head: string,
  times: readonly ClockTime[] | undefined,
  phrase: string,
  context: ReadContext,
): Reading | undefined {
  if (/^(?:on )?(?:last|past|previous) /.test(head)) return refuse("That time has passed");
  const today = localTime(context.now, context.zone).toPlainDate();
  const found = head === "" ? nextTime(times, context) : readDate(head, today, times);
  if (found === undefined) return undefined;
  if ("kind" in found) return found;
  if (times === undefined) return askTime(head, phrase);
  const [time, another] = times;
  if (time === undefined || another !== undefined)
    return refuse("One date has one time; for several, make one schedule for each or say every day");
  // Midnight of a day is its beginning to a clock and its end to most people.
  if (time.hour === 0 && time.minute === 0 && phrase.includes("midnight") && head !== "")
    return ask(`At the beginning of that day, or at its end?`, [
      `${found.toString()} 00:00`,
      `${found.add({ days: 1 }).toString()} 00:00`,
    ]);
  return at(instantOf(found.toPlainDateTime(time), context.zone), context);
}

/** Reads what is left with the help of chrono, as long as it understands every word. */
export function readWithChrono(phrase: string, context: ReadContext): Reading | undefined {
  const now = localTime(context.now, context.zone);
  const reference = { instant: new Date(context.now), timezone: now.offsetNanoseconds / 60e9 };
  const [found, another] = parseWithChrono(phrase, reference, { forwardDate: true });
  if (found === undefined || another !== undefined) return undefined;
  const rest = phrase.replace(found.text, " ").replaceAll(/\b(?:on|at|the|by)\b|[,.]/g, " ");
  if (rest.trim() !== "" || found.end !== null) return undefined;
  const { start } = found;
  const get = (part: "year" | "month" | "day" | "hour" | "minute" | "second") => start.get(part) ?? 0;
  if (!start.isCertain("day") && !start.isCertain("weekday") && !start.isCertain("hour")) return undefined;
  const date = Temporal.PlainDate.from({ year: get("year"), month: get("month"), day: get("day") });
  if (!start.isCertain("hour")) return askTime(date.toString(), date.toString());
  const local = date.toPlainDateTime({ hour: get("hour"), minute: get("minute"), second: get("second") });
  return at(instantOf(local, context.zone), context);
}

/** Reads an ISO date and time, with its own offset or in the zone. */
export function readIso(phrase: string, context: ReadContext): Reading | undefined {
  const [, date, time, offset] =
    /^(\d{4}-\d\d-\d\d)[t ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(z|[+-]\d\d:?\d\d)?$/.exec(phrase) ?? [];
  if (date === undefined || time === undefined) return undefined;
  try {
    if (offset === undefined)
      return at(
        instantOf(Temporal.PlainDateTime.from(`${date}T${time}`, { overflow: "reject" }), context.zone),
        context,
      );
    return at(Temporal.Instant.from(`${date}T${time}${offset.toUpperCase()}`).epochMilliseconds, context);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return refuse(`There is no such date or time as ${date} ${time}`);
  }
}

function at(instant: number, context: ReadContext): Reading {
  if (instant <= context.now) return refuse("That time has passed");
  if (instant > context.now + MAX_AHEAD_MS) return refuse("That is more than ten years ahead");
  return rule({ kind: "once", at: instant });
}

function nextTime(times: readonly ClockTime[] | undefined, context: ReadContext): Temporal.PlainDate | undefined {
  const [time] = times ?? [];
  if (time === undefined) return undefined;
  const today = localTime(context.now, context.zone).toPlainDate();
  return instantOf(today.toPlainDateTime(time), context.zone) > context.now ? today : today.add({ days: 1 });
}

function askTime(head: string, phrase: string): Reading {
  const times = /tonight|evening|night/.test(head) ? ["19:00", "20:00", "21:00"] : ["9:00", "12:00", "18:00"];
  return ask(
    "At what time?",
    times.map((time) => `${phrase} at ${time}`),
  );
}

function readDate(
  given: string,
  today: Temporal.PlainDate,
  times: readonly ClockTime[] | undefined,
): Temporal.PlainDate | Reading | undefined {
  const head = given
    .replace(/^(?:on|by) /, "")
    .replace(/^the (?=\d|first|second|third)/, "")
    .replace(/,$/, "");
  if (/^(?:today|tonight|this (?:morning|afternoon|evening))$/.test(head)) return today;
  if (/^tomorrow(?: (?:morning|afternoon|evening|night))?$/.test(head)) return today.add({ days: 1 });
  if (/^(?:the )?day after tomorrow$/.test(head)) return today.add({ days: 2 });
  const ahead = new RegExp(`^in (${NUMBER}) (day|week|month|year)s?$`).exec(head);
  if (ahead?.[1] !== undefined && ahead[2] !== undefined) return today.add({ [`${ahead[2]}s`]: numberOf(ahead[1]) });
  return readWeekday(head, today, times) ?? readNumericDate(head, today, times) ?? readNamedDate(head, today);
}

function readWeekday(
  head: string,
  today: Temporal.PlainDate,
  times: readonly ClockTime[] | undefined,
): Temporal.PlainDate | Reading | undefined {
  const [, which, name] = new RegExp(`^(?:(this|next|coming|this coming) )?(${WEEKDAY})$`).exec(head) ?? [];
  const weekday = name === undefined ? undefined : weekdayOf(name);
  if (weekday === undefined) return undefined;
  const distance = (weekday - today.dayOfWeek + 7) % 7 || 7;
  const coming = today.add({ days: distance });
  const isThisWeek = weekday > today.dayOfWeek;
  if (which !== "next" || !isThisWeek) return coming;
  return ask(
    "Which one is meant?",
    [coming, coming.add({ weeks: 1 })].map((date) => `${date.toString()}${timeOf(times)}`),
  );
}

function readNumericDate(
  head: string,
  today: Temporal.PlainDate,
  times: readonly ClockTime[] | undefined,
): Temporal.PlainDate | Reading | undefined {
  const iso = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(head);
  if (iso !== null) return dateFrom(Number(iso[1]), Number(iso[2]), Number(iso[3]));
  const dotted = /^(\d{1,2})\.(\d{1,2})\.(\d{4})?$/.exec(head);
  if (dotted !== null) return dateFrom(yearOf(dotted[3]), Number(dotted[2]), Number(dotted[1]), today);
  const slashed = /^(\d{1,2})\/(\d{1,2})(?:\/(\d{4}))?$/.exec(head);
  if (slashed === null) return undefined;
  const first = Number(slashed[1]);
  const second = Number(slashed[2]);
  const year = yearOf(slashed[3]);
  if (first > 12) return dateFrom(year, second, first, today);
  if (second > 12) return dateFrom(year, first, second, today);
  const readings = [dateFrom(year, first, second, today), dateFrom(year, second, first, today)];
  const [one, other] = readings;
  if (one === undefined || other === undefined || "kind" in one || "kind" in other || one.equals(other)) return one;
  return ask(
    "Which date is meant?",
    [one, other].map((date) => `${date.toString()}${timeOf(times)}`),
  );
}

function readNamedDate(head: string, today: Temporal.PlainDate): Temporal.PlainDate | Reading | undefined {
  const weekdayFirst = head.replace(new RegExp(`^${WEEKDAY},? (?=\\d|${MONTH})`), "");
  const monthFirst = new RegExp(`^(${MONTH})\\.? (?:the )?(\\d{1,2})(?:st|nd|rd|th)?(?:,? (\\d{4}))?$`).exec(
    weekdayFirst,
  );
  if (monthFirst !== null)
    return dateFrom(yearOf(monthFirst[3]), monthOf(monthFirst[1] ?? ""), Number(monthFirst[2]), today);
  const dayFirst = new RegExp(`^(\\d{1,2})(?:st|nd|rd|th)?(?: of)? (${MONTH})\\.?(?:,? (\\d{4}))?$`).exec(weekdayFirst);
  if (dayFirst !== null) return dateFrom(yearOf(dayFirst[3]), monthOf(dayFirst[2] ?? ""), Number(dayFirst[1]), today);
  const next = new RegExp(`^next (${ORDINAL})$`).exec(head);
  if (next?.[1] === undefined) return undefined;
  const day = ordinalOf(next[1]);
  if (day < 1 || day > 31) return refuse(`No month has a day ${day}`);
  let date = today.add({ days: 1 });
  while (date.day !== day) date = date.add({ days: 1 });
  return date;
}

function yearOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** Without a year: the first such date from today on. */
function dateFrom(
  year: number | undefined,
  month: number,
  day: number,
  today?: Temporal.PlainDate,
): Temporal.PlainDate | Reading {
  const from = year ?? today?.year ?? 2000;
  const years = year === undefined ? [0, 1, 2, 3, 4, 5, 6, 7, 8] : [0];
  for (const ahead of years) {
    const date = plainDate(from + ahead, month, day);
    if (
      date !== undefined &&
      (year !== undefined || today === undefined || Temporal.PlainDate.compare(date, today) >= 0)
    )
      return date;
  }
  return refuse("There is no such date");
}

function plainDate(year: number, month: number, day: number): Temporal.PlainDate | undefined {
  try {
    return Temporal.PlainDate.from({ year, month, day }, { overflow: "reject" });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function timeOf(times: readonly ClockTime[] | undefined): string {
  return ` ${showTime(times?.[0] ?? { hour: 9, minute: 0 })}`;
}
