import { z } from "zod";
import type { Tool } from "../contract.ts";
import { defineTool, question } from "../define.ts";

/** `ask_user`: puts a question to the person; the run waits for the answer without holding anything. */
export function askUserTool(): Tool {
  return defineTool({
    name: "ask_user",
    description:
      "Asks the person a question and waits for the answer. Use it when something needed is missing or ambiguous " +
      "and a wrong guess would matter. Give choices when the answer is one of a few.",
    effect: "read",
    trusted: true,
    timeoutMs: 5_000,
    input: z.object({
      question: z.string().trim().min(1).max(2_000),
      choices: z.array(z.string().trim().min(1).max(75)).max(10).optional().describe("Shown as buttons"),
    }),
    run: (input) => question(input.question, input.choices),
  });
}
