import { localTime } from "../zones.ts";
import { ask, refuse, rule, type ReadContext, type Reading } from "../reading.ts";
import { showTime, type CalendarRule, type ClockTime } from "../rule.ts";
import {
  durationOf,
  MONTH,
  monthOf,
  NUMBER,
  numberOf,
  ORDINAL,
  ordinalOf,
  WEEKDAY,
  weekdayOf,
  weekdaysOf,
} from "./words.ts";

/** Which days a repeating phrase names, before its times are looked at. */
type Days =
  /** Day fields of a cron expression: day of the month, month, day of the week. */
  | { readonly kind: "cron"; readonly days: string }
  | { readonly kind: "steps"; readonly every: number; readonly unit: "day" | "week" | "month"; readonly from: Starts }
  | { readonly kind: "reading"; readonly reading: Reading };
interface Starts {
  readonly weekdays?: readonly number[];
  readonly dayOfMonth?: number;
}

/**
 * Reads what repeats on named days at given times, for instance `monday and thursday`, `first of the month`, `2 weeks on
 * friday`. `head` is the phrase without its times and without `every`; undefined when it names no repeating days.
 */
export function readRepeat(
  head: string,
  times: readonly ClockTime[] | undefined,
  said: { readonly every: boolean; readonly phrase: string },
  context: ReadContext,
): Reading | undefined {
  const days = readDays(head, said.every, times);
  if (days === undefined) return undefined;
  if (days.kind === "reading") return days.reading;
  if (times === undefined)
    return ask(
      "At what time?",
      ["9:00", "12:00", "18:00"].map((time) => `${said.phrase} at ${time}`),
    );
  if (days.kind === "steps") return rule(stepsRule(days, times, context));
  const minutes = new Set(times.map((time) => time.minute));
  const [minute] = minutes;
  if (minutes.size === 1 && minute !== undefined)
    return rule({ kind: "cron", expression: `${minute} ${times.map((time) => time.hour).join(",")} ${days.days}` });
  // Cron would fire at every listed minute of every listed hour.
  const weekdays = cronWeekdays(days.days);
  if (weekdays === undefined)
    return refuse(`Several times with different minutes work for days of the week only; make one schedule for each`);
  return rule({ kind: "calendar", every: 1, unit: "week", from: dateOf(context), weekdays, times });
}

/** Reads what repeats after a length of time: `15m`, `2 hours`, `hour at :30`, `10 minutes from 9 to 17 on weekdays`. */
export function readInterval(head: string, context: ReadContext): Reading | undefined {
  const withinHour = /^hour (?:at|on) (?:minute |:)?(\d{1,2})(?: minutes past)?$/.exec(head);
  if (withinHour?.[1] !== undefined) {
    const minute = Number(withinHour[1]);
    return minute > 59
      ? refuse(`An hour has no minute ${minute}`)
      : rule({ kind: "cron", expression: `${minute} * * * *` });
  }
  const window =
    /^(.+?) (?:from|between) (\d{1,2})(?::00)? ?(am|pm)? ?(?:to|and|until|till|-) ?(\d{1,2})(?::00)? ?(am|pm)?(?: (?:on )?(.+))?$/.exec(
      head,
    );
  if (window !== null) return readWindow(window);
  // Days and weeks have a time of day; they are calendar days, not so many hours.
  if (/\b(?:\d*d|days?|w|wks?|weeks?)\b/.test(head)) return undefined;
  const spelled = durationOf(head) ?? durationOf(`1 ${head}`);
  if (spelled === undefined) return undefined;
  if (!Number.isSafeInteger(spelled) || spelled > 366 * 86_400_000)
    return refuse("That is longer than a year; name a date");
  return rule({ kind: "interval", everyMs: spelled, anchor: context.now });
}

function readWindow(window: RegExpExecArray): Reading | undefined {
  const [, length = "", from = "", fromHalf, to = "", toHalf, on] = window;
  const everyMs = durationOf(/^\d|^an? /.test(length) ? length : `1 ${length}`);
  if (everyMs === undefined) return undefined;
  const first = hourOf(from, fromHalf);
  const last = hourOf(to, toHalf);
  const weekdays = on === undefined ? [] : weekdaysOf(on);
  if (weekdays === undefined) return refuse(`"${on ?? ""}" names no days of the week`);
  if (first === undefined || last === undefined || first >= last)
    return refuse("The hours must be given as, for example, from 9 to 17");
  const days = `* * ${weekdays.length === 0 ? "*" : cronDays(weekdays)}`;
  const minutes = everyMs / 60_000;
  if (minutes < 60 && 60 % minutes === 0 && Number.isInteger(minutes))
    return rule({ kind: "cron", expression: `*/${minutes} ${first}-${last - 1} ${days}` });
  const hours = minutes / 60;
  if (Number.isInteger(hours) && hours >= 1)
    return rule({ kind: "cron", expression: `0 ${first}-${last}${hours === 1 ? "" : `/${hours}`} ${days}` });
  return refuse("Within a part of the day, use minutes that divide an hour, or whole hours");
}

