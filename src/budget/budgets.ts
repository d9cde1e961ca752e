import { InvalidInput, OutsideError } from "../kernel/errors.ts";
import type { Clock, NewId } from "../kernel/ports.ts";
import {
  createBudgetStore,
  NOTHING,
  type Amount,
  type Attempt,
  type BudgetSlot,
  type LimitMark,
  type Metric,
} from "../store/budgets.ts";
import type { RedisConnection } from "../store/connection.ts";
import {
  applyingBudgets,
  findBudget,
  type ApplyingBudget,
  type BudgetConfig,
  type BudgetOf,
  type BudgetScope,
} from "./applying.ts";
import { createCalendars, type Per } from "./periods.ts";

/** Where one limit of one budget stands. Money is in millionths of the currency's unit. */
export interface LimitState {
  readonly of: BudgetOf;
  readonly per: Per;
  readonly metric: Metric;
  readonly used: number;
  /** With extensions. */
  readonly limit: number;
  /** When the budget begins anew; absent when it never does. */
  readonly resetsAt?: number;
  /** The zone its days are counted in. */
  readonly zone: string;
}

/** What a step asks for before it spends. */
export interface ReserveRequest {
  /** `runId:step`, the same on every attempt at the step. */
  readonly id: string;
  readonly scope: BudgetScope;
  /** The most the step can cost; what it costs beyond is counted, but nobody was asked. */
  readonly estimate: Amount;
  /** After how long nobody is expected to end it any more; longer than the step can take. 15 minutes unless given. */
  readonly holdMs?: number;
}

/** What is held back for one attempt at a step. For {@link Budgets.settle}, by the process that reserved it. */
export interface Reservation {
  readonly attempt: Attempt;
  readonly estimate: Amount;
  readonly own: readonly ApplyingBudget[];
  readonly shared: readonly ApplyingBudget[];
  readonly slot: BudgetSlot;
}

export type ReserveResult =
  /** Go on, and end it with `settle`. People should be told the `notices`, each once. */
  | { readonly kind: "ok"; readonly reservation: Reservation; readonly notices: readonly LimitState[] }
  /** Nothing is held. Of several limits in the way, `budget` is the one that resets last; `wanted` is the estimate. */
  | {
      readonly kind: "refused";
      readonly budget: LimitState;
      readonly wanted: number;
      readonly resetsAt: number | undefined;
    };

export interface SettleResult {
  /** `lost`: a later attempt took over and has counted this one at its estimate. */
  readonly kind: "settled" | "lost";
  readonly notices: readonly LimitState[];
}

/** A budget as `/usage` shows it. */
export interface BudgetUsage {
  readonly of: BudgetOf;
  readonly per: Per;
  readonly zone: string;
  readonly spent: Amount;
  /** Held back by steps under way. */
  readonly held: Amount;
  /** With extensions; only those that were set. */
  readonly limits: Partial<Amount>;
  readonly resetsAt?: number;
}

/** Somebody allows more. */
export interface Extension {
  /** Names the decision; repeating it adds nothing. */
  readonly id: string;
  readonly scope: BudgetScope;
  readonly of: BudgetOf;
  readonly per: Per;
  readonly add: Partial<Amount>;
  /** When it ends, milliseconds since 1970; with the budget's period unless given. */
  readonly endsAt?: number;
}

/** All budgets there are. Every call may be repeated. */
export interface Budgets {
  /**
   * Holds back the most a step can cost in every budget that applies, or in none. Held back for an earlier attempt at
   * the same step that nobody ended, the estimate counts as spent: that attempt may have been billed.
   */
  reserve(request: ReserveRequest): Promise<ReserveResult>;
  /**
   * Ends a reservation: counts what was spent and gives back the rest. `estimate` is for steps whose cost is not known;
   * a step that cost nothing is settled with zeros.
   */
  settle(reservation: Reservation, actual: Amount | "estimate"): Promise<SettleResult>;
  /** What is spent in the budgets of a scope now. */
  usage(scope: BudgetScope): Promise<readonly BudgetUsage[]>;
  /** Raises a budget's limits until a moment, and says which. Throws `InvalidInput` when there is no such budget. */
  extend(extension: Extension): Promise<{ readonly endsAt: number }>;
}

