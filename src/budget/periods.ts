/** How long a budget lasts before it begins anew; `total` never does. */
export type Per = "day" | "month" | "total";

/** Days and months as people in one zone count them. */
export interface Calendar {
  readonly zone: string;
  /**
   * The period of `now`: `2026-11-21`, `2026-11`, undefined for `total`. Named after the local date alone, so that
   * somebody who changes their zone finds the same day's budget there.
   */
  keyOf(per: Per, now: number): string | undefined;
  /** The instant at which the next period begins, milliseconds since 1970; undefined for `total`. */
  endOf(per: Per, now: number): number | undefined;
}

/** The calendar of a zone, or of `otherwise` when the zone is absent or unknown to this runtime. */
export type Calendars = (zone: string | undefined, otherwise: string) => Calendar;

/** Remembers the calendars it made: making one takes longer than a call of Redis. */
export function createCalendars(): Calendars {
  const known = new Map<string, Calendar | undefined>();
  const find = (zone: string): Calendar | undefined => {
    if (known.has(zone)) return known.get(zone);
    const calendar = tryCalendar(zone);
    // Zones are text from people: what does not stop growing is begun anew.
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(zone, calendar);
    return calendar;
  };
  return (zone, otherwise) => find(zone ?? otherwise) ?? find(otherwise) ?? createCalendar(otherwise);
}

/** The calendar of `zone`. Throws `RangeError` for a zone that is none. */
export function createCalendar(zone: string): Calendar {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    calendar: "gregory",
    numberingSystem: "latn",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  const dateOf = (at: number): string => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
    return [parts.get("year")?.padStart(4, "0"), parts.get("month"), parts.get("day")].join("-");
  };
  return {
    zone,
    keyOf(per, now) {
      if (per === "total") return undefined;
      return per === "day" ? dateOf(now) : dateOf(now).slice(0, "2026-11".length);
    },
    endOf(per, now) {
      if (per === "total") return undefined;
      const [year = 0, month = 0, day = 0] = dateOf(now).split("-").map(Number);
      const midnight = per === "day" ? Date.UTC(year, month - 1, day + 1) : Date.UTC(year, month, 1);
      const next = new Date(midnight).toISOString().slice(0, "2026-11-21".length);
      // Searched and not summed up: midnight may be missing that day, or the whole day, and a date may come twice.
      // Zones are less than 15 hours from UTC.
      const from = Math.max(now, midnight - 15 * HOUR_MS);
      return firstInstant(from, midnight + 39 * HOUR_MS, (at) => dateOf(at) >= next);
    },
  };
}

const HOUR_MS = 3_600_000;
const MAX_KNOWN = 1000;

function tryCalendar(zone: string): Calendar | undefined {
  try {
    return createCalendar(zone);
  } catch {
    return undefined;
  }
}

/** Where `holds` turns true between `from`, where it does not hold, and `to`, where it does. */
function firstInstant(from: number, to: number, holds: (at: number) => boolean): number {
  let [before, after] = [from, to];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (holds(middle)) after = middle;
    else before = middle;
  }
  return after;
}
