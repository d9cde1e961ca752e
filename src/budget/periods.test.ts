import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createCalendar, createCalendars, type Per } from "./periods.ts";

const at = (text: string) => Date.parse(text);

describe("the period of an instant, and when the next one begins", () => {
  test.each<{ what: string; per: Per; zone: string; now: string; key: string; end: string }>([
    {
      what: "a plain day",
      per: "day",
      zone: "UTC",
      now: "2026-11-21T10:00:00Z",
      key: "2026-11-21",
      end: "2026-11-22T00:00:00Z",
    },
    {
      what: "the last millisecond of a day",
      per: "day",
      zone: "UTC",
      now: "2026-11-21T23:59:59.999Z",
      key: "2026-11-21",
      end: "2026-11-22T00:00:00Z",
    },
    {
      what: "the first one of the next",
      per: "day",
      zone: "UTC",
      now: "2026-11-22T00:00:00Z",
      key: "2026-11-22",
      end: "2026-11-23T00:00:00Z",
    },
    {
      what: "a zone ahead",
      per: "day",
      zone: "Pacific/Kiritimati",
      now: "2026-11-21T10:00:00Z",
      key: "2026-11-22",
      end: "2026-11-22T10:00:00Z",
    },
    {
      what: "a zone behind",
      per: "day",
      zone: "Pacific/Pago_Pago",
      now: "2026-11-21T10:00:00Z",
      key: "2026-11-20",
      end: "2026-11-21T11:00:00Z",
    },
    {
      what: "a zone with an odd offset",
      per: "day",
      zone: "Asia/Kathmandu",
      now: "2026-11-21T18:14:59Z",
      key: "2026-11-21",
      end: "2026-11-21T18:15:00Z",
    },
    {
      what: "a day of 23 hours",
      per: "day",
      zone: "Europe/Madrid",
      now: "2026-03-29T00:30:00Z",
      key: "2026-03-29",
      end: "2026-03-29T22:00:00Z",
    },
    {
      what: "a day of 25 hours",
      per: "day",
      zone: "Europe/Madrid",
      now: "2026-10-24T22:00:00Z",
      key: "2026-10-25",
      end: "2026-10-25T23:00:00Z",
    },
    {
      what: "a day that begins at one o'clock, because midnight is skipped",
      per: "day",
      zone: "Africa/Cairo",
      now: "2026-04-23T20:00:00Z",
      key: "2026-04-23",
      end: "2026-04-23T22:00:00Z",
    },
    {
      what: "a day whose last hour comes twice: the first time",
      per: "day",
      zone: "America/Sao_Paulo",
      now: "2018-02-18T01:30:00Z",
      key: "2018-02-17",
      end: "2018-02-18T03:00:00Z",
    },
    {
      what: "and the second time",
      per: "day",
      zone: "America/Sao_Paulo",
      now: "2018-02-18T02:30:00Z",
      key: "2018-02-17",
      end: "2018-02-18T03:00:00Z",
    },
    {
      what: "the day before one that never was",
      per: "day",
      zone: "Pacific/Apia",
      now: "2011-12-30T00:00:00Z",
      key: "2011-12-29",
      end: "2011-12-30T10:00:00Z",
    },
    {
      what: "a half-hour change",
      per: "day",
      zone: "Australia/Lord_Howe",
      now: "2026-10-03T12:00:00Z",
      key: "2026-10-03",
      end: "2026-10-03T13:30:00Z",
    },
    {
      what: "a month",
      per: "month",
      zone: "UTC",
      now: "2026-11-21T10:00:00Z",
      key: "2026-11",
      end: "2026-12-01T00:00:00Z",
    },
    {
      what: "the last month of a year",
      per: "month",
      zone: "America/New_York",
      now: "2027-01-01T04:59:59Z",
      key: "2026-12",
      end: "2027-01-01T05:00:00Z",
    },
    {
      what: "a February with 29 days",
      per: "month",
      zone: "UTC",
      now: "2028-02-29T23:00:00Z",
      key: "2028-02",
      end: "2028-03-01T00:00:00Z",
    },
    {
      what: "a month with a clock change in it",
      per: "month",
      zone: "Europe/Madrid",
      now: "2026-03-15T00:00:00Z",
      key: "2026-03",
      end: "2026-03-31T22:00:00Z",
    },
    {
      what: "an offset for a zone",
      per: "day",
      zone: "+05:30",
      now: "2026-11-21T18:29:59Z",
      key: "2026-11-21",
      end: "2026-11-21T18:30:00Z",
    },
  ])("$what", ({ per, zone, now, key, end }) => {
    const calendar = createCalendar(zone);
    expect(calendar.keyOf(per, at(now))).toBe(key);
    expect(new Date(calendar.endOf(per, at(now)) ?? 0).toISOString()).toBe(new Date(end).toISOString());
  });

  test("a total has no period and no end", () => {
    expect(createCalendar("UTC").keyOf("total", 0)).toBeUndefined();
    expect(createCalendar("UTC").endOf("total", 0)).toBeUndefined();
  });

  test("every period lasts until its end and not a millisecond longer, over all clock changes of many years", () => {
    const zones = ["Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago"];
    const instants = fc.integer({ min: at("2015-01-01"), max: at("2035-01-01") });
    const calendars = createCalendars();
    const pers = fc.constantFrom<Per>("day", "month");
    fc.assert(
      fc.property(fc.constantFrom(...zones, "Asia/Tehran", "UTC"), instants, pers, (zone, now, per) => {
        const calendar = calendars(zone, "UTC");
        const [key = "", end = 0] = [calendar.keyOf(per, now), calendar.endOf(per, now)];
        expect(end).toBeGreaterThan(now);
        expect(calendar.keyOf(per, end - 1)).toBe(key);
        expect((calendar.keyOf(per, end) ?? "") > key).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a person's zone", () => {
  test.each([
    ["Europe/Madrid", "Europe/Madrid"],
    ["Mars/Olympus", "UTC"],
    ["", "UTC"],
    [undefined, "UTC"],
  ])("%j counts as %s", (zone, counts) => {
    const calendars = createCalendars();
    expect(calendars(zone, "UTC").zone).toBe(counts);
    expect(calendars(zone, "UTC").zone).toBe(counts);
  });

  test("that is unknown counts as the one that stands in at that moment", () => {
    const calendars = createCalendars();
    expect(calendars("Mars/Olympus", "UTC").zone).toBe("UTC");
    expect(calendars("Mars/Olympus", "Europe/Madrid").zone).toBe("Europe/Madrid");
  });
});
