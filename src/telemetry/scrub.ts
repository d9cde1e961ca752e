import { hideCredentials, SECRET_MARK } from "../kernel/secret-looking.ts";

/** Takes secrets out of text: values it was told, and whatever looks like a credential. */
export interface Scrubber {
  /** From now on this value is left out, also where it is encoded. Values under 4 characters are too common for that. */
  addSecret(value: string): void;
  /** The text with `[secret]` in place of every secret. */
  scrub(text: string): string;
}

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
    scrub: (text) => hideCredentials(known === undefined ? text : text.replace(known, SECRET_MARK)),
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
