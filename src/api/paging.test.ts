import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pageOfList, pageOfTimed, parseTimedQuery, type Page } from "./paging.ts";

describe("a list at hand", () => {
  const self = (item: string) => item;

  test("comes in pages that follow each other", () => {
    const first = pageOfList(["a", "b", "c"], self, { limit: 2 });
    expect(first).toMatchObject({ data: ["a", "b"], has_more: true });
    expect(pageOfList(["a", "b", "c"], self, { limit: 2, cursor: cursorOf(first) })).toEqual({
      data: ["c"],
      has_more: false,
      next_cursor: null,
    });
  });

  test("a page begins after the last shown item even when older ones were dropped", () => {
    const cursor = cursorOf(pageOfList(["a", "b", "c", "d"], self, { limit: 2 }));
    expect(pageOfList(["b", "c", "d"], self, { limit: 2, cursor }).data).toEqual(["c", "d"]);
  });

  test("an empty list is one empty page", () => {
    expect(pageOfList([], self, { limit: 2 })).toEqual({ data: [], has_more: false, next_cursor: null });
  });

  test.each([
    ["an item that is gone", cursorOf(pageOfList(["x", "y"], self, { limit: 1 }))],
    ["nothing we made", "rubbish"],
    ["another kind of value", Buffer.from("[1]").toString("base64url")],
  ])("a cursor of %s is refused", (_what, cursor) => {
    expect(() => pageOfList(["a"], self, { limit: 2, cursor })).toThrow(/^cursor: /);
  });
});

describe("a list by time", () => {
  interface Item {
    readonly id: string;
    readonly at: number;
  }
  const readers = { idOf: ({ id }: Item) => id, atOf: ({ at }: Item) => at };

  test("every item comes once, also when many have the same time", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 7 }),
        (times, limit) => {
          const items = times.map((at, index) => ({ id: `c${index}`, at })).toSorted((one, other) => other.at - one.at);
          const seen: string[] = [];
          let cursor: string | null = null;
          do {
            const query = parseTimedQuery({ limit, ...(cursor === null ? {} : { cursor }) });
            const found = items.filter(({ at }) => at < (query.before ?? Infinity)).slice(0, query.limit);
            const page: Page<Item> = pageOfTimed(found, query, limit, readers);
            expect(page.data.length).toBeLessThanOrEqual(limit);
            seen.push(...page.data.map(({ id }) => id));
            cursor = page.next_cursor;
            expect(page.has_more).toBe(cursor !== null);
          } while (cursor !== null);
          expect(seen).toEqual(items.map(({ id }) => id));
        },
      ),
    );
  });

  test("what was never a cursor is refused", () => {
    expect(() => parseTimedQuery({ limit: 2, cursor: "1700000000000" })).toThrow(
      "cursor: is not a next_cursor of this list",
    );
  });
});

function cursorOf(page: Page<unknown>): string {
  if (page.next_cursor === null) throw new Error("the last page has no cursor");
  return page.next_cursor;
}
