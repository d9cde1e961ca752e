import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createOccurrences } from "../../src/schedule/occurrences.ts";
import { parseRuleText, ruleText } from "../../src/schedule/rule.ts";
import { readWhen } from "../../src/schedule/when.ts";
import { describeRule } from "../../src/schedule/words.ts";

const NOW = Date.parse("2026-11-25T10:00:00Z");
const rows = readFileSync(join(import.meta.dirname, "phrases.txt"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => {
    const [zone = "", words = "", expected = ""] = line.split(" | ");
    return { zone, words, expected };
  });
const occurrences = createOccurrences();

describe("what people say", () => {
  test("is looked at in more than two hundred ways and in six zones", () => {
    expect(rows.length).toBeGreaterThan(200);
    expect(new Set(rows.map(({ zone }) => zone)).size).toBe(6);
  });

  test.each(rows)("$words ($zone) -> $expected", ({ zone, words, expected }) => {
    const reading = readWhen(words, { now: NOW, zone });
    if (reading.kind === "refused") {
      expect(`! ${reading.reason}`).toBe(expected);
      return;
    }
    if (reading.kind === "ambiguous") {
      expect(`? ${reading.choices.join(" / ")}`).toBe(expected);
      for (const choice of reading.choices) expect(readWhen(choice, { now: NOW, zone }).kind).toBe("rule");
      return;
    }
    expect(occurrences.next(reading.rule, reading.zone, NOW, 5).map(short).join(" ")).toBe(expected);
    expect(parseRuleText(ruleText(reading.rule))).toEqual(reading.rule);
    expect(describeRule(reading.rule, reading.zone)).not.toBe("");
  });
});

function short(at: number): string {
  return new Date(at).toISOString().replace(/(?::00)?\.000Z$/, "");
}
