import { z } from "zod";
import type { Tool } from "../contract.ts";
import { defineTool } from "../define.ts";
import { evaluateExpression } from "./expression.ts";

/** `calculate`: arithmetic that models get wrong in their heads. */
export function calculateTool(): Tool {
  return defineTool({
    name: "calculate",
    description:
      "Computes an arithmetic expression exactly as written: + - * / % (remainder) ^ and parentheses, " +
      "sqrt abs round(x, places) floor ceil min max sin cos tan (radians) ln log (base 10), pi and e. " +
      "Write numbers without thousands separators.",
    effect: "read",
    trusted: true,
    timeoutMs: 5_000,
    input: z.object({ expression: z.string().min(1).describe("For example (19.99 * 3) / 1.21") }),
    run: ({ expression }) => {
      const result = evaluateExpression(expression);
      const exact = !Number.isInteger(result) || Number.isSafeInteger(result);
      return exact ? { result } : { result, note: "too large to be exact: only the first 15 digits are certain" };
    },
  });
}
