import type { ConversationId } from "../kernel/ids.ts";
import type { Run } from "../engine/run.ts";
import type { ConversationStore } from "../store/conversations.ts";
import type { ModelChoices } from "./model-command.ts";
import { MODEL_GONE } from "./runs.ts";

export interface ChosenModelParts {
  readonly conversations?: Pick<ConversationStore, "find" | "clearModel">;
  readonly models?: Pick<ModelChoices, "names">;
}

/**
 * The model a conversation chose, undefined for the default. When the chosen one is not configured any more, the run
 * notes it, so that its answer says so once, and the choice is undone.
 */
export async function chosenModel(
  run: Run,
  id: ConversationId,
  { conversations, models }: ChosenModelParts,
): Promise<string | undefined> {
  if (conversations === undefined || models === undefined) return undefined;
  const chosen = (await conversations.find(id))?.model;
  if (chosen === undefined || models.names().includes(chosen)) return chosen;
  // Noted first: a run that breaks off in between undoes the choice when it goes on, and still says so.
  await run.step(MODEL_GONE, () =>
    Promise.resolve(
      `(The model ${chosen}, chosen for this conversation, is no longer available; the default is used.)`,
    ),
  );
  await conversations.clearModel(id, chosen);
  return undefined;
}
