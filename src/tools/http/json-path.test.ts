import { describe, expect, test } from "vitest";
import { parseJsonPath, pickFrom } from "./json-path.ts";

const answer = {
  total: 2,
  items: [
    { name: "a", tags: [{ t: 1 }, { t: 2 }], "odd key.x": true },
    { name: "b", tags: [{ t: 3 }] },
  ],
  none: null,
};

describe("a path", () => {
  test.each([
    ["$", answer],
    ["total", 2],
    ["$.total", 2],
    ["$.items[1].name", "b"],
    ["items[0].tags[1].t", 2],
    ['items[0]["odd key.x"]', true],
    ["items[0]['odd key.x']", true],
    ["items[*].name", ["a", "b"]],
    ["$.items[*].tags[*].t", [1, 2, 3]],
    ["items[*].missing", []],
    ["none", null],
    ["missing", null],
    ["missing.deeper[0]", null],
    ["items[7]", null],
    ["items.length", null],
    ["total[0]", null],
    ["total[*]", []],
    ["constructor", null],
    ["__proto__", null],
  ])("%s finds %j", (text, found) => {
    const path = parseJsonPath(text);
    expect(path && pickFrom(answer, path)).toEqual(found);
  });

  test("begins anywhere: also at a list", () => {
    const path = parseJsonPath("$[0].x");
    expect(path && pickFrom([{ x: 1 }], path)).toBe(1);
  });

  test.each(["", ".", "a..b", "a[", "a[]", "a[-1]", "a[b]", "a b", "$$", "a[?(@.x)]", "$..a", "a.*", "[1"])(
    "%j is refused",
    (text) => {
      expect(parseJsonPath(text)).toBeUndefined();
    },
  );
});