/** Builds budgets over Redis. `config` is asked anew for every call, so that changed limits hold at once. */
export function createBudgets(options: {
  readonly redis: RedisConnection;
  readonly config: () => BudgetConfig;
  readonly clock: Pick<Clock, "now">;
  readonly newId: NewId;
}): Budgets {
  const { clock, newId } = options;
  const store = createBudgetStore(options.redis);
  const calendars = createCalendars();
  const rules = () => ({ config: options.config(), calendars });

  /**
   * An attempt that reached the shared slot had everything and may have spent it. One that did not was cut off before
   * it could spend, so it costs nothing.
   */
  async function endEarlier(slot: BudgetSlot, attempt: Attempt, hasSharedPart: boolean): Promise<void> {
    let spent: Amount | "estimate" = "estimate";
    if (hasSharedPart) {
      const there = await store.close("shared", attempt, "estimate");
      if (there.kind === "closed") spent = there.amount;
      if (there.kind === "none") spent = NOTHING;
    }
    await store.close(slot, attempt, spent);
  }

  async function reserveOwn(slot: BudgetSlot, request: Parameters<typeof store.reserve>[1]) {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const reply = await store.reserve(slot, request);
      if (reply.kind === "lost") throw outOfDate(request.id);
      if (reply.kind !== "earlier") return reply;
      await endEarlier(slot, reply.attempt, reply.shared);
    }
    throw new OutsideError(`The budget of step ${request.id} is in use by too many attempts at once`, {
      code: "failed",
      retry: { kind: "after" },
    });
  }

  return {
    async reserve({ id, scope, estimate, holdMs = HOLD_MS }) {
      const now = clock.now();
      const budgets = applyingBudgets(rules(), scope, now);
      const own = budgets.filter(({ slot }) => slot !== "shared");
      const shared = budgets.filter(({ slot }) => slot === "shared");
      const slot = { workspaceId: scope.workspaceId };
      const request = { id, nonce: newId(), shared: shared.length > 0, estimate: whole(estimate), holdMs };
      const refuse = (over: readonly LimitMark[], of: readonly ApplyingBudget[]) =>
        refusal(statesOf(over, of, now), request.estimate);

      const first = await reserveOwn(slot, { ...request, lines: own.map(({ line }) => line) });
      if (first.kind === "refused") return refuse(first.over, own);
      const attempt = { id, nonce: request.nonce, turn: first.turn };
      const notices = [...statesOf(first.near, own, now)];
      if (shared.length > 0) {
        const lines = shared.map(({ line }) => line);
        const second = await store.reserve("shared", { ...request, turn: first.turn, lines });
        if (second.kind === "refused") {
          await store.close(slot, attempt, NOTHING);
          return refuse(second.over, shared);
        }
        if (second.kind !== "reserved") throw outOfDate(id);
        notices.push(...statesOf(second.near, shared, now));
      }
      return { kind: "ok", reservation: { attempt, estimate: request.estimate, own, shared, slot }, notices };
    },

    async settle({ attempt, estimate, own, shared, slot }, actual) {
      const now = clock.now();
      let amount = actual === "estimate" ? estimate : whole(actual);
      const notices: LimitState[] = [];
      // The shared part first: while the person's is open, whoever repeats the step looks at both.
      if (shared.length > 0) {
        const lines = shared.map(({ line }) => line);
        const there = await store.close("shared", attempt, amount, lines);
        if (there.kind === "closed") {
          amount = there.amount;
          notices.push(...statesOf(there.near, shared, now));
        }
      }
      const lines = own.map(({ line }) => line);
      const here = await store.close(slot, attempt, amount, lines);
      if (here.kind === "closed") notices.push(...statesOf(here.near, own, now));
      return { kind: here.kind === "lost" ? "lost" : "settled", notices };
    },

    async usage(scope) {
      const now = clock.now();
      const budgets = applyingBudgets(rules(), scope, now);
      const slots: readonly BudgetSlot[] = [{ workspaceId: scope.workspaceId }, "shared"];
      const parts = await Promise.all(
        slots.map(async (slot) => {
          const here = budgets.filter((budget) => (budget.slot === "shared") === (slot === "shared"));
          if (here.length === 0) return [];
          const counts = await store.read(
            slot,
            here.map(({ line }) => line),
          );
          return counts.flatMap(({ spent, held, extended }, index) => {
            const budget = here[index];
            return budget === undefined ? [] : [usageOf(budget, { spent, held, extended }, now)];
          });
        }),
      );
      return parts.flat();
    },

    async extend({ id, scope, of, per, add, endsAt }) {
      const now = clock.now();
      const budget = findBudget(rules(), scope, { of, per }, now);
      if (budget === undefined) throw new InvalidInput(`There is no budget of a ${of} here`);
      const until = Math.min(endsAt ?? budget.calendar.endOf(per, now) ?? Infinity, now + LONGEST_EXTENSION_MS);
      if (!(until > now)) throw new InvalidInput("An extension has to end in the future");
      const done = await store.extend(budget.slot, budget.line.name, {
        id,
        add: whole({ ...NOTHING, ...add }),
        endsAt: until,
      });
      if (done === "full") throw new InvalidInput("This budget has been extended too often; wait until one ends");
      return { endsAt: until };
    },
  };
}

