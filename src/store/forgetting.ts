import { z } from "zod";
import type { WorkspaceId } from "../kernel/ids.ts";
import type { Counts } from "../kernel/personal-data.ts";
import type { RedisConnection } from "./connection.ts";
import { defineScript } from "./script.ts";

/** What was deleted of a person and what was not. */
export interface Receipt {
  /** Deleted things by kind. */
  readonly deleted: Counts;
  /** What stays for a while and why, in sentences. */
  readonly kept: readonly string[];
  /** True when an attempt broke off in the middle and a later one finished it. */
  readonly interrupted: boolean;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** How far the forgetting of a person has come, so that one that broke off is finished and counted right. */
export interface ForgettingStore {
  /**
   * Notes what there is to delete before anything is deleted. `operation` names the request and `attempt` this try at
   * it. An unfinished forgetting is gone on with, under its first plan; a finished one gives its receipt.
   */
  begin(
    person: WorkspaceId,
    request: { readonly operation: string; readonly attempt: string; readonly plan: Counts },
  ): Promise<
    | { readonly kind: "begun" | "resumed"; readonly plan: Counts }
    | { readonly kind: "finished"; readonly receipt: Receipt }
  >;
  finish(person: WorkspaceId, receipt: Receipt): Promise<void>;
}

const UNFINISHED_MS = 7 * 86_400_000;
const FINISHED_MS = 48 * 3_600_000;

const countsSchema = z.record(z.string(), z.number());
const receiptSchema = z.object({
  deleted: countsSchema,
  kept: z.array(z.string()),
  interrupted: z.boolean(),
  at: z.number(),
});

const beginForgetting = defineScript({
  file: new URL("./scripts/begin-forgetting.lua", import.meta.url),
  keys: ["progress"],
  args: ["operation", "attempt", "plan", "keepMs"],
  reply: z.tuple([z.enum(["begun", "resumed", "finished"]), z.string()]),
});

/** Keeps the progress in Redis, one hash for each person who is being forgotten; the receipt two days. */
export function createForgettingStore(redis: RedisConnection): ForgettingStore {
  return {
    async begin(person, { operation, attempt, plan }) {
      const [kind, text] = await beginForgetting.run(
        redis,
        { progress: keyOf(person) },
        { operation, attempt, plan: JSON.stringify(plan), keepMs: UNFINISHED_MS },
      );
      return kind === "finished"
        ? { kind, receipt: receiptSchema.parse(JSON.parse(text)) }
        : { kind, plan: countsSchema.parse(JSON.parse(text)) };
    },
    async finish(person, receipt) {
      await redis.hset(keyOf(person), "receipt", JSON.stringify(receipt));
      await redis.pexpire(keyOf(person), FINISHED_MS);
    },
  };
}

function keyOf(person: WorkspaceId): string {
  return `{ws:${person}}:forgetting`;
}
