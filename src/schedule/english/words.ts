const NUMBERS: Readonly<Record<string, number>> = {
  a: 1,
  an: 1,
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  eleven: 11,
  twelve: 12,
  fifteen: 15,
  twenty: 20,
  thirty: 30,
  forty: 40,
  "forty-five": 45,
  fifty: 50,
  sixty: 60,
  ninety: 90,
};

/** Matches a whole number in digits or words. */
export const NUMBER = `(?:\\d{1,5}|${Object.keys(NUMBERS)
  .toSorted((a, b) => b.length - a.length)
  .join("|")})`;

/** The value of what {@link NUMBER} matched. */
export function numberOf(text: string): number {
  return NUMBERS[text] ?? Number(text);
}

const SECOND = 1_000;
const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^(?:s|secs?|seconds?)$/, SECOND],
  [/^(?:m|mins?|minutes?)$/, 60 * SECOND],
  [/^(?:h|hrs?|hours?)$/, 3_600 * SECOND],
  [/^(?:d|days?)$/, 86_400 * SECOND],
  [/^(?:w|wks?|weeks?)$/, 7 * 86_400 * SECOND],
];

/** A length of time such as `1h30m`, `90 minutes`, `an hour and a half`, in milliseconds; undefined for anything else. */
export function durationOf(text: string): number | undefined {
  const phrase = text
    .replace(/^(?:half an hour|a half hour|half hour)$/, "30 minutes")
    .replace(/^(?:a |an )?quarter of an hour$/, "15 minutes")
    .replace(/^(?:an? |one |1 )?hour and a half$/, "90 minutes")
    .replace(/^(\d+) and a half hours$/, (_all, hours: string) => `${Number(hours) * 60 + 30} minutes`);
  const piece = new RegExp(`(${NUMBER}) ?([a-z]+)(?:,? and |, ?| |$|(?=\\d))`, "y");
  let total = 0;
  while (piece.lastIndex < phrase.length) {
    const found = piece.exec(phrase);
    const unit = UNITS.find(([name]) => name.test(found?.[2] ?? ""))?.[1];
    if (found === null || unit === undefined) return undefined;
    total += numberOf(found[1] ?? "") * unit;
  }
  return total > 0 ? total : undefined;
}

const SHORT = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/** Matches a weekday, short or long, one or many. */
export const WEEKDAY =
  "(?:mon(?:days?)?|tue(?:s|sdays?)?|wed(?:nesdays?)?|thu(?:rs?|rsdays?)?|fri(?:days?)?|sat(?:urdays?)?|sun(?:days?)?)";
const WEEKDAY_ONLY = new RegExp(`^${WEEKDAY}$`);

/** The ISO number of a weekday, 1 for Monday; undefined for another word. */
export function weekdayOf(word: string): number | undefined {
  if (!WEEKDAY_ONLY.test(word)) return undefined;
  const index = SHORT.indexOf(word.slice(0, 3));
  return index < 0 ? undefined : index + 1;
}

const RANGE = /-|–/;

/** `monday and thursday`, `mon-fri`, `weekdays`: ISO weekdays in order, undefined when it is no such list. */
export function weekdaysOf(text: string): number[] | undefined {
  if (/^(?:weekdays?|workdays?|working days?|business days?)$/.test(text)) return [1, 2, 3, 4, 5];
  if (/^(?:weekends?)$/.test(text)) return [6, 7];
  const days = new Set<number>();
  for (const piece of text.replaceAll(/ (?:to|through|until|till) /g, "-").split(/, ?and |, ?| and | & |\/| /)) {
    const [first = "", last] = piece.split(RANGE);
    const from = weekdayOf(first);
    const to = last === undefined ? from : weekdayOf(last);
    if (from === undefined || to === undefined) return undefined;
    for (let day = from; ; day = (day % 7) + 1) {
      days.add(day);
      if (day === to) break;
    }
  }
  return [...days].toSorted((a, b) => a - b);
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/** Matches the name of a month, short or long. */
export const MONTH =
  "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";

/** The number of a month, from 1. */
export function monthOf(word: string): number {
  return MONTHS.indexOf(word.slice(0, 3)) + 1;
}

const ORDINALS: Readonly<Record<string, number>> = { first: 1, second: 2, third: 3, fourth: 4, fifth: 5 };
/** Matches `1st`, `first`, `31st`. */
export const ORDINAL = `(?:\\d{1,2}(?:st|nd|rd|th)|${Object.keys(ORDINALS).join("|")})`;

/** The value of what {@link ORDINAL} matched. */
export function ordinalOf(text: string): number {
  return ORDINALS[text] ?? Number.parseInt(text, 10);
}
