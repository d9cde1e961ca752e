/** Takes the secrets of one call out of what comes back from it: a service may repeat what it was sent. */
export interface Redactor {
  text(text: string): string;
  /** The same for every text inside a JSON value. */
  value(value: unknown): unknown;
}

// Shorter ones are too common: taking them out would damage answers and hide nothing.
const MIN_CHARS = 4;

/** Builds a redactor for these values, as they are and as they look in addresses, JSON and headers. */
export function createRedactor(secrets: readonly string[]): Redactor {
  const forms = secrets
    .filter((secret) => secret.length >= MIN_CHARS)
    .flatMap(formsOf)
    // The longest first, so that a secret inside another one does not leave the rest of the longer one standing.
    .toSorted((one, other) => other.length - one.length);
  const text = (from: string) => forms.reduce((clean, form) => clean.replaceAll(form, "[secret]"), from);
  const value = (from: unknown): unknown => {
    if (typeof from === "string") return text(from);
    if (Array.isArray(from)) return from.map(value);
    if (typeof from !== "object" || from === null) return from;
    return Object.fromEntries(Object.entries(from).map(([key, inner]) => [text(key), value(inner)]));
  };
  return { text, value };
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    encodeURIComponent(secret.toWellFormed()),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString("base64"),
    bytes.toString("base64url"),
  ];
}
