const SHORTEST = 6;
const SHOWN = "[secret]";

/**
 * Takes known secrets out of what a server sent, texts inside data included: a server can repeat what it was given. Very
 * short secrets are left, because ordinary text would be full of them.
 */
export function scrub(value: unknown, secrets: readonly string[]): unknown {
  const telling = secrets.filter((secret) => secret.length >= SHORTEST);
  return telling.length === 0 ? value : scrubAll(value, telling);
}

/** The same for a text. */
export function scrubText(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= SHORTEST)
    .reduce((rest, secret) => rest.replaceAll(secret, SHOWN), text);
}

function scrubAll(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === "string") return scrubText(value, secrets);
  if (Array.isArray(value)) return value.map((each) => scrubAll(each, secrets));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [scrubText(key, secrets), scrubAll(each, secrets)]),
  );
}