function hourOf(text: string, half: string | undefined): number | undefined {
  const hour = Number(text);
  if (half === undefined) return hour <= 23 ? hour : undefined;
  return hour < 1 || hour > 12 ? undefined : (hour % 12) + (half === "pm" ? 12 : 0);
}

function readDays(head: string, every: boolean, times: readonly ClockTime[] | undefined): Days | undefined {
  if (/^(?:daily|days?|morning|afternoon|evening|night|single day)$/.test(head) && (every || head === "daily"))
    return cron("* * *");
  if (/^(?:hourly)$/.test(head) && times === undefined) return done(rule({ kind: "cron", expression: "0 * * * *" }));
  const weekdays = weekdaysOf(head.replace(/^on /, ""));
  const plural = /^(?:on )?(?:weekdays|workdays|weekends|working days|business days)$|s(?:$|,| and )/.test(head);
  if (weekdays !== undefined && (every || plural || weekdays.length > 1)) return cron(`* * ${cronDays(weekdays)}`);

  const steps = readSteps(head, every);
  if (steps !== undefined) return steps;

  if (/^(?:week|weekly)$/.test(head))
    return done(
      ask(
        "On which day?",
        ["Monday", "Wednesday", "Friday"].map((day) => `every ${day}${atTimes(times)}`),
      ),
    );
  const weekly = /^(?:weekly|week) (?:on )?(.+)$/.exec(head);
  if (weekly?.[1] !== undefined) {
    const days = weekdaysOf(weekly[1]);
    return days === undefined ? undefined : cron(`* * ${cronDays(days)}`);
  }
  if (/^(?:twice|three times) (?:a|per) (?:day|week|month)$/.test(head))
    return done(refuse("Say at which times, for example: every day at 9:00 and 18:00"));
  if (head === "biweekly" || head === "bimonthly")
    return done(
      ask(`"${head}" has two meanings. Which one?`, [
        head === "biweekly" ? `every 2 weeks on monday${atTimes(times)}` : `every 2 months on the 1st${atTimes(times)}`,
        head === "biweekly"
          ? `every monday and thursday${atTimes(times)}`
          : `cron ${times?.[0]?.minute ?? 0} ${times?.[0]?.hour ?? 9} 1,15 * *`,
      ]),
    );
  return readMonthly(head, every, times) ?? readYearly(head, every);
}

function readSteps(head: string, every: boolean): Days | undefined {
  const other = head.replace(/^(?:other|second|2nd) /, "2 ");
  if (!every && other === head) return undefined;
  const steps = new RegExp(`^(${NUMBER}) (day|week|month)s?(?: (?:on )?(?:the )?(.+))?$`).exec(other);
  if (steps !== null) {
    const [, count = "", unit = "", on] = steps;
    const n = numberOf(count);
    if (n < 1 || n > 1_000) return done(refuse(`Every ${n} ${unit}s is not possible`));
    if (unit === "day" && on === undefined) return { kind: "steps", every: n, unit, from: {} };
    if (unit === "week") {
      const weekdays = on === undefined ? [] : weekdaysOf(on);
      if (weekdays === undefined) return undefined;
      return { kind: "steps", every: n, unit, from: { weekdays } };
    }
    if (unit === "month") {
      const day = on === undefined ? 1 : new RegExp(`^(${ORDINAL}|\\d{1,2})$`).exec(on)?.[1];
      if (day === undefined) return undefined;
      const dayOfMonth = typeof day === "number" ? day : ordinalOf(day);
      if (dayOfMonth < 1 || dayOfMonth > 28) return done(refuse("Every few months works for the days 1 to 28"));
      return { kind: "steps", every: n, unit, from: { dayOfMonth } };
    }
  }
  const alternate = new RegExp(`^2 (${WEEKDAY})$`).exec(other);
  const weekday = alternate?.[1] === undefined ? undefined : weekdayOf(alternate[1]);
  return weekday === undefined ? undefined : { kind: "steps", every: 2, unit: "week", from: { weekdays: [weekday] } };
}

