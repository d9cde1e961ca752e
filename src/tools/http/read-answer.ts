import { OutsideError } from "../../kernel/errors.ts";
import { decodeText, pageToText, textKindOf } from "../page-text.ts";
import { renderToolResult } from "../result.ts";
import { pickFrom } from "./json-path.ts";
import type { ResultRule } from "./schema.ts";
import type { HttpAnswer } from "./send.ts";

/**
 * What the model gets of a successful answer: JSON as data, a page as the words on it, other text as it is, anything
 * else described. Throws `OutsideError` that begins with `from` when the answer cannot be read as the rule says.
 */
export function readAnswer(answer: HttpAnswer, rule: ResultRule | undefined, from: string): unknown {
  if (answer.body.length === 0) return `done (status ${answer.status}, no content)`;
  return pick(wantsJson(answer, rule) ? readJson(answer, from) : readText(answer), rule);
}

/** The value, or, when it is longer than `maxChars` as text, the beginning of that text with a note. */
export function capResult(value: unknown, maxChars: number): unknown {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length <= maxChars ? value : renderToolResult(value, maxChars);
}

/** The body for a reader: a page as the words on it; undefined when it is not text. */
export function bodyText({ body, headers }: Pick<HttpAnswer, "body" | "headers">): string | undefined {
  const { mimeType, charset } = contentType(headers);
  const kind = textKindOf(mimeType);
  if (kind === undefined) return undefined;
  const decoded = decodeText(body, charset, kind);
  return kind === "html" ? pageToText(decoded, "about:blank").text : decoded;
}

function wantsJson({ headers }: HttpAnswer, rule: ResultRule | undefined): boolean {
  if (rule?.as !== undefined) return rule.as === "json";
  if (rule?.pick !== undefined || rule?.each !== undefined) return true;
  return /^(?:application|text)\/(?:[\w.-]+\+)?json$/.test(contentType(headers).mimeType);
}

function readJson({ body, cut }: HttpAnswer, from: string): unknown {
  if (cut) throw new OutsideError(`${from} with more than ${body.length} bytes`, { code: "too-large" });
  try {
    const value: unknown = JSON.parse(decodeText(body, "utf-8", "plain"));
    return value;
  } catch {
    // Without `cause`: the engine's message quotes the body.
    throw new OutsideError(`${from} with something that is not JSON`, { code: "garbled" });
  }
}

function readText(answer: HttpAnswer): string {
  const text = bodyText(answer);
  if (text !== undefined) return answer.cut ? `${text}\n[cut: the answer goes on]` : text;
  const size = answer.cut ? `more than ${answer.body.length}` : answer.body.length;
  return `(${size} bytes of type ${contentType(answer.headers).mimeType}; not text)`;
}

function pick(value: unknown, rule: ResultRule | undefined): unknown {
  if (rule === undefined) return value;
  if (rule.each === undefined) return pickOne(value, rule.pick);
  const found = pickFrom(value, rule.each);
  return Array.isArray(found) ? found.map((one) => pickOne(one, rule.pick)) : [];
}

function pickOne(value: unknown, rule: ResultRule["pick"]): unknown {
  if (rule === undefined) return value;
  if ("path" in rule) return pickFrom(value, rule.path);
  return Object.fromEntries(Object.entries(rule.paths).map(([name, path]) => [name, pickFrom(value, path)]));
}

const MIME_TYPE = /^[\w.+-]{1,60}\/[\w.+-]{1,100}$/;

function contentType(headers: HttpAnswer["headers"]): {
  readonly mimeType: string;
  readonly charset: string | undefined;
} {
  const [first = "", ...parameters] = (headers.get("content-type") ?? "").split(";");
  const type = first.trim().toLowerCase();
  const charset = parameters.map((each) => /^\s*charset\s*=\s*"?([^"\s]+)"?\s*$/i.exec(each)?.[1]).find(Boolean);
  return { mimeType: MIME_TYPE.test(type) ? type : "application/octet-stream", charset };
}
