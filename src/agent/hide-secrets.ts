import type { WorkspaceId } from "../kernel/ids.ts";
import type { MemoryStore } from "../store/memory.ts";

/** Shorter secrets stand in too many other words; nobody can tell them from chance. */
const MIN_CHARS = 3;

/** Makes what takes the remembered secrets of some people out of a text that is kept or sent on. */
export function createSecretHider(memory: Pick<MemoryStore, "revealAll">) {
  return async (workspaces: readonly WorkspaceId[]): Promise<(text: string) => string> => {
    const secrets = (await Promise.all(workspaces.map((workspace) => memory.revealAll(workspace)))).flat();
    // The longest first: a secret may be part of another.
    const values = secrets
      .map((secret) => secret.reveal().trim())
      .filter((value) => value.length >= MIN_CHARS)
      .toSorted((a, b) => b.length - a.length);
    return (text) => values.reduce((rest, value) => rest.replaceAll(value, "(secret)"), text);
  };
}
