import type { ExtendParts } from "./agent/extend-budget.ts";
import type { Budgets } from "./budget/budgets.ts";
import { describeExtension, describeUsage } from "./budget/text.ts";
import type { Config } from "./config/schema.ts";
import type { ConversationId, WorkspaceId } from "./kernel/ids.ts";

/** How a budget that is used up may grow. */
export function budgetExtension(
  budgets: Pick<Budgets, "extend">,
  config: () => Config,
): NonNullable<ExtendParts["extension"]> {
  return {
    by: () => config().budgets.extend,
    extend: async (proposal, id) => {
      await budgets.extend({ ...proposal, id });
    },
    describe: (proposal) => describeExtension(proposal, config().budgets.currency),
  };
}

/** What `/usage` answers. */
export function usageText(budgets: Pick<Budgets, "usage">, config: () => Config) {
  return async (workspaceId: WorkspaceId, conversationId: ConversationId): Promise<string> =>
    describeUsage(await budgets.usage({ workspaceId, conversationId }), config().budgets.currency);
}
