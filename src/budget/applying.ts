import { InvalidInput } from "../kernel/errors.ts";
import type { ConversationId, WorkspaceId } from "../kernel/ids.ts";
import type { BudgetLine, BudgetSlot } from "../store/budgets.ts";
import type { Calendar, Calendars, Per } from "./periods.ts";

/** Whose spending a budget limits. */
export type BudgetOf = "person" | "conversation" | "schedule" | "task" | "installation";

/** A limit an operator set. A task's is for its whole life, all others are per day or per month. */
export interface BudgetRule {
  readonly of: BudgetOf;
  readonly per: Per;
  readonly tokens?: number;
  /** In units of the currency; six decimals count. */
  readonly money?: number;
  /** Model calls. */
  readonly steps?: number;
}

/** The settings of all budgets, as they stand in the configuration. */
export interface BudgetConfig {
  readonly currency: string;
  /** The zone in which days and months of budgets begin that are not one person's, and of people who have none. */
  readonly zone: string;
  readonly limits: readonly BudgetRule[];
}

/** What decides which budgets there are. */
export interface BudgetRules {
  readonly config: BudgetConfig;
  readonly calendars: Calendars;
}

/** Where a step spends. */
export interface BudgetScope {
  readonly workspaceId: WorkspaceId;
  readonly conversationId: ConversationId;
  readonly scheduleId?: string;
  readonly taskId?: string;
  /** The person's time zone; the configuration's when it is absent or unknown. */
  readonly zone?: string;
}

/** A budget that counts what a step spends. */
export interface ApplyingBudget {
  readonly of: BudgetOf;
  readonly per: Per;
  readonly calendar: Calendar;
  readonly slot: BudgetSlot;
  readonly line: BudgetLine;
}

/**
 * All budgets that count what is spent in `scope` at `now`, the narrowest first: those with a limit, and the person's day
 * and month with or without one. Pure. Throws `InvalidInput` for a schedule's or task's id that cannot be part of a key.
 */
export function applyingBudgets(by: BudgetRules, scope: BudgetScope, now: number): readonly ApplyingBudget[] {
  const { limits } = by.config;
  const rules = [...limits, ...ALWAYS.filter((one) => !limits.some((rule) => isSame(rule, one)))];
  return rules.toSorted(byWidth).flatMap((rule) => {
    const owner = ownerOf(rule.of, scope);
    return owner === undefined ? [] : [applying(rule, owner, by, scope, now)];
  });
}

/** The budget `of` and `per` in this scope, limited or not; undefined when the scope has no such owner. Pure. */
export function findBudget(
  by: BudgetRules,
  scope: BudgetScope,
  wanted: Pick<BudgetRule, "of" | "per">,
  now: number,
): ApplyingBudget | undefined {
  const owner = ownerOf(wanted.of, scope);
  const rule = by.config.limits.find((one) => isSame(one, wanted)) ?? wanted;
  return owner === undefined ? undefined : applying(rule, owner, by, scope, now);
}

const DAY_MS = 86_400_000;
/** How long counts are kept after they were last added to: well past the end of their period. */
const KEEP_MS: Readonly<Record<Per, number>> = { day: 3 * DAY_MS, month: 40 * DAY_MS, total: 100 * DAY_MS };

/** What `/usage` shows even where nobody set a limit. */
const ALWAYS: readonly BudgetRule[] = [
  { of: "person", per: "day" },
  { of: "person", per: "month" },
];

const WIDTHS: readonly BudgetOf[] = ["task", "schedule", "person", "conversation", "installation"];

function byWidth(one: BudgetRule, other: BudgetRule): number {
  return WIDTHS.indexOf(one.of) - WIDTHS.indexOf(other.of) || one.per.localeCompare(other.per);
}

function isSame(one: Pick<BudgetRule, "of" | "per">, other: Pick<BudgetRule, "of" | "per">): boolean {
  return one.of === other.of && one.per === other.per;
}

interface Owner {
  readonly id?: string;
  /** Whether it is one person's, who then decides when a day begins. */
  readonly own: boolean;
}

function ownerOf(of: BudgetOf, scope: BudgetScope): Owner | undefined {
  switch (of) {
    case "person":
      return { own: true };
    case "schedule":
      return scope.scheduleId === undefined ? undefined : { id: checkId("schedule", scope.scheduleId), own: true };
    case "task":
      return scope.taskId === undefined ? undefined : { id: checkId("task", scope.taskId), own: true };
    case "conversation":
      return { id: scope.conversationId, own: false };
    case "installation":
      return { own: false };
  }
}

function checkId(what: string, id: string): string {
  if (id === "" || /[\p{Cc}\p{Cs}\s{}]/u.test(id))
    throw new InvalidInput(`The id of a ${what} is empty or contains white space, a control character or a brace`);
  return id;
}

function applying(
  rule: BudgetRule,
  { id, own }: Owner,
  { config, calendars }: BudgetRules,
  { workspaceId, zone }: BudgetScope,
  now: number,
): ApplyingBudget {
  const { of, per, tokens, money, steps } = rule;
  const calendar = calendars(own ? zone : undefined, config.zone);
  const period = calendar.keyOf(per, now);
  return {
    of,
    per,
    calendar,
    slot: own ? { workspaceId } : "shared",
    line: {
      name: [of, id, per].filter((part) => part !== undefined).join(":"),
      ...(period === undefined ? {} : { period }),
      limits: {
        ...(tokens === undefined ? {} : { tokens }),
        ...(money === undefined ? {} : { money: toMicros(money) }),
        ...(steps === undefined ? {} : { steps }),
      },
      keepMs: KEEP_MS[per],
    },
  };
}

/** In millionths of the currency's unit, as everything is counted. */
function toMicros(money: number): number {
  return Math.round(money * 1_000_000);
}
