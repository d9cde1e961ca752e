import { createHash } from "node:crypto";
import { parseJson } from "../kernel/json.ts";
import { z } from "zod";
import { ApiError } from "./errors.ts";

/** A page as the API shows it. */
export interface Page<Item> {
  data: Item[];
  has_more: boolean;
  next_cursor: string | null;
}

/** A list that is always shown whole. */
export function wholePage<Item>(items: readonly Item[]): Page<Item> {
  return { data: [...items], has_more: false, next_cursor: null };
}

/**
 * The page after `cursor` of a list that is at hand, oldest first. The cursor names the last item of the page before, so
 * items that were added or dropped meanwhile shift nothing. Throws `invalid_request` when that item is gone. Pure.
 */
export function pageOfList<Item>(
  items: readonly Item[],
  idOf: (item: Item) => string,
  query: { readonly limit: number; readonly cursor?: string | undefined },
): Page<Item> {
  const from = query.cursor === undefined ? 0 : indexAfter(items.map(idOf), decode(query.cursor, lastSchema));
  const data = items.slice(from, from + query.limit);
  const last = data.at(-1);
  const more = from + data.length < items.length;
  return { data, has_more: more, next_cursor: more && last !== undefined ? encode(idOf(last)) : null };
}

/** What to ask of a list that is kept newest first, for one page of it. */
export interface TimedQuery {
  readonly limit: number;
  /** Exclusive. */
  readonly before?: number;
  /** Marks of the items that earlier pages showed of the latest time asked for. */
  readonly shown: readonly string[];
}

/** Reads the cursor of a list that is asked for by time. Throws `invalid_request` for what was never a cursor. Pure. */
export function parseTimedQuery(query: { readonly limit: number; readonly cursor?: string | undefined }): TimedQuery {
  if (query.cursor === undefined) return { limit: query.limit + 1, shown: [] };
  const { at, shown } = decode(query.cursor, timedSchema);
  // Several items may have the same time: the last one's is asked for again, without what was shown of it.
  return { limit: query.limit + shown.length + 1, before: at + 1, shown };
}

/** The page from what was found for {@link parseTimedQuery}. Pure. */
export function pageOfTimed<Item>(
  found: readonly Item[],
  query: TimedQuery,
  limit: number,
  { idOf, atOf }: { readonly idOf: (item: Item) => string; readonly atOf: (item: Item) => number },
): Page<Item> {
  const shown = new Set(query.shown);
  const fresh = found.filter((item) => !shown.has(markOf(idOf(item))));
  const data = fresh.slice(0, limit);
  const last = data.at(-1);
  if (fresh.length <= limit || last === undefined) return { data, has_more: false, next_cursor: null };
  const at = atOf(last);
  const sameTime = data.filter((item) => atOf(item) === at).map((item) => markOf(idOf(item)));
  const earlier = query.before === at + 1 ? query.shown : [];
  return { data, has_more: true, next_cursor: encode({ at, shown: [...earlier, ...sameTime] }) };
}

const lastSchema = z.string();
const timedSchema = z.object({ at: z.number(), shown: z.array(z.string()) });

// Cursors travel in URLs, and ids may be long.
function markOf(id: string): string {
  return createHash("sha256").update(id).digest("base64url").slice(0, 12);
}

function indexAfter(ids: readonly string[], last: string): number {
  const index = ids.indexOf(last);
  if (index < 0) throw unusable("what it points to is no longer there; begin without it");
  return index + 1;
}

function encode(value: z.input<typeof lastSchema> | z.input<typeof timedSchema>): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function decode<Schema extends z.ZodType>(cursor: string, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(parseJson(Buffer.from(cursor, "base64url").toString()));
  if (!parsed.success) throw unusable("is not a next_cursor of this list");
  return parsed.data;
}

function unusable(why: string): ApiError {
  return new ApiError({ status: 400, code: "invalid_request", message: `cursor: ${why}` });
}
