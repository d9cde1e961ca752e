import type { ConversationId } from "../kernel/ids.ts";
import type { ModelState } from "../models/failover.ts";
import type { ConversationStore } from "../store/conversations.ts";

/** The models there are to choose from. */
export interface ModelChoices {
  /** In failover order, and how they are. */
  list(): Promise<readonly ModelState[]>;
  /** Their names in the order in which a conversation without a choice asks them. */
  names(): readonly string[];
}

export interface ModelCommandParts {
  readonly models: ModelChoices;
  readonly conversations: Pick<ConversationStore, "find" | "setModel">;
}

/** `/model`, `/model <name>`, `/model default`: which model is asked first in a conversation. */
export async function modelCommand(
  id: ConversationId,
  rest: string,
  { models, conversations }: ModelCommandParts,
): Promise<string> {
  const wanted = rest.trim();
  const names = models.names();
  if (wanted === "") {
    const chosen = (await conversations.find(id))?.model;
    const states = await models.list();
    const current = states.some(({ name }) => name === chosen) ? chosen : undefined;
    return [
      current === undefined
        ? `This conversation uses the default, ${names[0] ?? "none"}.`
        : `This conversation uses ${current}.`,
      ...states.map((state) => `- ${describeModel(state)}`),
      "/model <name> chooses one for this conversation, /model default undoes it.",
    ].join("\n");
  }
  if (wanted.toLowerCase() === "default" && !names.includes(wanted)) {
    await conversations.setModel(id, undefined);
    return "From now on this conversation uses the default.";
  }
  const name = names.find((each) => each === wanted) ?? onlyOne(names, wanted);
  if (name === undefined)
    return `There is no model ${JSON.stringify(wanted.slice(0, 60))}. Choose one of: ${names.join(", ")}, or default.`;
  await conversations.setModel(id, name);
  return names.length === 1
    ? `From now on ${name} is asked in this conversation; there is no other.`
    : `From now on ${name} is asked first in this conversation; the others step in when it fails.`;
}

/** The one name that is meant when the case is not minded. */
function onlyOne(names: readonly string[], wanted: string): string | undefined {
  const found = names.filter((name) => name.toLowerCase() === wanted.toLowerCase());
  return found.length === 1 ? found[0] : undefined;
}

function describeModel({ name, model, state, waitMs }: ModelState): string {
  const about = name === model ? name : `${name} (${model})`;
  switch (state) {
    case "ready":
      return about;
    case "trying":
      return `${about}: had trouble and is being tried again`;
    case "waiting":
      return `${about}: left alone for ${Math.ceil((waitMs ?? 0) / 1000)} s because it failed`;
  }
}
