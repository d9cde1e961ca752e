import cronstrue from "cronstrue";
import { localTime } from "./zones.ts";
import { showTime, type CalendarRule, type Rule } from "./rule.ts";

/** A rule in words: `At 09:00, Monday through Friday`. */
export function describeRule(rule: Rule, zone: string): string {
  switch (rule.kind) {
    case "once":
      return `Once, on ${showLocal(rule.at, zone)}`;
    case "interval":
      return `Every ${describeLength(rule.everyMs)}`;
    case "cron":
      return describeCron(rule.expression);
    case "calendar":
      return describeCalendar(rule);
  }
}

function describeCron(expression: string): string {
  try {
    // Another spelling of "the last Friday of the month".
    return cronstrue.toString(expression.replaceAll(/(\w)#L/g, "$1L"), { use24HourTimeFormat: true });
  } catch {
    return `By the cron expression ${expression}`;
  }
}

/** The rule as people may write it again: an ISO instant, `every 15m`, a cron expression, or the calendar in words. */
export function showRule(rule: Rule): string {
  switch (rule.kind) {
    case "once":
      return new Date(rule.at).toISOString();
    case "interval":
      return `every ${shortLength(rule.everyMs)}`;
    case "cron":
      return rule.expression;
    case "calendar":
      return describeCalendar(rule).toLowerCase();
  }
}

/** An instant as a wall clock shows it: `Mon 30 Nov 2026, 09:00`. */
export function showLocal(at: number, zone: string): string {
  const local = localTime(at, zone);
  const day = DAYS[local.dayOfWeek - 1] ?? "";
  const seconds = local.second === 0 ? "" : `:${String(local.second).padStart(2, "0")}`;
  return `${day.slice(0, 3)} ${local.day} ${MONTHS[local.month - 1] ?? ""} ${local.year}, ${showTime(local)}${seconds}`;
}

/**
 * Fires in local time, one to a line; where the clock was changed since the fire before (the first: since `now`), the
 * line says so.
 */
export function showFires(fires: readonly number[], zone: string, now: number): string[] {
  let before = localTime(now, zone).offsetNanoseconds;
  return fires.map((at) => {
    const offset = localTime(at, zone).offsetNanoseconds;
    const change = (offset - before) / 60e9;
    before = offset;
    if (change === 0) return showLocal(at, zone);
    const size = Math.abs(change) % 60 === 0 ? `${Math.abs(change) / 60} h` : `${Math.abs(change)} min`;
    return `${showLocal(at, zone)} (after the clock change: ${size} ${change > 0 ? "forward" : "back"})`;
  });
}

/** `2 hours`, `1 hour 30 minutes`. */
export function describeLength(ms: number): string {
  const parts = split(ms).map(([count, unit]) => (count === 1 ? `1 ${unit}` : `${count} ${unit}s`));
  return parts.join(" ").replace(/^1 (?=\w+$)/, "");
}

function shortLength(ms: number): string {
  return split(ms)
    .map(([count, unit]) => `${count}${unit[0] ?? ""}`)
    .join("");
}

function split(ms: number): [number, string][] {
  const seconds = Math.round(ms / 1000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 3600), "hour"],
    [Math.floor((seconds % 3600) / 60), "minute"],
    [seconds % 60, "second"],
  ];
  return parts.filter(([count]) => count > 0);
}

function describeCalendar(rule: CalendarRule): string {
  const times = rule.times.map(showTime).join(" and ");
  const unit = rule.every === 1 ? rule.unit : `${rule.every} ${rule.unit}s`;
  const day = Number(rule.from.slice(8));
  const names = rule.weekdays.map((weekday) => DAYS[weekday - 1] ?? "");
  if (rule.unit === "week" && rule.every === 1 && names.length === 7) return `Every day at ${times}`;
  const on = rule.unit === "week" ? ` on ${names.join(" and ")}` : rule.unit === "month" ? ` on day ${day}` : "";
  return `Every ${unit}${on} at ${times}`;
}

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
