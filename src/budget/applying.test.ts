import { describe, expect, test } from "vitest";
import { parseConversationId, parseWorkspaceId } from "../kernel/ids.ts";
import { applyingBudgets, findBudget, type BudgetRule, type BudgetScope } from "./applying.ts";
import { createCalendars } from "./periods.ts";

const NOW = Date.parse("2026-11-30T23:30:00Z");
const scope: BudgetScope = {
  workspaceId: parseWorkspaceId("ada"),
  conversationId: parseConversationId("slack:C042"),
  zone: "Europe/Madrid",
};
const by = (...limits: readonly BudgetRule[]) => ({
  config: { currency: "USD", zone: "America/New_York", limits },
  calendars: createCalendars(),
});
const EVERY: readonly BudgetRule[] = [
  { of: "installation", per: "month", money: 100.000001 },
  { of: "installation", per: "day", tokens: 5 },
  { of: "conversation", per: "day", steps: 7 },
  { of: "person", per: "day", money: 0.1 },
  { of: "schedule", per: "day", tokens: 1 },
  { of: "task", per: "total", tokens: 2, money: 3, steps: 4 },
];

describe("the budgets that apply", () => {
  test.each<{ what: string; limits: readonly BudgetRule[]; more: Partial<BudgetScope>; lines: readonly string[] }>([
    { what: "without limits", limits: [], more: {}, lines: ["person:day 2026-12-01", "person:month 2026-12"] },
    {
      what: "in a conversation",
      limits: EVERY,
      more: {},
      lines: [
        "person:day 2026-12-01",
        "person:month 2026-12",
        "conversation:slack:C042:day 2026-11-30",
        "installation:day 2026-11-30",
        "installation:month 2026-11",
      ],
    },
    {
      what: "of a schedule's task",
      limits: EVERY,
      more: { scheduleId: "s1", taskId: "t1" },
      lines: [
        "task:t1:total",
        "schedule:s1:day 2026-12-01",
        "person:day 2026-12-01",
        "person:month 2026-12",
        "conversation:slack:C042:day 2026-11-30",
        "installation:day 2026-11-30",
        "installation:month 2026-11",
      ],
    },
    {
      what: "of somebody whose zone is unknown",
      limits: [],
      more: { zone: "Mars/Olympus" },
      lines: ["person:day 2026-11-30", "person:month 2026-11"],
    },
  ])("$what", ({ limits, more, lines }) => {
    const budgets = applyingBudgets(by(...limits), { ...scope, ...more }, NOW);
    expect(budgets.map(({ line }) => [line.name, line.period].filter((part) => part !== undefined).join(" "))).toEqual(
      lines,
    );
  });

  test("lie with their person, or with everybody's", () => {
    const budgets = applyingBudgets(by(...EVERY), { ...scope, scheduleId: "s", taskId: "t" }, NOW);
    for (const { of, slot } of budgets)
      expect(slot).toEqual(["conversation", "installation"].includes(of) ? "shared" : { workspaceId: "ada" });
  });

  test("count money in millionths", () => {
    const limits = applyingBudgets(by(...EVERY), { ...scope, taskId: "t" }, NOW).map(({ line }) => line.limits);
    expect(limits).toEqual([
      { tokens: 2, money: 3_000_000, steps: 4 },
      { money: 100_000 },
      {},
      { steps: 7 },
      { tokens: 5 },
      { money: 100_000_001 },
    ]);
  });

  test.each(["", "a b", "a\nb", "{ws:bob}", "a}"])("the id %j of a task is refused", (taskId) => {
    expect(() => applyingBudgets(by(...EVERY), { ...scope, taskId }, NOW)).toThrow(/The id of a task/);
  });

  test("are found one by one, limited or not", () => {
    expect(findBudget(by(...EVERY), scope, { of: "person", per: "day" }, NOW)?.line.limits).toEqual({ money: 100_000 });
    expect(findBudget(by(), scope, { of: "conversation", per: "month" }, NOW)?.line).toMatchObject({ limits: {} });
    expect(findBudget(by(...EVERY), scope, { of: "task", per: "total" }, NOW)).toBeUndefined();
  });
});
