import { z } from "zod";
import { InvalidInput } from "../../kernel/errors.ts";
import type { ResultStore } from "../../store/results.ts";
import type { Tool } from "../contract.ts";
import { defineTool } from "../define.ts";
import { MAX_WINDOW_CHARS, showWindow } from "./text-window.ts";

/** `result_read`: reads on in a result that was too long to be shown whole. */
export function resultReadTool(results: Pick<ResultStore, "read">): Tool {
  return defineTool({
    name: "result_read",
    description: "Reads on in the result of an earlier tool call that was too long to be shown whole.",
    effect: "read",
    timeoutMs: 30_000,
    input: z.object({
      reference: z.string().min(1).describe("The reference named where the result was cut"),
      offset: z.int().min(0).optional().describe("The character to begin with; 0 unless set"),
      limit: z.int().min(1).max(MAX_WINDOW_CHARS).optional().describe("How many characters to read; 10000 unless set"),
    }),
    run: async ({ reference, offset, limit }, { workspaceId }) => {
      const text = await results.read(workspaceId, reference);
      if (text === undefined)
        throw new InvalidInput(
          `The result ${JSON.stringify(reference.slice(0, 100))} is not kept any more; call the tool again if it is still needed`,
          { code: "not_found" },
        );
      return showWindow(text, { offset, limit });
    },
  });
}
