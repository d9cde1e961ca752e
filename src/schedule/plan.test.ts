import { describe, expect, test } from "vitest";
import { createOccurrences } from "./occurrences.ts";
import { spreadOffset } from "./plan.ts";
import { describeSlot, splitWhen } from "./command.ts";
import { packDefinition, unpackDefinition, type Definition } from "./definition.ts";
import { outcomeLine, ranLine, readLedger, skippedLine } from "./ledger.ts";
import { describeFailures } from "./outcomes.ts";

const NOW = Date.parse("2026-11-25T10:00:00Z");

describe("spreading", () => {
  test("moves a schedule always by the same whole seconds, and many evenly", () => {
    const offsets = Array.from({ length: 6_000 }, (_, index) => spreadOffset(`user-${index} task`, 600_000));
    expect(offsets).toEqual(Array.from({ length: 6_000 }, (_, index) => spreadOffset(`user-${index} task`, 600_000)));
    const minutes = Array.from({ length: 10 }, () => 0);
    for (const offset of offsets) {
      expect(offset % 1000).toBe(0);
      minutes[Math.floor(offset / 60_000)] = (minutes[Math.floor(offset / 60_000)] ?? 0) + 1;
    }
    for (const count of minutes) expect(Math.abs(count - 600)).toBeLessThan(150);
    expect(spreadOffset("anything", 0)).toBe(0);
  });
});

describe("a definition", () => {
  const definition: Definition = {
    status: "active",
    rule: { kind: "cron", expression: "0 9 * * 1-5" },
    zone: "Europe/Madrid",
    catchUp: "once",
    maxLatenessMs: undefined,
    spreadMs: 0,
    createdAt: NOW,
    owner: "alice" as Definition["owner"],
    conversationId: "api:alice" as Definition["conversationId"],
    description: "first line\nsecond line",
  };
  test.each<Partial<Definition>>([
    {},
    { status: "disabled", catchUp: "all", maxLatenessMs: 90_000, spreadMs: 600_000 },
    { owner: "=3" as Definition["owner"], conversationId: "slack:D1" as Definition["conversationId"] },
    { rule: { kind: "once", at: NOW } },
    { rule: { kind: "interval", everyMs: 900_000, anchor: NOW } },
    { description: "" },
  ])("is read as it was written: %o", (more) => {
    const given = { ...definition, ...more };
    expect(unpackDefinition(packDefinition(given))).toEqual(given);
  });
  test.each(["", "a", "z1\n0 9 * * *\nUTC\nc\no\nd", "a1\n\nUTC\nc\no\nd"])(
    "that is damaged is not read: %j",
    (text) => {
      expect(unpackDefinition(text)).toBeUndefined();
    },
  );
});

describe("a ledger", () => {
  test("joins a slot with the newest end of its run, and counts a slot that was tried again once", () => {
    const slots = readLedger([
      outcomeLine(1000, 9000, "done", "run-2", 2),
      ranLine(1000, 7000),
      outcomeLine(1000, 5000, "failed", "run-1", 1),
      skippedLine(500, 1200, "too-late", 3),
      ranLine(1000, 1200),
      "rubbish",
    ]);
    expect(
      slots.map(({ slot, did, lateMs, count, run }) => [slot, did, lateMs, count, run?.status, run?.attempt]),
    ).toEqual([
      [500, "skipped", 700, 3, undefined, undefined],
      [1000, "ran", 200, 1, "done", 2],
    ]);
  });

  test("is told in words", () => {
    const [slot] = readLedger([skippedLine(NOW, NOW + 5000, "too-late", 3)]);
    expect(slot === undefined ? "" : describeSlot({ ...slot, run: undefined }, "UTC")).toBe(
      "Wed 25 Nov 2026, 10:00 and 2 more: skipped, later than its maximum lateness",
    );
  });
});

describe("/schedule add", () => {
  test.each([
    ["every day at 9am | water", "every day at 9am", "water"],
    ["every day at 9am water the plants at noon", "every day at 9am", "water the plants at noon"],
    ["in 30m to stretch", "in 30m", "stretch"],
    ["tomorrow 9am: call Bo", "tomorrow 9am", "call Bo"],
    ['"0 9 * * 1" look at 3 things', "0 9 * * 1", "look at 3 things"],
    ["0 9 * * 1-5 look at 3 things", "0 9 * * 1-5", "look at 3 things"],
    ["every day at 5 drink tea", "every day at 5", "drink tea"],
  ])("%s", (text, when, description) => {
    expect(splitWhen(text, NOW)).toEqual({ when, description });
  });
  test.each(["", "water the plants", "every day at 9am", "| water"])("without a when or a what: %j", (text) => {
    expect(splitWhen(text, NOW)).toBeUndefined();
  });
});

describe("after a failure", () => {
  test.each([
    ["fine", 0, ""],
    ["again", 1, ""],
    ["failed", 1, ""],
    ["failed", 2, "failed 2 times in a row. I go on trying"],
    ["failed", 3, ""],
    ["disabled", 10, "I disabled the schedule"],
    ["gone", 0, ""],
  ] as const)("%s with %i in a row says %j", (reply, failures, text) => {
    const said = describeFailures(reply, failures, { schedule: "s0-1", error: "it broke" }, "water");
    if (text === "") expect(said).toBe("");
    else expect(said).toContain(text);
  });
});

test("an interval counts from its anchor and never fires at it", () => {
  const occurrences = createOccurrences();
  const rule = { kind: "interval", everyMs: 900_000, anchor: NOW } as const;
  expect(occurrences.next(rule, "UTC", NOW, 2)).toEqual([NOW + 900_000, NOW + 1_800_000]);
  expect(occurrences.after(rule, "UTC", NOW - 86_400_000)).toBe(NOW + 900_000);
});
