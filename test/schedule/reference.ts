import { Temporal } from "temporal-polyfill";

/** A minute of an absolute day as a wall clock shows it. */
interface Minute {
  readonly at: number;
  readonly date: string;
  /** Minutes since midnight on the wall clock. */
  readonly clock: number;
}

/**
 * Walks every minute of real time around a clock change and reads the wall clock at each. Slow, and independent of what
 * it checks: no rule is computed here, only looked up.
 */
export function walkMinutes(from: number, to: number, zone: string): Minute[] {
  const minutes: Minute[] = [];
  for (let at = from; at <= to; at += 60_000) {
    const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
    minutes.push({ at, date: local.toPlainDate().toString(), clock: local.hour * 60 + local.minute });
  }
  return minutes;
}

/**
 * When a fixed time of day fires: once on each date, at the first minute at which the wall clock shows this time or, when
 * the clock skips it, a later one.
 */
export function fixedTimes(minutes: readonly Minute[], clocks: readonly number[]): number[] {
  const dates = new Set(minutes.map(({ date }) => date));
  const fires = new Set<number>();
  for (const date of dates)
    for (const clock of clocks) {
      const found = minutes.find((minute) => minute.date === date && minute.clock >= clock);
      // A time in a gap at the end of a day is made up for at the first minute of the next.
      const after = found ?? minutes.find((minute) => minute.date > date);
      if (after !== undefined) fires.add(after.at);
    }
  return [...fires].toSorted((one, other) => one - other);
}

/** When a rhythm fires: at every minute whose wall clock fits, on both passes of a doubled hour. */
export function rhythm(minutes: readonly Minute[], fits: (clock: number) => boolean): number[] {
  return minutes.filter(({ clock }) => fits(clock)).map(({ at }) => at);
}

/** Every change of a zone's clock within these years. */
export function clockChanges(zone: string, firstYear: number, lastYear: number): number[] {
  const changes: number[] = [];
  let at: Temporal.ZonedDateTime | null = Temporal.ZonedDateTime.from(`${firstYear}-01-01T00:00[${zone}]`);
  while ((at = at.getTimeZoneTransition("next")) !== null && at.year <= lastYear) changes.push(at.epochMilliseconds);
  return changes;
}
