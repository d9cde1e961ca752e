import { Cron } from "croner";
import { Temporal } from "temporal-polyfill";
import type { CalendarRule, Rule } from "./rule.ts";
import { instantOf, localTime } from "./zones.ts";

/** Computes fires. It remembers what it computed: schedules that share rule and zone fall due together. */
export interface Occurrences {
  /** The first fire after an instant; undefined when there is none. */
  after(rule: Rule, zone: string, instant: number): number | undefined;
  /** The next fires after an instant, at most `count`. */
  next(rule: Rule, zone: string, instant: number, count: number): number[];
}

/** Builds an {@link Occurrences}; its memory is bounded. */
export function createOccurrences(): Occurrences {
  const crons = new Map<string, Cron>();
  const known = new Map<string, number | undefined>();

  function cronOf(expression: string, zone: string): Cron {
    const name = `${zone} ${expression}`;
    let cron = crons.get(name);
    if (cron === undefined) {
      if (crons.size >= MAX_CRONS) crons.clear();
      cron = openCron(expression, zone);
      crons.set(name, cron);
    }
    return cron;
  }

  function afterCron(expression: string, zone: string, instant: number): number | undefined {
    const name = `${instant} ${zone} ${expression}`;
    if (known.has(name)) return known.get(name);
    if (known.size >= MAX_KNOWN) known.clear();
    const found = cronOf(expression, zone).nextRun(new Date(instant))?.getTime();
    known.set(name, found);
    return found;
  }

  function after(rule: Rule, zone: string, instant: number): number | undefined {
    switch (rule.kind) {
      case "once":
        return rule.at > instant ? rule.at : undefined;
      case "interval":
        return rule.anchor + (Math.max(0, Math.floor((instant - rule.anchor) / rule.everyMs)) + 1) * rule.everyMs;
      case "cron":
        return afterCron(rule.expression, zone, instant);
      case "calendar":
        return afterCalendar(rule, zone, instant);
    }
  }

  return {
    after,
    next(rule, zone, instant, count) {
      const fires: number[] = [];
      for (let at = after(rule, zone, instant); at !== undefined && fires.length < count; at = after(rule, zone, at))
        fires.push(at);
      return fires;
    },
  };
}

const MAX_CRONS = 5_000;
const MAX_KNOWN = 20_000;

/**
 * Opens a cron expression in a zone. Expressions whose time fields hold no `*` and no step are fixed times: they follow
 * the rule for the missing and the doubled hour. All others keep their rhythm. Throws what croner throws.
 */
export function openCron(expression: string, zone: string): Cron {
  return new Cron(expression, {
    paused: true,
    timezone: zone,
    mode: "5-or-6-parts",
    fixedTimeRule: "no-wildcard",
  });
}

/** Years without a single fire mean that there is none: no calendar rule pauses for so long. */
const MAX_PERIODS = 1_000;

function afterCalendar(rule: CalendarRule, zone: string, instant: number): number | undefined {
  const from = Temporal.PlainDate.from(rule.from);
  // A day earlier: on the day of a clock change the first fire after `instant` may bear the date before.
  const today = localTime(instant, zone).toPlainDate().subtract({ days: 1 });
  const passed = Math.floor(periodsBetween(from, today, rule.unit) / rule.every);
  for (let index = Math.max(0, passed - 1), tries = 0; tries < MAX_PERIODS; index++, tries++) {
    const fires = datesOf(rule, from, index * rule.every)
      .flatMap((date) => rule.times.map((time) => instantOf(date.toPlainDateTime(time), zone)))
      .filter((at) => at > instant && at >= instantOf(from.toPlainDateTime(), zone));
    if (fires.length > 0) return Math.min(...fires);
  }
  return undefined;
}

function periodsBetween(from: Temporal.PlainDate, to: Temporal.PlainDate, unit: CalendarRule["unit"]): number {
  if (unit === "day") return from.until(to, { largestUnit: "days" }).days;
  if (unit === "week") return Math.floor(from.until(to, { largestUnit: "days" }).days / 7);
  return from.until(to, { largestUnit: "months" }).months;
}

function datesOf(rule: CalendarRule, from: Temporal.PlainDate, periods: number): Temporal.PlainDate[] {
  if (rule.unit === "day") return [from.add({ days: periods })];
  if (rule.unit === "month") return [from.add({ months: periods })];
  const monday = from.subtract({ days: from.dayOfWeek - 1 }).add({ weeks: periods });
  return rule.weekdays.map((weekday) => monday.add({ days: weekday - 1 }));
}
