import { z } from "zod";
import type { Effect, Tool, ToolContext } from "../../src/tools/contract.ts";
import { defineTool } from "../../src/tools/define.ts";

/** One tool of every effect, all doing what `run` does. */
export function effectTools(run: (effect: Effect, context: ToolContext) => Promise<unknown>): Tool[] {
  return (["read", "idempotent", "once"] as const).map((effect) =>
    defineTool({
      name: `do_${effect}`,
      description: "Has an effect.",
      effect,
      input: z.object({}),
      run: (_input, context) => run(effect, context),
    }),
  );
}
