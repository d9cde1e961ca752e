import { z } from "zod";
import { parseConversationId, parseRunId } from "../../kernel/ids.ts";
import { parseJson } from "../../kernel/json.ts";
import { approvalCardSchema } from "../../kernel/messages.ts";
import { decisionSchema, type ApprovalDecision } from "./journal.ts";

const aboutSchema = z.object({
  conversationId: z.string().transform(parseConversationId),
  runId: z.string().transform(parseRunId),
  card: approvalCardSchema,
});

/** What the record of an approval is about: which call, and where its run is found. */
export type ApprovalMatter = z.output<typeof aboutSchema>;

/** Writes it on one line. */
export function writeMatter(about: ApprovalMatter): string {
  return JSON.stringify(about);
}

/** Reads a record: `open` or the decision, a line break, what it is about. Undefined when it is damaged. */
export function parseMatter(
  record: string,
): { readonly about: ApprovalMatter; readonly decision: ApprovalDecision | undefined } | undefined {
  const cut = record.indexOf("\n");
  const head = record.slice(0, cut);
  const about = aboutSchema.safeParse(parseJson(record.slice(cut + 1))).data;
  const decision = head === "open" ? undefined : decisionSchema.safeParse(parseJson(head)).data;
  if (about === undefined || (head !== "open" && decision === undefined)) return undefined;
  return { about, decision };
}
