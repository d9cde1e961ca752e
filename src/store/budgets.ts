import { z } from "zod";
import type { WorkspaceId } from "../kernel/ids.ts";
import type { RedisConnection } from "./connection.ts";
import { literalPattern, scanKeys } from "./scan.ts";
import { defineScript } from "./script.ts";

/** What is counted. Whole numbers, never negative. */
export interface Amount {
  readonly tokens: number;
  /** In millionths of the currency's unit. */
  readonly money: number;
  readonly steps: number;
}
export type Metric = keyof Amount;

/** The budgets that can change in one step: those of one person, or those that many people share. */
export type BudgetSlot = { readonly workspaceId: WorkspaceId } | "shared";

/** One budget in one of its periods. */
export interface BudgetLine {
  /** Unique in its slot, without white space or braces, for instance `person:day`. */
  readonly name: string;
  /** For instance `2026-11-21`; absent when it never begins anew. */
  readonly period?: string;
  /** Absent ones are counted and never refused. */
  readonly limits: Partial<Amount>;
  /** How long its counts are kept after it was last reserved in, milliseconds. */
  readonly keepMs: number;
}

/** One attempt at a step. Another nonce for the same id means that the outcome of the attempt before is not known. */
export interface Attempt {
  readonly id: string;
  readonly nonce: string;
  /** The order of the attempts, given by the person's slot. */
  readonly turn: string;
}

/** Where a limit stands: `used` of `limit` of the budget at `index` of the call's lines. */
export interface LimitMark {
  readonly index: number;
  readonly metric: Metric;
  readonly used: number;
  readonly limit: number;
}

/** What came of a reservation in one slot. */
export type ReserveReply =
  /** `near` are budgets of which 80 % are spent and nobody was told yet. */
  | { readonly kind: "reserved"; readonly turn: string; readonly near: readonly LimitMark[] }
  /** `over` are all limits the estimate would pass; nothing was held back. */
  | { readonly kind: "refused"; readonly turn: string; readonly over: readonly LimitMark[] }
  /** An attempt before this one was not ended; end it, then ask again. */
  | { readonly kind: "earlier"; readonly attempt: Attempt; readonly shared: boolean }
  /** A later attempt has been here, or this one was ended: this caller is out of date. */
  | { readonly kind: "lost" };

/** What came of ending a reservation in one slot; `amount` is what counts, whoever ended it first. */
export type CloseReply =
  | { readonly kind: "closed"; readonly amount: Amount; readonly near: readonly LimitMark[] }
  | { readonly kind: "none" }
  | { readonly kind: "lost" };

/** What a budget holds. */
export interface BudgetCounts {
  readonly spent: Amount;
  /** Held back by reservations that are not ended. */
  readonly held: Amount;
  /** Added to the limits by extensions. */
  readonly extended: Amount;
}

/** Counts and reservations, one slot at a time. Every call may be repeated. */
export interface BudgetStore {
  /** Holds back `estimate` in all of `lines` or in none. The person's slot gives the turn; the shared one is told it. */
  reserve(
    slot: BudgetSlot,
    request: {
      readonly id: string;
      readonly nonce: string;
      readonly turn?: string;
      /** Whether the shared slot gets its part too. */
      readonly shared: boolean;
      readonly estimate: Amount;
      readonly holdMs: number;
      readonly lines: readonly BudgetLine[];
    },
  ): Promise<ReserveReply>;
  /** Ends an attempt's reservation with what was spent, or with its estimate. `lines` are those to tell of 80 %. */
  close(
    slot: BudgetSlot,
    attempt: Attempt,
    actual: Amount | "estimate",
    lines?: readonly BudgetLine[],
  ): Promise<CloseReply>;
  /** In the order of `lines`. */
  read(slot: BudgetSlot, lines: readonly Pick<BudgetLine, "name" | "period">[]): Promise<readonly BudgetCounts[]>;
  /** Raises the limits of the budget `name` in all its periods until `endsAt`, milliseconds since 1970. */
  extend(
    slot: BudgetSlot,
    name: string,
    extension: { readonly id: string; readonly add: Amount; readonly endsAt: number },
  ): Promise<"extended" | "full">;
  /** What is counted for one person under each name and period, for them to read. Looks at every key there is. */
  counted(slot: PersonSlot): Promise<readonly { readonly name: string; readonly spent: Amount }[]>;
  /** Forgets everything counted and held for one person. */
  erase(slot: PersonSlot): Promise<void>;
}

type PersonSlot = Exclude<BudgetSlot, "shared">;

/** What counts nothing. */
export const NOTHING: Amount = { tokens: 0, money: 0, steps: 0 };

/** Longer than any budget that is not used is kept, so that what is held is given back before its key is forgotten. */
const KEEP_MS = 100 * 86_400_000;
/** How long an ended reservation is remembered, for commands that are sent again and attempts that wake up late. */
const ENDED_MS = 86_400_000;
const MAX_EXTENSIONS = 100;

const marks = z.array(z.tuple([z.number(), z.number(), z.number(), z.number()]));

const reserveScript = defineScript({
  file: new URL("./scripts/budget-reserve.lua", import.meta.url),
  keys: ["record", "holds"],
  args: ["id", "nonce", "turn", "shared", "tokens", "money", "steps", "holdMs", "keepMs", "endedMs"],
  reply: z.tuple([z.enum(["reserved", "refused", "earlier", "lost"]), z.string(), z.string(), z.string(), marks]),
});

