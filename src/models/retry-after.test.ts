import { expect, test } from "vitest";
import { parseRetryAfter } from "./retry-after.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");

test.each<{ headers?: Record<string, string>; text?: string; ms: number | undefined }>([
  { headers: { "retry-after": "7" }, ms: 7000 },
  { headers: { "retry-after": "0.5" }, ms: 500 },
  { headers: { "retry-after": "0" }, ms: 0 },
  { headers: { "retry-after-ms": "1234.4", "retry-after": "9" }, ms: 1235 },
  { headers: { "retry-after-ms": "soon", "retry-after": "9" }, ms: 9000 },
  { headers: { "retry-after": "Sat, 21 Nov 2026 12:00:05 GMT" }, ms: 5000 },
  { headers: { "retry-after": "Sat, 21 Nov 2026 11:59:00 GMT" }, ms: 0 },
  { headers: { "retry-after": "-3" }, ms: undefined },
  { headers: { "retry-after": "later" }, ms: undefined },
  { headers: { "retry-after": "999999" }, ms: 86_400_000 },
  { headers: { "retry-after": "2" }, text: "try again in 8s", ms: 2000 },
  { text: "please try again in 6m0s", ms: 360_000 },
  { text: "try again in 1h2m3s.", ms: 3_723_000 },
  { text: "try again in 20ms", ms: 20 },
  { text: "retry after 42 seconds.", ms: 42_000 },
  { text: "please retry in 37.2s. more words", ms: 37_200 },
  { text: "retrydelay: 12s", ms: 12_000 },
  { text: "try again in 2 minutes", ms: 120_000 },
  { text: "try again in 3 moons", ms: undefined },
  { text: "try again later", ms: undefined },
  { ms: undefined },
])("$headers $text -> $ms", ({ headers, text, ms }) => {
  expect(parseRetryAfter(headers === undefined ? undefined : new Headers(headers), text ?? "", NOW)).toBe(ms);
});
