/** Replaces every occurrence of known secrets in a text. */
export type Redact = (text: string) => string;

/** Builds a {@link Redact} for these secrets, as they are, URL-encoded and JSON-escaped; empty ones are left out. */
export function createRedact(secrets: readonly string[]): Redact {
  const needles = secrets
    .filter((secret) => secret !== "")
    .flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])
    // Longest first, so that a secret inside another one does not leave the rest of the longer one standing.
    .sort((a, b) => b.length - a.length);
  return (text) => needles.reduce((clean, needle) => clean.replaceAll(needle, "[key]"), text);
}

/**
 * A copy of an error that may be logged: its name, message and causes without the secrets, and nothing else. Library
 * errors carry request headers and response bodies as properties, which a logger would print.
 */
export function redactedCause(error: unknown, redact: Redact, depth = 0): Error {
  const text = error instanceof Error ? error.message : String(error);
  const copy = new Error(redact(text).slice(0, 500));
  // Its own stack would point here and the original's repeats the message with the secret.
  delete copy.stack;
  if (!(error instanceof Error)) return copy;
  copy.name = error.name;
  if (error.cause !== undefined && depth < 4) copy.cause = redactedCause(error.cause, redact, depth + 1);
  return copy;
}
