import type { BudgetScope } from "./applying.ts";
import type { Extension, ReserveResult } from "./budgets.ts";

/** A quarter of the limit is worth asking for; less would be asked for again with the next step. */
const SHARE = 0.25;

/**
 * What somebody has to allow so that a refused step can be done after all: at least what is missing, at most once asked
 * per quarter of the limit. With an `id` for the decision it is what `Budgets.extend` takes; the step may then be reserved
 * again under its own id, because a refusal holds nothing. Pure.
 */
export function proposeExtension(
  refused: ReserveResult & { readonly kind: "refused" },
  scope: BudgetScope,
): Omit<Extension, "id"> {
  const { budget, wanted } = refused;
  const { of, per, metric, used, limit } = budget;
  const missing = used + wanted - limit;
  return { scope, of, per, add: { [metric]: Math.ceil(Math.max(missing, limit * SHARE)) } };
}
