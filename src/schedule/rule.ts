/** A time of day as clocks on the wall show it. */
export interface ClockTime {
  readonly hour: number;
  readonly minute: number;
}

/**
 * When a schedule fires, without its zone. `once` is one instant; `interval` counts real time from its anchor and knows
 * no clock changes; `cron` and `calendar` are read on the clock of the zone. A calendar rule is what cron cannot say:
 * every second week, or two unlike times in a day.
 */
export type Rule =
  | { readonly kind: "once"; readonly at: number }
  | { readonly kind: "interval"; readonly everyMs: number; readonly anchor: number }
  | { readonly kind: "cron"; readonly expression: string }
  | CalendarRule;

export interface CalendarRule {
  readonly kind: "calendar";
  readonly every: number;
  readonly unit: "day" | "week" | "month";
  /** `YYYY-MM-DD`: a day, or a day of the week or month, on which it fires. */
  readonly from: string;
  /** For weeks: ISO weekdays, 1 is Monday. */
  readonly weekdays: readonly number[];
  readonly times: readonly ClockTime[];
}

/** The rule in few characters, for storage: read it with {@link parseRuleText}. */
export function ruleText(rule: Rule): string {
  switch (rule.kind) {
    case "once":
      return `@${rule.at.toString(36)}`;
    case "interval":
      return `~${rule.everyMs.toString(36)}/${rule.anchor.toString(36)}`;
    case "cron":
      return rule.expression;
    case "calendar": {
      const times = rule.times.map(showTime).join(",");
      return `%${rule.every}${rule.unit[0] ?? ""}${rule.weekdays.join("")}/${rule.from}/${times}`;
    }
  }
}

/** Reads what {@link ruleText} wrote; undefined for damage. Cron expressions are not checked here. */
export function parseRuleText(text: string): Rule | undefined {
  const once = /^@([0-9a-z]+)$/.exec(text);
  if (once?.[1] !== undefined) return { kind: "once", at: Number.parseInt(once[1], 36) };
  const interval = /^~([0-9a-z]+)\/([0-9a-z]+)$/.exec(text);
  if (interval?.[1] !== undefined && interval[2] !== undefined)
    return {
      kind: "interval",
      everyMs: Number.parseInt(interval[1], 36),
      anchor: Number.parseInt(interval[2], 36),
    };
  if (!text.startsWith("%")) return text === "" ? undefined : { kind: "cron", expression: text };
  const [, every, letter, days = "", from, times = ""] =
    /^%(\d+)([dwm])([1-7]*)\/(\d{4}-\d\d-\d\d)\/([\d:,]+)$/.exec(text) ?? [];
  if (every === undefined || letter === undefined || from === undefined) return undefined;
  return {
    kind: "calendar",
    every: Number(every),
    unit: letter === "d" ? "day" : letter === "w" ? "week" : "month",
    from,
    weekdays: days.split("").map(Number),
    times: times.split(",").map((time) => ({ hour: Number(time.slice(0, 2)), minute: Number(time.slice(3, 5)) })),
  };
}

/** `09:05` */
export function showTime({ hour, minute }: ClockTime): string {
  return `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
}
