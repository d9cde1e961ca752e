import { describeError } from "../kernel/errors.ts";
import { openCron } from "./occurrences.ts";
import { ask, refuse, rule, type Reading } from "./reading.ts";

const NICKNAMES: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

const NAMES = /(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)/gi;

/**
 * Reads a cron expression of five or six fields (seconds first), or a form such as `@daily`; undefined when the text is
 * none. When both day fields are set, either of them is enough, as in cron.
 */
export function readCron(text: string, zone: string): Reading | undefined {
  if (text.startsWith("@")) {
    const expression = NICKNAMES[text.toLowerCase()];
    if (expression !== undefined) return rule({ kind: "cron", expression });
    return refuse(`${quote(text)} is not known; use ${Object.keys(NICKNAMES).join(", ")}`);
  }
  const stated = /^cron:?\s+/i.exec(text);
  const fields = text
    .slice(stated?.[0].length ?? 0)
    .split(/\s+/)
    .filter((field) => field !== "");
  if (stated === null && !looksLikeCron(fields)) return undefined;
  if (fields.length !== 5 && fields.length !== 6)
    return refuse(`A cron expression has five fields, or six with seconds first; this one has ${fields.length}`);
  const expression = fields.map(canonicalField).join(" ");
  const odd = fields.find((field) => field.includes("+"));
  if (odd !== undefined) return refuse(`The cron field ${quote(odd)} holds a character that has no meaning here`);
  let fires: Date | null;
  try {
    fires = openCron(expression, zone).nextRun();
  } catch (error) {
    return refuse(explain(error, fields));
  }
  if (fires === null) return refuse("This cron expression never fires: no such date exists");
  return rule({ kind: "cron", expression });
}

/** As {@link readCron}; a four-field expression is near enough to one to be asked about. */
export function readNearlyCron(text: string): Reading | undefined {
  const fields = text.split(/\s+/);
  if (fields.length !== 4 || !fields.every(isField) || !fields.includes("*")) return undefined;
  return ask("A cron expression has five fields and this one has four. Which is meant?", [`${text} *`, `0 ${text}`]);
}

function looksLikeCron(fields: readonly string[]): boolean {
  if (fields.length < 5 || fields.length > 7) return false;
  return fields.every(isField) && fields.some((field) => /[*\d?]/.test(field));
}

function isField(field: string): boolean {
  const rest = field.replaceAll(NAMES, "").replaceAll(/[LW]/gi, "");
  return /^[\d*?,\-/#+]*$/.test(rest);
}

function canonicalField(field: string): string {
  return field === "?" ? "*" : field.toUpperCase();
}

function explain(error: unknown, fields: readonly string[]): string {
  const said = describeError(error).replace(/^CronPattern: /, "");
  const [, name, value] = /^Invalid value for (\w+): (.+)$/.exec(said) ?? [];
  const label = name === undefined ? undefined : LABELS[name];
  // Days and months are reported counted from 0.
  const shift = name === "day" || name === "month" ? 1 : 0;
  if (label !== undefined) return `The cron field for the ${label} cannot be ${Number(value) + shift}`;
  return `The cron expression ${quote(fields.join(" "))} cannot be read: ${said}`;
}

const LABELS: Readonly<Record<string, string>> = {
  second: "second",
  minute: "minute",
  hour: "hour",
  day: "day of the month",
  month: "month",
  dayOfWeek: "day of the week",
};

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