const HOLD_MS = 15 * 60_000;
const LONGEST_EXTENSION_MS = 31 * 86_400_000;
/** Attempts at one step follow each other; more than a few that are open at once means something else is wrong. */
const MAX_ROUNDS = 5;

function outOfDate(id: string): OutsideError {
  return new OutsideError(`Step ${id} is being done by a later attempt, so this one must not spend`, {
    code: "failed",
  });
}

/** Counts are whole in Redis; half a token is a token. */
function whole({ tokens, money, steps }: Amount): Amount {
  const up = (value: number) => Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.ceil(value)));
  return { tokens: up(tokens), money: up(money), steps: up(steps) };
}

function statesOf(marks: readonly LimitMark[], budgets: readonly ApplyingBudget[], now: number): readonly LimitState[] {
  return marks.flatMap(({ index, metric, used, limit }) => {
    const budget = budgets[index];
    if (budget === undefined) return [];
    return [{ ...nameOf(budget, now), metric, used, limit }];
  });
}

function nameOf(
  { of, per, calendar }: ApplyingBudget,
  now: number,
): Pick<LimitState, "of" | "per" | "zone" | "resetsAt"> {
  const end = calendar.endOf(per, now);
  return { of, per, zone: calendar.zone, ...(end === undefined ? {} : { resetsAt: end }) };
}

function refusal(states: readonly LimitState[], estimate: Amount): ReserveResult {
  const last = states.toSorted((a, b) => (b.resetsAt ?? Infinity) - (a.resetsAt ?? Infinity))[0];
  if (last === undefined) throw new Error("a budget refused without a limit");
  return { kind: "refused", budget: last, wanted: estimate[last.metric], resetsAt: last.resetsAt };
}

function usageOf(
  budget: ApplyingBudget,
  { spent, held, extended }: { readonly spent: Amount; readonly held: Amount; readonly extended: Amount },
  now: number,
): BudgetUsage {
  const { tokens, money, steps } = budget.line.limits;
  return {
    ...nameOf(budget, now),
    spent,
    held,
    limits: {
      ...(tokens === undefined ? {} : { tokens: tokens + extended.tokens }),
      ...(money === undefined ? {} : { money: money + extended.money }),
      ...(steps === undefined ? {} : { steps: steps + extended.steps }),
    },
  };
}
