// An example, and off: files whose name begins with "_" are not loaded. Copy it to a name without "_" to try it.
// What each hook is told and may do stands in docs/hooks.md.
import { defineHooks, refuse } from "#parley/hooks";

export const hooks = defineHooks({
  // When this hook is broken, calls are refused instead of made unchecked.
  onFailure: "refuse",

  beforeTool({ tool, args }) {
    if (tool !== "web_fetch") return undefined;
    const url = typeof args === "object" && args !== null && "url" in args ? String(args.url) : "";
    return url.startsWith("https://") ? undefined : refuse("only https addresses may be fetched here.");
  },

  afterModel({ text }) {
    return { text: text.replaceAll("Project Heron", "the project") };
  },
});
