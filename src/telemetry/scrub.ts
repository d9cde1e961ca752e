/** Takes secrets out of text: values it was told, and whatever looks like a credential. */
export interface Scrubber {
  /** From now on this value is left out, also where it is encoded. Values under 4 characters are too common for that. */
  addSecret(value: string): void;
  /** The text with `[secret]` in place of every secret. */
  scrub(text: string): string;
}

/** What is written in place of a secret. */
export const SECRET_MARK = "[secret]";

const MIN_SECRET_CHARS = 4;

/** Builds a scrubber that knows these values. */
export function createScrubber(secrets: Iterable<string>): Scrubber {
  const forms = new Set<string>();
  let known: RegExp | undefined;
  const addSecret = (value: string): void => {
    if (value.length < MIN_SECRET_CHARS) return;
    for (const form of formsOf(value)) forms.add(form);
    // The longest first, so that a secret that begins with another one goes as a whole.
    known = new RegExp(
      [...forms]
        .toSorted((a, b) => b.length - a.length)
        .map(escapeForRegExp)
        .join("|"),
      "g",
    );
  };
  for (const secret of secrets) addSecret(secret);
  return {
    addSecret,
    scrub: (text) => {
      let scrubbed = known === undefined ? text : text.replace(known, SECRET_MARK);
      for (const [pattern, replacement] of CREDENTIALS) scrubbed = scrubbed.replace(pattern, replacement);
      return scrubbed;
    },
  };
}

// The ways a value turns up in addresses, in JSON inside text, and in headers.
function formsOf(value: string): readonly string[] {
  return [
    value,
    encodeURIComponent(value.toWellFormed()),
    JSON.stringify(value).slice(1, -1),
    Buffer.from(value).toString("base64"),
    Buffer.from(value).toString("base64url"),
  ];
}

function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}

// Every repetition has an end, or a long line without blanks would take time that grows with its square.
const CREDENTIALS: readonly (readonly [RegExp, string])[] = [
  // user:password@ in an address
  [/\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#"'<>]{0,1000}@/gi, `$1${SECRET_MARK}@`],
  // Authorization headers
  [/\b(bearer)\s{1,5}[\w.~+/=-]{8,4000}/gi, `$1 ${SECRET_MARK}`],
  [/\b(basic)\s{1,5}[A-Za-z0-9+/]{16,4000}={0,2}/gi, `$1 ${SECRET_MARK}`],
  // ?token=… and password=…
  [
    /\b((?:[\w-]{0,40}[_-])?(?:api_?key|access_?key|token|password|passwd|secret|signature)=)[^\s&"'<>]{1,4000}/gi,
    `$1${SECRET_MARK}`,
  ],
  // "token": "…" in JSON that was put into text
  [
    /("(?:[\w-]{0,40}[_-])?(?:api_?key|access_?key|token|password|passwd|secret|authorization)"\s{0,5}:\s{0,5}")[^"]{1,4000}/gi,
    `$1${SECRET_MARK}`,
  ],
  // keys by the shape their makers gave them: OpenAI and ours, Slack, Telegram
  [/\b(?:sk|pk|xox[a-z]|xapp)[_-][\w-]{16,400}/g, SECRET_MARK],
  [/(?<!\d)\d{8,10}:AA[\w-]{33}/g, SECRET_MARK],
];
