import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createOccurrences } from "../../src/schedule/occurrences.ts";
import type { Rule } from "../../src/schedule/rule.ts";
import { clockChanges, fixedTimes, rhythm, walkMinutes } from "./reference.ts";

// Half hours, the south, 30 minutes at Lord Howe, changes at midnight, zones that changed their rules.
const ZONES = [
  "Europe/Berlin",
  "America/New_York",
  "America/St_Johns",
  "Australia/Adelaide",
  "Australia/Lord_Howe",
  "America/Santiago",
  "Africa/Cairo",
  "America/Havana",
  "Africa/Casablanca",
  "Asia/Gaza",
  "Asia/Almaty",
  "America/Asuncion",
];
const HOUR = 3_600_000;
const occurrences = createOccurrences();
const changes = ZONES.flatMap((zone) => clockChanges(zone, 2024, 2032).map((at) => ({ zone, at })));

/** Fires within a day and a half of a change. */
function firesAround(rule: Rule, zone: string, at: number): number[] {
  const fires: number[] = [];
  let next = occurrences.after(rule, zone, at - 36 * HOUR - 1);
  while (next !== undefined && next <= at + 36 * HOUR) {
    fires.push(next);
    next = occurrences.after(rule, zone, next);
  }
  return fires;
}

const clockTime = (clock: number) => ({ hour: Math.floor(clock / 60), minute: clock % 60 });

test("there are changes to look at in every zone", () => {
  expect(changes.length).toBeGreaterThan(150);
  for (const zone of ZONES) expect(changes.filter((each) => each.zone === zone).length).toBeGreaterThan(0);
});

describe.each(ZONES)("every clock change in %s from 2024 to 2032", (zone) => {
  const around = changes
    .filter((change) => change.zone === zone)
    .map(({ at }) => ({ at, minutes: walkMinutes(at - 60 * HOUR, at + 60 * HOUR, zone) }));
  const within = (fires: readonly number[], at: number) =>
    fires.filter((each) => each >= at - 36 * HOUR && each <= at + 36 * HOUR);

  test("fires a fixed time once a day, at its first pass or at the first instant after the gap", () => {
    fc.assert(
      fc.property(fc.constantFrom(...around), fc.integer({ min: 0, max: 1439 }), ({ at, minutes }, clock) => {
        const { hour, minute } = clockTime(clock);
        const expected = within(fixedTimes(minutes, [clock]), at);
        const cron = firesAround({ kind: "cron", expression: `${minute} ${hour} * * *` }, zone, at);
        expect(cron.map(iso)).toEqual(expected.map(iso));
        const calendar: Rule = {
          kind: "calendar",
          every: 1,
          unit: "day",
          from: "2023-12-01",
          weekdays: [],
          times: [clockTime(clock)],
        };
        expect(firesAround(calendar, zone, at).map(iso)).toEqual(expected.map(iso));
      }),
      { numRuns: 60 },
    );
    // The times that matter most are not left to chance.
    for (const { at, minutes } of around)
      for (const clock of [0, 30, 60, 90, 105, 119, 120, 135, 150, 179, 180, 1380, 1410, 1439]) {
        const { hour, minute } = clockTime(clock);
        const fires = firesAround({ kind: "cron", expression: `${minute} ${hour} * * *` }, zone, at);
        expect(fires.map(iso)).toEqual(within(fixedTimes(minutes, [clock]), at).map(iso));
      }
  });

  test("fires a list of fixed hours each once a day", () => {
    for (const { at, minutes } of around) {
      const fires = firesAround({ kind: "cron", expression: "30 0,1,2,3,23 * * *" }, zone, at);
      const clocks = [30, 90, 150, 210, 1410];
      expect(fires.map(iso)).toEqual(within(fixedTimes(minutes, clocks), at).map(iso));
    }
  });

  test("keeps the rhythm of quarter hours on both passes", () => {
    for (const { at, minutes } of around) {
      const fires = firesAround({ kind: "cron", expression: "*/15 * * * *" }, zone, at);
      expect(fires.map(iso)).toEqual(
        within(
          rhythm(minutes, (clock) => clock % 15 === 0),
          at,
        ).map(iso),
      );
    }
  });

  test("keeps real time for intervals", () => {
    for (const { at } of around) {
      const rule: Rule = { kind: "interval", everyMs: HOUR, anchor: at - 36 * HOUR - 1000 };
      const fires = firesAround(rule, zone, at);
      const steps = new Set(fires.slice(1).map((each, index) => each - (fires[index] ?? 0)));
      expect([...steps]).toEqual([HOUR]);
    }
  });
});

function iso(at: number): string {
  return new Date(at).toISOString();
}
