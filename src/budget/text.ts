import type { Amount, Metric } from "../store/budgets.ts";
import type { BudgetOf } from "./applying.ts";
import type { BudgetUsage, LimitState, ReserveResult } from "./budgets.ts";
import type { Per } from "./periods.ts";

/** What `/usage` answers: a line for every budget, with everything spent in it. */
export function describeUsage(usages: readonly BudgetUsage[], currency: string): string {
  return usages
    .map(({ of, per, spent, limits, resetsAt, zone }) => {
      const parts = METRICS.filter((metric) => spent[metric] > 0 || limits[metric] !== undefined || metric !== "money");
      const counts = parts.map((metric) => share(metric, spent[metric], limits[metric], currency)).join(", ");
      return `${heading(of, per)}: ${counts}.${resetsAt === undefined ? "" : ` Resets ${instant(resetsAt, zone)}.`}`;
    })
    .join("\n");
}

/** Why a step was not begun, and when it can be. */
export function describeRefusal(refused: ReserveResult & { readonly kind: "refused" }, currency: string): string {
  const { budget, wanted } = refused;
  const { metric, used, limit } = budget;
  const name = budgetName(budget.of, budget.per);
  const spent = `${count(metric, used, currency)} of ${count(metric, limit, currency)} used or set aside`;
  const next = `the next step may need up to ${count(metric, wanted, currency)}`;
  if (wanted > limit)
    return `${name} is smaller than one step: ${next}, and the limit is ${count(metric, limit, currency)}.`;
  const why =
    used >= limit
      ? `${name} is used up: ${spent}`
      : `What is left of ${lower(name)} is not enough: ${spent}, and ${next}`;
  return `${why}.${budget.resetsAt === undefined ? "" : ` It resets ${instant(budget.resetsAt, budget.zone)}.`}`;
}

/** What somebody is asked to add to a budget. */
export function describeExtension(
  { of, per, add }: { readonly of: BudgetOf; readonly per: Per; readonly add: Partial<Amount> },
  currency: string,
): { readonly budget: string; readonly add: string } {
  const parts = METRICS.flatMap((metric) => {
    const more = add[metric] ?? 0;
    return more > 0 ? [count(metric, more, currency)] : [];
  });
  return { budget: lower(budgetName(of, per)), add: parts.join(", ") };
}

/** That most of a budget is used. */
export function describeNotice(state: LimitState, currency: string): string {
  const { metric, used, limit, resetsAt, zone } = state;
  const percent = Math.floor((used / limit) * 100);
  const counts = `${count(metric, used, currency)} of ${count(metric, limit, currency)}`;
  return `${percent} % of ${lower(budgetName(state.of, state.per))} is used: ${counts}.${resetsAt === undefined ? "" : ` It resets ${instant(resetsAt, zone)}.`}`;
}

/** An amount of money in millionths, exactly: `0.0312 USD`. */
export function formatMoney(micros: number, currency: string): string {
  const units = Math.floor(micros / 1_000_000);
  const fraction = String(micros % 1_000_000)
    .padStart(6, "0")
    .replace(/0{1,4}$/, "");
  return `${units.toLocaleString("en-US")}.${fraction} ${currency}`;
}

const METRICS: readonly Metric[] = ["tokens", "money", "steps"];

function share(metric: Metric, spent: number, limit: Partial<Amount>[Metric], currency: string): string {
  const counted = count(metric, spent, currency);
  return limit === undefined ? counted : `${counted} of ${count(metric, limit, currency)}`;
}

function count(metric: Metric, value: number, currency: string): string {
  if (metric === "money") return formatMoney(value, currency);
  return `${value.toLocaleString("en-US")} ${value === 1 ? metric.slice(0, -1) : metric}`;
}

function heading(of: BudgetOf, per: Per): string {
  const period = { day: ", today", month: ", this month", total: "" }[per];
  const owner = {
    person: "You",
    conversation: "This conversation",
    schedule: "This schedule",
    task: "This task",
    installation: "Everyone",
  }[of];
  return `${owner}${period}`;
}

function budgetName(of: BudgetOf, per: Per): string {
  const period = { day: " for today", month: " for this month", total: "" }[per];
  const owner = {
    person: "Your budget",
    conversation: "The budget of this conversation",
    schedule: "The budget of this schedule",
    task: "The budget of this task",
    installation: "The budget of this bot",
  }[of];
  return `${owner}${period}`;
}

function lower(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}

function instant(at: number, zone: string): string {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  });
  return `on ${format.format(at)} (${zone})`;
}
