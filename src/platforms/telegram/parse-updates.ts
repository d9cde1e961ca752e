import { z } from "zod";
import { describeError } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/ports.ts";
import { updateSchema, type TelegramUpdate } from "./update-schema.ts";

const anyUpdate = z.looseObject({ update_id: z.number().int() });

/**
 * Reads what Telegram sent. One update that cannot be read is logged, with its number and without its content, and
 * passed over: it must not stop those behind it. `last` counts it too.
 */
export function parseUpdates(
  raw: readonly unknown[],
  log: Log,
): { readonly updates: readonly TelegramUpdate[]; readonly last: number | undefined } {
  const updates: TelegramUpdate[] = [];
  let last: number | undefined;
  for (const each of raw) {
    const id = anyUpdate.safeParse(each).data?.update_id;
    if (id !== undefined) last = Math.max(last ?? id, id);
    const parsed = updateSchema.safeParse(each);
    if (parsed.success) updates.push(parsed.data);
    else log.error({ update: id, error: describeError(parsed.error) }, "an update of Telegram could not be read");
  }
  return { updates: updates.toSorted((a, b) => a.update_id - b.update_id), last };
}
