import { showTime, type ClockTime } from "../rule.ts";

/** What a text says of times of day. */
export type TimesReading =
  | { readonly kind: "times"; readonly times: readonly ClockTime[] }
  /** One of the times may be meant in two ways. `token` is how it was written, `options` how to write it clearly. */
  | { readonly kind: "ambiguous"; readonly token: string; readonly options: readonly string[] }
  | { readonly kind: "impossible"; readonly token: string };

/** A phrase split into what it says of days and what it says of times. */
export interface SplitPhrase {
  readonly head: string;
  readonly times: TimesReading | undefined;
}

export type Daypart = "morning" | "afternoon" | "evening" | "night";

const PART = "(?: (?:in the (?:morning|afternoon|evening)|at night))?";
const CLOCK = String.raw`\d{1,2}[:.]\d{2}(?: ?[ap]\.?m\.?)?|\d{1,2} ?[ap]\.?m\.?|noon|midday|midnight`;
const LOOSE = String.raw`(?:${CLOCK}|\d{1,2}(?: ?o'?clock)?(?: ?h)?)${PART}`;
const STRICT = `(?:${CLOCK})${PART}`;
const list = (first: string) => `${first}(?:(?:, ?and |, ?| and )(?:at )?${LOOSE})*`;

const TAIL = new RegExp(`^(?:(.*?)[ ,]+)?(?:(?:at|@) ?(${list(LOOSE)})|(${list(STRICT)}))$`);
const FRONT = new RegExp(`^(?:at ?(${list(LOOSE)})|(${list(STRICT)}))[ ,]+(.+)$`);

/** Splits off the times at the end of a phrase, or at its beginning ("at 9 every day"). */
export function splitTimes(phrase: string, daypart?: Daypart): SplitPhrase {
  const tail = TAIL.exec(phrase);
  if (tail !== null) return { head: (tail[1] ?? "").trim(), times: readTimes(tail[2] ?? tail[3] ?? "", daypart) };
  const front = FRONT.exec(phrase);
  if (front !== null) return { head: (front[3] ?? "").trim(), times: readTimes(front[1] ?? front[2] ?? "", daypart) };
  return { head: phrase, times: undefined };
}

function readTimes(text: string, daypart: Daypart | undefined): TimesReading {
  const times: ClockTime[] = [];
  for (const token of text.split(/, ?and |, ?| and /)) {
    const read = readTime(token.replace(/^at /, "").trim(), daypart);
    if (!("hour" in read)) return read;
    times.push(read);
  }
  const unique = new Map(times.map((time) => [showTime(time), time]));
  return { kind: "times", times: [...unique.keys()].toSorted().flatMap((key) => unique.get(key) ?? []) };
}

function readTime(token: string, given: Daypart | undefined): ClockTime | Exclude<TimesReading, { kind: "times" }> {
  if (token === "noon" || token === "midday") return { hour: 12, minute: 0 };
  if (token === "midnight") return { hour: 0, minute: 0 };
  const [, hours = "", minutes, half, part] =
    /^(\d{1,2})(?:[:.](\d{2}))? ?(?:([ap])\.?m\.?)?(?:o'?clock|h)?(?: (?:in the|at) (morning|afternoon|evening|night))?$/.exec(
      token,
    ) ?? [];
  if (hours === "") return { kind: "impossible", token };
  const hour = Number(hours);
  const minute = Number(minutes ?? 0);
  const impossible = { kind: "impossible", token } as const;
  if (minute > 59 || hour > 23) return impossible;
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return impossible;
    return { hour: (hour % 12) + (half === "p" ? 12 : 0), minute };
  }
  const daypart = part ?? given;
  if (daypart !== undefined) return { hour: inDaypart(hour, daypart), minute };
  // From 7 on a bare hour is read on a 24-hour clock; below, most people mean the afternoon and some do not.
  if (minutes === undefined && hour >= 1 && hour <= 6)
    return { kind: "ambiguous", token, options: [`${hour}am`, `${hour}pm`] };
  return { hour, minute };
}

function inDaypart(hour: number, daypart: string): number {
  if (daypart === "morning") return hour === 12 ? 0 : hour;
  if (daypart === "night" && (hour < 5 || hour === 12)) return hour % 12;
  return hour < 12 ? hour + 12 : hour;
}