const closeScript = defineScript({
  file: new URL("./scripts/budget-close.lua", import.meta.url),
  keys: ["record", "holds"],
  args: ["id", "nonce", "turn", "how", "tokens", "money", "steps", "endedMs"],
  reply: z.tuple([z.enum(["closed", "none", "lost"]), z.number(), z.number(), z.number(), marks]),
});

const usageScript = defineScript({
  file: new URL("./scripts/budget-usage.lua", import.meta.url),
  keys: ["holds"],
  args: [],
  reply: z.array(z.array(z.number()).length(9)),
});

const extendScript = defineScript({
  file: new URL("./scripts/budget-extend.lua", import.meta.url),
  keys: ["grants"],
  args: ["name", "tokens", "money", "steps", "ends", "most"],
  reply: z.enum(["extended", "full"]),
});

/** Keeps budgets in Redis: a person's under `{ws:<id>}:budget:`, the shared ones under `{budget}:`. */
export function createBudgetStore(redis: RedisConnection): BudgetStore {
  return {
    async reserve(slot, { id, nonce, turn = "", shared, estimate, holdMs, lines }) {
      const [word, itsTurn, itsNonce, itsShared, list] = await reserveScript.run(
        redis,
        keysOf(slot, id),
        { id, nonce, turn, shared: shared ? 1 : 0, ...estimate, holdMs, keepMs: KEEP_MS, endedMs: ENDED_MS },
        lines.flatMap((line) => lineArguments(slot, line)),
      );
      switch (word) {
        case "reserved":
          return { kind: word, turn: itsTurn, near: list.map(readMark) };
        case "refused":
          return { kind: word, turn: itsTurn, over: list.map(readMark) };
        case "earlier":
          return { kind: word, attempt: { id, nonce: itsNonce, turn: itsTurn }, shared: itsShared === "1" };
        case "lost":
          return { kind: word };
      }
    },
    async close(slot, { id, nonce, turn }, actual, lines = []) {
      const [how, amount] = actual === "estimate" ? [actual, NOTHING] : ["actual", actual];
      const [word, tokens, money, steps, list] = await closeScript.run(
        redis,
        keysOf(slot, id),
        { id, nonce, turn, how, ...amount, endedMs: ENDED_MS },
        lines.flatMap((line) => lineArguments(slot, line)),
      );
      return word === "closed"
        ? { kind: word, amount: { tokens, money, steps }, near: list.map(readMark) }
        : { kind: word };
    },
    async read(slot, lines) {
      const keys = lines.flatMap((line) => [countKey(slot, line), extensionKey(slot, line.name)]);
      return (await usageScript.run(redis, { holds: `${prefixOf(slot)}holds` }, {}, keys)).map(readCounts);
    },
    async extend(slot, name, { id, add, endsAt }) {
      return extendScript.run(
        redis,
        { grants: extensionKey(slot, name) },
        { name: id, ...add, ends: Math.ceil(endsAt), most: MAX_EXTENSIONS },
      );
    },
    async counted(slot) {
      const prefix = prefixOf(slot);
      const names: string[] = [];
      for await (const keys of scanKeys(redis, `${literalPattern(prefix)}*`))
        names.push(...keys.map((key) => key.slice(prefix.length)).filter(isCount));
      return Promise.all(
        [...new Set(names)].toSorted().map(async (name) => {
          const counts = await redis.hmget(`${prefix}${name}`, ...METRICS);
          const [tokens = 0, money = 0, steps = 0] = counts.map(Number);
          return { name, spent: { tokens, money, steps } };
        }),
      );
    },
    async erase(slot) {
      for await (const keys of scanKeys(redis, `${literalPattern(prefixOf(slot))}*`))
        await Promise.all(keys.map((key) => redis.del(key)));
    },
  };
}

function prefixOf(slot: BudgetSlot): string {
  return slot === "shared" ? "{budget}:" : `{ws:${slot.workspaceId}}:budget:`;
}

/** Whether a key's name, without its prefix, is that of a budget: not of reservations or extensions. */
function isCount(name: string): boolean {
  return name !== "holds" && !name.startsWith("hold:") && !name.endsWith(":extended");
}

function keysOf(slot: BudgetSlot, id: string) {
  return { record: `${prefixOf(slot)}hold:${id}`, holds: `${prefixOf(slot)}holds` };
}

function countKey(slot: BudgetSlot, { name, period }: Pick<BudgetLine, "name" | "period">): string {
  return `${prefixOf(slot)}${name}${period === undefined ? "" : `:${period}`}`;
}

function extensionKey(slot: BudgetSlot, name: string): string {
  return `${prefixOf(slot)}${name}:extended`;
}

function lineArguments(slot: BudgetSlot, line: BudgetLine): readonly (string | number)[] {
  const { tokens = "", money = "", steps = "" } = line.limits;
  return [countKey(slot, line), extensionKey(slot, line.name), tokens, money, steps, line.keepMs];
}

const METRICS = ["tokens", "money", "steps"] as const;

function readMark([index, metric, used, limit]: z.output<typeof marks>[number]): LimitMark {
  return { index, metric: METRICS[metric] ?? "tokens", used, limit };
}

function readCounts(row: readonly number[]): BudgetCounts {
  const amount = (from: number): Amount => {
    const [tokens = 0, money = 0, steps = 0] = row.slice(from, from + 3);
    return { tokens, money, steps };
  };
  return { spent: amount(0), held: amount(3), extended: amount(6) };
}
