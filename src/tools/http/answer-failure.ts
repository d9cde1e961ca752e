import { OutsideError, type OutsideCode } from "../../kernel/errors.ts";
import { parseJson } from "../../kernel/json.ts";
import type { Effect } from "../contract.ts";
import { bodyText } from "./read-answer.ts";
import type { Redactor } from "./redact.ts";
import type { HttpAnswer } from "./send.ts";

/**
 * What an unsuccessful answer means: whether another try makes sense, and one line for the model with what the service
 * said, without secrets. `asked` names the service and the request, for instance `api.example.com (GET /users)`.
 */
export function describeAnswer(
  answer: Pick<HttpAnswer, "status" | "headers" | "body">,
  about: { readonly asked: string; readonly effect: Effect; readonly redactor: Redactor; readonly now: number },
): OutsideError {
  const { status, headers } = answer;
  const { code, retry } = classify(status, about.effect);
  const ms = retry ? retryAfter(headers.get("retry-after"), about.now) : undefined;
  const unknown = about.effect === "once" && status >= 500 ? "; whether it was carried out is not known" : "";
  const wait = ms === undefined ? "" : `; to be tried again in ${Math.ceil(ms / 1000)} s`;
  const said = excerpt(answer, about.redactor);
  return new OutsideError(
    `${about.asked} answered ${status}${wait}${unknown}${said === "" ? "" : `. It said: ${said}`}`,
    { code, retry: retry ? { kind: "after", ...(ms === undefined ? {} : { ms }) } : { kind: "never" } },
  );
}

const CODES: ReadonlyMap<number, OutsideCode> = new Map([
  [401, "unauthorized"],
  [402, "quota-exhausted"],
  [403, "forbidden"],
  [404, "not-found"],
  [408, "timeout"],
  [410, "not-found"],
  [413, "too-large"],
  [429, "rate-limited"],
]);

function classify(status: number, effect: Effect): { readonly code: OutsideCode; readonly retry: boolean } {
  if (status < 400) return { code: "failed", retry: false };
  // Refused before anything was done, so trying again is safe for every effect.
  if (status === 429) return { code: "rate-limited", retry: true };
  const passing = status >= 500 || status === 408 || status === 425;
  const code = CODES.get(status) ?? (passing ? "unavailable" : "bad-request");
  return { code, retry: passing && status !== 501 && effect !== "once" };
}

const DAY_MS = 86_400_000;

/** Seconds or a date; undefined when it is neither. */
function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\s*(\d+)\s*$/.exec(header)?.[1];
  const ms = seconds === undefined ? Date.parse(header) - now : Number(seconds) * 1000;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), DAY_MS);
}

const MAX_EXCERPT_CHARS = 400;

function excerpt(answer: Pick<HttpAnswer, "headers" | "body">, redactor: Redactor): string {
  const text = bodyText(answer) ?? "";
  const said = redactor
    .text(messageIn(text) ?? text)
    .replaceAll(/\s+/g, " ")
    .trim();
  return said.length > MAX_EXCERPT_CHARS ? `${said.slice(0, MAX_EXCERPT_CHARS).toWellFormed()}…` : said;
}

/** The sentence for people in the error forms most services use. */
function messageIn(text: string): string | undefined {
  const body = parseJson(text);
  const error = property(body, "error");
  const candidates = [
    property(error, "message"),
    property(body, "message"),
    property(body, "error_description"),
    property(body, "detail"),
    error,
    property(body, "title"),
  ];
  return candidates.find((one): one is string => typeof one === "string" && one !== "");
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
