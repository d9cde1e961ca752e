import { z } from "zod";
import type { Tool } from "../contract.ts";

/** The tools among the exports of a module, each once, whatever names they were exported under. */
export function exportedTools(module: unknown): readonly Tool[] {
  const exported = typeof module === "object" && module !== null ? Object.values(module) : [];
  return [...new Set(exported.filter(isTool))];
}

const toolSchema = z.object({
  name: z.string(),
  description: z.string(),
  effect: z.enum(["read", "idempotent", "once"]),
  timeoutMs: z.number(),
  approval: z.enum(["ask", "never"]).optional(),
  trusted: z.boolean().optional(),
  sends: z.boolean().optional(),
  private: z.boolean().optional(),
  parameters: z.record(z.string(), z.unknown()),
  run: z.custom((value) => typeof value === "function"),
});

function isTool(value: unknown): value is Tool {
  return toolSchema.safeParse(value).success;
}
