import { createHash } from "node:crypto";
import { z } from "zod";
import type { WorkspaceId } from "../kernel/ids.ts";
import type { Clock } from "../kernel/ports.ts";
import type { RedisConnection } from "./connection.ts";
import { createShelf } from "./shelf.ts";

/** The full text of tool results that are too long for the journal, for a while. */
export interface ResultStore {
  /** Keeps a text under a reference made from `key`; safe to repeat. What is beyond the limit of one text is left out. */
  keep(
    workspaceId: WorkspaceId,
    result: { readonly key: string; readonly text: string },
  ): Promise<{ readonly reference: string; readonly chars: number }>;
  /** Undefined when it is not kept any more. */
  read(workspaceId: WorkspaceId, reference: string): Promise<string | undefined>;
  /** Deletes all results of a person. */
  eraseResults(workspaceId: WorkspaceId): Promise<void>;
}

const MAX_BYTES = 10_000_000;
const LIMITS = { maxBytes: MAX_BYTES, quotaBytes: 5 * MAX_BYTES, quotaFiles: 100, keepMs: 24 * 3_600_000 };

/** Keeps results in Redis for a day; of each person at most 50 MB, where older ones make room for newer. */
export function createResultStore(
  redis: RedisConnection,
  { clock }: { readonly clock: Pick<Clock, "now"> },
): ResultStore {
  const shelf = createShelf(redis, {
    kind: "result",
    about: z.object({}),
    limits: () => LIMITS,
    whenFull: "drop-oldest",
    clock,
  });
  return {
    async keep(workspaceId, { key, text }) {
      const reference = `res_${createHash("sha256").update(key).digest("hex").slice(0, 16)}`;
      const content = fitting(text);
      const put = await shelf.put(workspaceId, { id: reference, content, about: {} });
      // The limits above let everything in that fits.
      if (!("file" in put)) throw new Error(`The result ${reference} was not kept: ${put.kind}`);
      return { reference, chars: content.toString().length };
    },
    async read(workspaceId, reference) {
      return (await shelf.read(workspaceId, reference))?.toString();
    },
    eraseResults: (workspaceId) => shelf.erase(workspaceId),
  };
}

function fitting(text: string): Buffer {
  const whole = Buffer.from(text.toWellFormed());
  if (whole.length <= MAX_BYTES) return whole;
  let end = MAX_BYTES;
  // Back to where a character begins.
  while (((whole[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return whole.subarray(0, end);
}
