import {
  ApplicationCommandUpdateRequestSchema,
  CreateTextThreadWithMessageRequestSchema,
  IncomingWebhookInteractionRequestSchema,
  IncomingWebhookUpdateRequestPartialSchema,
  MessageCreateRequestSchema,
  MessageEditRequestPartialSchema,
} from "discord-api-spec/zod";
import { z } from "zod";
import { ApiError, invalidForm } from "./api-error.ts";

const SCHEMAS = {
  post: MessageCreateRequestSchema,
  edit: MessageEditRequestPartialSchema,
  followup: IncomingWebhookInteractionRequestSchema,
  editReply: IncomingWebhookUpdateRequestPartialSchema,
  thread: CreateTextThreadWithMessageRequestSchema,
  command: ApplicationCommandUpdateRequestSchema,
} as const;

/** What Discord's own description says of a request's body; what it forgets is added here. Throws `ApiError`. */
export function checkBody(kind: keyof typeof SCHEMAS, body: unknown): void {
  const schema = SCHEMAS[kind];
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw invalidForm("body", "BASE_TYPE_INVALID", JSON.stringify(parsed.error.issues));
  const known = schema.shape;
  for (const key of Object.keys(z.record(z.string(), z.unknown()).parse(body)))
    if (!(key in known)) throw invalidForm(key, "UNKNOWN_FIELD", `Nobody knows this field of ${kind}.`);
}

const buttonSchema = z.object({
  type: z.literal(2),
  label: z.string().max(80),
  custom_id: z.string().min(1).max(100),
  style: z.number(),
});
const rowSchema = z.object({ type: z.literal(1), components: z.array(buttonSchema).min(1).max(5) });

/** The parts of a message's body that the server acts on. */
export const messageBodySchema = z.object({
  content: z.string().nullish(),
  nonce: z.union([z.string(), z.number()]).optional(),
  enforce_nonce: z.boolean().optional(),
  flags: z.number().default(0),
  components: z.array(rowSchema).max(5).optional(),
  allowed_mentions: z.object({ parse: z.array(z.string()).optional() }).optional(),
  message_reference: z.object({ message_id: z.string(), fail_if_not_exists: z.boolean().optional() }).optional(),
});
export type MessageBody = z.output<typeof messageBodySchema>;

/** Checks a message as the real Discord does where its description is too lenient. Throws `ApiError`. */
export function checkMessage(body: MessageBody, files: number): void {
  const { content = "", components = [], nonce } = body;
  if (Array.from(content ?? "").length > 2000)
    throw invalidForm("content", "BASE_TYPE_MAX_LENGTH", "Must be 2000 or fewer in length.");
  if (typeof nonce === "string" && nonce.length > 25)
    throw invalidForm("nonce", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.");
  const ids = components.flatMap((row) => row.components.map(({ custom_id }) => custom_id));
  if (new Set(ids).size !== ids.length)
    throw invalidForm("components", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated");
  if ((content ?? "").trim() === "" && files === 0 && components.length === 0)
    throw new ApiError(400, 50006, "Cannot send an empty message");
}
