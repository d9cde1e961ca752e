import { expect, test } from "vitest";
import { planBatch } from "./albums.ts";
import { updateSchema } from "./update-schema.ts";

/** `1` is a message of person 7, `1a` a part of the album a, `1b/9` one of person 9, `1e` an edit. */
function batch(words: string) {
  return words.split(" ").map((word) => {
    const [, id = "", kind = "", by = "7"] = /^(\d+)([a-z]?)(?:\/(\d))?$/.exec(word) ?? [];
    const message = {
      message_id: Number(id),
      chat: { id: -5, type: "supergroup" },
      from: { id: Number(by), is_bot: false },
      ...(kind === "" || kind === "e" ? {} : { media_group_id: kind }),
    };
    return updateSchema.parse({
      update_id: Number(id),
      ...(kind === "e" ? { edited_message: message } : { message }),
    });
  });
}

const eleven = Array.from({ length: 11 }, (_, index) => `${index + 1}a`).join(" ");

test.each([
  { given: "1 2", units: [[1], [2]], held: undefined },
  { given: "1a", units: [], held: "-5:a:1" },
  { given: "1 2a 3a", units: [[1]], held: "-5:a:2" },
  { given: "1 2a 3a", quiet: "-5:a:1", units: [[1]], held: "-5:a:2" },
  { given: "1 2a 3a", quiet: "-5:a:2", units: [[1], [2, 3]], held: undefined },
  { given: "1a 2a 3", units: [[1, 2], [3]], held: undefined },
  { given: "1a 2a 3/9", units: [], held: "-5:a:2" },
  { given: "1a 2e", units: [], held: "-5:a:1" },
  { given: "1a 2/9 3a", quiet: "-5:a:2", units: [[1, 3], [2]], held: undefined },
  { given: "1a 2a 3b", units: [[1, 2]], held: "-5:b:1" },
  { given: "1a 2b/9 3a", quiet: "-5:a:2", units: [[1, 3]], held: "-5:b:1" },
  { given: "1a 2a", full: true, units: [[1, 2]], held: undefined },
  { given: "1 2a", full: true, units: [[1]], held: "-5:a:1" },
  { given: eleven, units: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]], held: undefined },
])("$given, quiet: $quiet, full: $full -> $units, held: $held", ({ given, quiet, full = false, units, held }) => {
  const plan = planBatch(batch(given), { quiet, full });
  expect(plan.units.map((unit) => unit.map(({ update_id: id }) => id))).toEqual(units);
  expect(plan.held).toBe(held);
});