function readMonthly(head: string, every: boolean, times: readonly ClockTime[] | undefined): Days | undefined {
  if (/^(?:month|monthly)$/.test(head))
    return done(
      ask("On which day of the month?", [
        `1st of the month${atTimes(times)}`,
        `15th of the month${atTimes(times)}`,
        `last day of the month${atTimes(times)}`,
      ]),
    );
  const OF =
    "(?: of (?:the|every|each) month|(?: day)? of (?:the|every|each) month| every month| each month|, monthly)";
  const MONTHLY = "(?:month(?:ly)?,? (?:on )?)";
  const inMonth = (inner: string) =>
    new RegExp(`^(?:on )?(?:the )?(?:${inner})${OF}$|^${MONTHLY}(?:the )?(?:${inner})$`);
  if (inMonth("last(?: day)?").test(head)) return cron("L * *");
  const named = inMonth(`(${ORDINAL}|last) (${WEEKDAY})`).exec(head);
  if (named !== null) {
    const which = named[1] ?? named[3] ?? "";
    const weekday = weekdayOf(named[2] ?? named[4] ?? "");
    if (weekday === undefined) return undefined;
    const nth = which === "last" ? "L" : String(ordinalOf(which));
    if (nth !== "L" && Number(nth) > 5) return done(refuse(`No month has a ${which} ${named[2] ?? named[4] ?? ""}`));
    return cron(`* * ${weekday % 7}#${nth}`);
  }
  const day = inMonth(`(${ORDINAL})(?: day)?`).exec(head) ?? (every ? new RegExp(`^(${ORDINAL})$`).exec(head) : null);
  if (day !== null) return dayOfMonth(ordinalOf(day[1] ?? day[2] ?? ""), times);
  const plain = new RegExp(`^${MONTHLY}(?:the )?(?:day )?(\\d{1,2})$`).exec(head);
  if (plain?.[1] !== undefined) return dayOfMonth(Number(plain[1]), times);
  const quarter = /^(?:(?:first|1st)(?: day)? of (?:the|every|each) quarter|quarter|quarterly)$/.test(head);
  if (quarter) return cron("1 1,4,7,10 *");
  const bare = new RegExp(`^on the (${ORDINAL})$`).exec(head);
  if (bare?.[1] !== undefined)
    return done(
      ask("Once, or every month?", [`${bare[1]} of the month${atTimes(times)}`, `next ${bare[1]}${atTimes(times)}`]),
    );
  return undefined;
}

function dayOfMonth(day: number, times: readonly ClockTime[] | undefined): Days {
  if (day < 1 || day > 31) return done(refuse(`No month has a day ${day}`));
  if (day <= 28) return cron(`${day} * *`);
  const [time] = times ?? [];
  return done(
    ask(`Not every month has a day ${day}. Which days are meant?`, [
      `last day of the month${atTimes(times)}`,
      `cron ${time?.minute ?? 0} ${time?.hour ?? 9} ${day} * *`,
    ]),
  );
}

function readYearly(head: string, every: boolean): Days | undefined {
  const yearly = /^(?:year|yearly|annually),? (?:on )?(?:the )?(.+)$/.exec(head);
  const rest = yearly?.[1] ?? (every ? head : undefined);
  if (rest === undefined) return undefined;
  const found =
    new RegExp(`^(${MONTH}) (?:the )?(\\d{1,2})(?:st|nd|rd|th)?$`).exec(rest) ??
    reversed(new RegExp(`^(\\d{1,2})(?:st|nd|rd|th)?(?: of)? (${MONTH})$`).exec(rest));
  if (found === null) return undefined;
  const month = monthOf(found[1] ?? "");
  const day = Number(found[2]);
  if (day < 1 || day > (MONTH_DAYS[month - 1] ?? 31)) return done(refuse("No year has such a date"));
  return cron(`${day} ${month} *`);
}

const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function reversed(found: RegExpExecArray | null): readonly (string | undefined)[] | null {
  return found === null ? null : [found[0], found[2], found[1]];
}

function stepsRule(
  days: Extract<Days, { kind: "steps" }>,
  times: readonly ClockTime[],
  context: ReadContext,
): CalendarRule {
  const now = localTime(context.now, context.zone);
  const { every, unit } = days;
  const today = now.toPlainDate();
  const last = times.at(-1) ?? { hour: 0, minute: 0 };
  const timesLeft = now.hour * 60 + now.minute < last.hour * 60 + last.minute;
  const next = timesLeft ? today : today.add({ days: 1 });
  if (unit === "day") return { kind: "calendar", every, unit, from: next.toString(), weekdays: [], times };
  if (unit === "week") {
    const named = days.from.weekdays ?? [];
    const weekdays = named.length === 0 ? [next.dayOfWeek] : named;
    let from = next;
    while (!weekdays.includes(from.dayOfWeek)) from = from.add({ days: 1 });
    return { kind: "calendar", every, unit, from: from.toString(), weekdays, times };
  }
  let from = next;
  while (from.day !== days.from.dayOfMonth) from = from.add({ days: 1 });
  return { kind: "calendar", every, unit, from: from.toString(), weekdays: [], times };
}

function cron(days: string): Days {
  return { kind: "cron", days };
}

function done(reading: Reading): Days {
  return { kind: "reading", reading };
}

function cronDays(weekdays: readonly number[]): string {
  const text = weekdays.join(",");
  if (text === "1,2,3,4,5") return "1-5";
  return text === "1,2,3,4,5,6,7" ? "*" : weekdays.map((day) => day % 7).join(",");
}

function cronWeekdays(days: string): number[] | undefined {
  const [day, month, weekday = ""] = days.split(" ");
  if (day !== "*" || month !== "*" || weekday.includes("#")) return undefined;
  if (weekday === "*") return [1, 2, 3, 4, 5, 6, 7];
  if (weekday === "1-5") return [1, 2, 3, 4, 5];
  return weekday.split(",").map((each) => (each === "0" ? 7 : Number(each)));
}

function atTimes(times: readonly ClockTime[] | undefined): string {
  return ` at ${(times ?? [{ hour: 9, minute: 0 }]).map(showTime).join(" and ")}`;
}

function dateOf(context: ReadContext): string {
  return localTime(context.now, context.zone).toPlainDate().toString();
}
