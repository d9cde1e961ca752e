import { z } from "zod";
import {
  MAX_ID_LENGTH,
  parseConversationId,
  parseMessageId,
  parseRunId,
  parseWorkspaceId,
  type WorkspaceId,
} from "../kernel/ids.ts";
import { attachmentStateSchema, deliveryKindSchema } from "../kernel/messages.ts";
import { idFrom } from "./id-schema.ts";

// The public shapes. Requests are strict: a field nobody reads is refused, because its sender believes that it counts.

/** The longest message text, in UTF-16 units. */
const MAX_TEXT_CHARS = 32_000;
const MAX_ATTACHMENTS = 20;
const MAX_PAGE = 200;
const DEFAULT_PAGE = 50;

const instant = z.iso.datetime().meta({ description: "ISO 8601, UTC." });
const userId = idFrom(parseWorkspaceId, "The person: whose memory, permissions and budget count.");
const conversationId = idFrom(parseConversationId, "The conversation.");
const messageId = idFrom(parseMessageId, "The caller's own id of the message, by which a repetition is recognised.");
const anyText = z
  .string()
  .max(MAX_TEXT_CHARS, `must have at most ${MAX_TEXT_CHARS} characters`)
  // A lone surrogate cannot be stored as UTF-8: it is replaced here, not somewhere on the way.
  .overwrite((value) => value.toWellFormed());
const text = anyText.min(1, "must not be empty");

/** Every failure, whatever went wrong. */
export const errorSchema = z
  .object({
    error: z.object({
      code: z.string().meta({ description: "A short word for programs." }),
      message: z.string().meta({ description: "What was wrong and where, for people. Never holds a secret." }),
      choices: z.array(z.string()).optional().meta({ description: "For ambiguous_schedule: each with one meaning." }),
    }),
  })
  .meta({ id: "Error" });

/** `limit` and `cursor` of every list. */
export const pageQuerySchema = z.strictObject({
  limit: z.coerce
    .number("must be a whole number")
    .int("must be a whole number")
    .min(1, "must be at least 1")
    .max(MAX_PAGE, `must be at most ${MAX_PAGE}`)
    .default(DEFAULT_PAGE),
  cursor: z.string().max(16_384).optional().meta({ description: "`next_cursor` of the page before." }),
});

/** One page of a list. */
export function pageSchema<Item extends z.ZodType>(item: Item) {
  return z.object({ data: z.array(item), has_more: z.boolean(), next_cursor: z.string().nullable() });
}

const attachmentInputSchema = z
  .strictObject({
    name: z.string().min(1).max(255),
    media_type: z.string().min(1).max(255).optional().meta({ description: "Found by the name when absent." }),
    content_base64: z.base64("must be base64").optional(),
    text: z.string().optional(),
    url: z.url().max(2048).optional().meta({ description: "A public address, fetched when the message is answered." }),
  })
  .refine(
    ({ content_base64: base64, text: plain, url }) =>
      [base64, plain, url].filter((given) => given !== undefined).length === 1,
    "needs exactly one of content_base64, text and url",
  );

const attachmentSchema = z
  .object({
    name: z.string(),
    media_type: z.string(),
    bytes: z.number().int(),
    state: attachmentStateSchema.meta({
      description:
        "`received`: kept, not looked at yet. `read`: the model has its text. `shown`: the model sees the image. " +
        "`unsupported`, `too-large`, `failed`: not used, see `reason`.",
    }),
    reason: z.string().optional(),
  })
  .meta({ id: "Attachment" });

const fileSchema = z
  .object({
    artifact_id: z.string(),
    name: z.string(),
    media_type: z.string(),
    bytes: z.number().int(),
    user_id: z.string(),
    url: z.string().meta({ description: "A link to its content that works for a while, relative to this server." }),
  })
  .meta({ id: "File" });

/** `POST /v1/messages`. */
export const sendMessageSchema = z
  .strictObject({
    user_id: userId,
    text: anyText,
    conversation_id: conversationId.optional(),
    message_id: messageId
      .refine((id) => !id.startsWith("sched:"), "must not begin with sched:, which schedules use")
      .optional(),
    attachments: z.array(attachmentInputSchema).max(MAX_ATTACHMENTS).optional(),
  })
  .superRefine(({ text: said, attachments = [] }, context) => {
    if (said === "" && attachments.length === 0)
      context.addIssue({ code: "custom", path: ["text"], message: "must not be empty" });
  })
  .meta({ id: "SendMessage" });

/** The reply to `POST /v1/messages`: what happened at the door. */
export const receivedSchema = z
  .object({
    id: z.string(),
    conversation_id: z.string(),
    status: z.enum(["started", "queued", "duplicate"]),
    position: z.number().int().meta({ description: "How many messages are ahead of it." }),
    attachments: z
      .array(attachmentSchema)
      .optional()
      .meta({ description: "What became of each attachment; only when there were any." }),
  })
  .meta({ id: "ReceivedMessage" });

/** `PATCH /v1/messages/:id`. */
export const editMessageSchema = z.strictObject({ text }).meta({ id: "EditMessage" });

/** The path of one message. */
export const messageParamsSchema = z.object({ id: messageId });

/** Where a message is, with its answers. */
export const messageStatusSchema = z
  .object({
    id: z.string(),
    conversation_id: z.string(),
    status: z.enum(["queued", "running", "waiting", "answered", "failed", "withdrawn"]),
    position: z.number().int().nullable().meta({ description: "How many messages are ahead, while queued." }),
    run_id: z.string().nullable(),
    steps: z.number().int().meta({ description: "How many steps its run has recorded." }),
    answers: z.array(
      z.object({
        delivery_id: z.string(),
        text: z.string(),
        posted_id: z.string(),
        delivered_at: instant,
        files: z.array(fileSchema).optional().meta({ description: "Files that were sent with it." }),
      }),
    ),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
  })
  .meta({ id: "Message" });

/** The path of one conversation. */
export const conversationParamsSchema = z.object({ id: conversationId });

/** `GET /v1/conversations`. */
export const conversationsQuerySchema = pageQuerySchema.extend({ user_id: userId.optional() });

/** A conversation in the list. */
export const conversationSummarySchema = z
  .object({ id: z.string(), platform: z.string(), last_activity_at: instant })
  .meta({ id: "ConversationSummary" });

/** What a conversation is doing. */
export const conversationSchema = z
  .object({
    id: z.string(),
    platform: z.string(),
    user_id: z.string().meta({ description: "Who spoke first." }),
    last_activity_at: instant,
    state: z.enum(["idle", "running", "waiting"]),
    run_id: z.string().nullable(),
    queue_mode: z.enum(["queue", "collect", "steer", "interrupt"]),
    waiting: z.array(z.object({ id: z.string(), user_id: z.string(), text: z.string(), at: instant })),
  })
  .meta({ id: "Conversation" });

/** The path of one approval. */
export const approvalParamsSchema = z.object({
  id: z.string().regex(/^[\w-]{1,100}$/, "is not the id of an approval"),
});

/** `POST /v1/approvals/:id`. */
export const decideApprovalSchema = z
  .strictObject({
    decision: z.enum(["approve", "deny"]),
    user_id: userId.optional().meta({
      description:
        "The person who decides. Without it a bound key decides as its person, an admin key as an administrator.",
    }),
  })
  .meta({ id: "DecideApproval" });

const approvalCard = {
  id: z.string(),
  tool: z.string(),
  arguments: z.string().meta({ description: "The exact arguments as JSON for people; secrets are hidden." }),
  reason: z.string().meta({ description: "Why it is asked." }),
  asked_of: z.string().meta({ description: "The person who may decide, besides administrators." }),
};
const approvalState = {
  state: z
    .enum(["open", "approved", "denied", "expired", "over"])
    .meta({ description: "`over`: the run ended without a decision." }),
  decided_by: z.string().nullable(),
};

/** A call that was put up for approval, and what became of it. */
export const shownApprovalSchema = z
  .object({ ...approvalCard, ...approvalState, asked_at: instant, expires_at: instant, decided_at: instant.nullable() })
  .meta({ id: "Approval" });

/** The same with the run that asks. */
export const approvalSchema = shownApprovalSchema
  .extend({ conversation_id: z.string(), run_id: z.string() })
  .meta({ id: "ApprovalOfRun" });

/** The approvals a conversation waits for. */
export const approvalsSchema = z.object({ data: z.array(approvalSchema) }).meta({ id: "Approvals" });

/** A message as people saw it. */
export const transcriptMessageSchema = z
  .object({
    id: z.string().meta({ description: "The message's id, or the delivery's for what the bot said." }),
    role: z.enum(["user", "assistant"]),
    text: z.string(),
    at: instant,
    run_id: z.string().meta({ description: "The run that wrote it, or that answers it." }),
    author_name: z.string().optional(),
    kind: deliveryKindSchema.optional().meta({ description: "For what the bot said." }),
    choices: z.array(z.string()).optional().meta({ description: "The buttons under a question." }),
    attachments: z.array(attachmentSchema).optional().meta({ description: "Files that came with it." }),
    files: z.array(fileSchema).optional().meta({ description: "Files the bot sent with it." }),
    approval: shownApprovalSchema.optional().meta({ description: "What was to be approved." }),
  })
  .meta({ id: "TranscriptMessage" });

/** The reply to a stop. */
export const stoppedSchema = z.object({ stopped: z.boolean(), run_id: z.string().nullable() }).meta({ id: "Stopped" });

/** The reply to a reset. */
export const resetSchema = z.object({ id: z.string(), reset: z.literal(true) }).meta({ id: "Reset" });

/** The path of one run. */
export const runParamsSchema = z.object({ id: idFrom(parseRunId, "The run.") });

/** A run with its steps. */
export const runSchema = z
  .object({
    id: z.string(),
    conversation_id: z.string(),
    status: z.enum(["running", "waiting", "done", "failed", "stopped", "silent"]),
    started_at: instant,
    ended_at: instant.nullable(),
    attempt: z.number().int().nullable(),
    message_ids: z.array(z.string()),
    steps: z.array(
      z.object({
        name: z.string(),
        what: z.string().meta({ description: "`model`, or the tool's name." }),
        status: z.enum(["done", "failed", "begun"]),
        at: instant,
        duration_ms: z.number(),
        tries: z.number().int(),
        error: z.object({ code: z.string(), message: z.string() }).nullable(),
      }),
    ),
    input_tokens: z.number().int(),
    output_tokens: z.number().int(),
  })
  .meta({ id: "Run" });

const scopeSchema = z.enum(["admin", "chat", "read"]);

/** `POST /v1/keys`. */
export const createKeySchema = z
  .strictObject({
    name: z.string().min(1).max(100),
    scopes: z.array(scopeSchema).min(1),
    user_id: userId.optional().meta({ description: "The only person the key may act for." }),
  })
  .meta({ id: "CreateKey" });

/** A new API key, shown this once. */
export const createdKeySchema = z
  .object({ id: z.string(), key: z.string().meta({ description: "Shown this once." }) })
  .meta({ id: "CreatedKey" });

/** An API key without the key itself. */
export const keySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(scopeSchema),
    user_id: z.string().nullable(),
    created_at: instant,
  })
  .meta({ id: "Key" });

/** The path of one API key. */
export const keyParamsSchema = z.object({ id: z.string().min(1).max(MAX_ID_LENGTH) });

/** A tool as the model sees it. */
export const toolSchema = z
  .object({
    name: z.string(),
    description: z.string(),
    effect: z.enum(["read", "idempotent", "once"]),
    parameters: z.record(z.string(), z.unknown()).meta({ description: "JSON Schema of the arguments." }),
  })
  .meta({ id: "Tool" });

/** The path of one person's workspace. */
export const workspaceParamsSchema = z.object({ user_id: userId });

/** What is remembered for a person. */
export const memorySchema = z
  .object({
    data: z.array(
      z.object({ key: z.string(), value: z.string().meta({ description: "`(secret)` stands for a secret." }) }),
    ),
  })
  .meta({ id: "Memory" });

/** Everything kept of a person. */
export const exportSchema = z
  .object({
    format: z.literal(1),
    user_id: z.string(),
    exported_at: instant,
    workspaces: z.array(z.object({ id: z.string(), data: z.record(z.string(), z.unknown()) })).meta({
      description: "The person's workspace, and those of the accounts linked to it, each part by name.",
    }),
  })
  .meta({ id: "Export" });

/** What was deleted of a person. */
export const receiptSchema = z
  .object({
    user_id: z.string(),
    deleted: z.record(z.string(), z.number()).meta({ description: "How many things of each kind." }),
    kept: z.array(z.string()).meta({ description: "What stays for a while and why, in sentences." }),
    interrupted: z.boolean().meta({ description: "An earlier attempt broke off; this one finished it." }),
    at: instant,
  })
  .meta({ id: "Receipt" });

/** The path of one credential. */
export const credentialParamsSchema = workspaceParamsSchema.extend({ name: z.string().min(1).max(64) });

/** `PUT /v1/workspaces/:user_id/credentials/:name`. */
export const setCredentialSchema = z
  .strictObject({ value: z.string().min(1).meta({ description: "Stored encrypted, never shown again." }) })
  .meta({ id: "SetCredential" });

/** A credential without its value. */
export const credentialSchema = z.object({ name: z.string(), at: instant }).meta({ id: "Credential" });

const artifactId = z.string().min(1).max(MAX_ID_LENGTH);

/** The path of one file of a person. */
export const artifactParamsSchema = z.object({ user_id: userId, id: artifactId });

/** The path of a file that is reached by a link. */
export const artifactLinkParamsSchema = z.object({ id: artifactId });

/** What makes a link one. */
export const artifactLinkQuerySchema = z.object({ token: z.string().min(1).max(2_000) });

/** A file the bot made. */
export const artifactSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    media_type: z.string(),
    bytes: z.number().int(),
    created_at: instant,
    expires_at: instant,
    run_id: z.string().nullable(),
    conversation_id: z.string().nullable(),
    url: z.string().meta({ description: "A link to its content that works for a while, relative to this server." }),
  })
  .meta({ id: "Artifact" });

/** The reply of a process that answers. */
export const healthSchema = z.object({ status: z.literal("ok") });

const checks = z.record(z.string(), z.string()).meta({ description: "`ok`, or what is wrong, for each part." });
/** The reply of a process that can work. */
export const readySchema = z.object({ status: z.literal("ready"), checks });
/** The reply of a process that cannot work. */
export const notReadySchema = errorSchema.extend({ checks });

const workspaceId = z.custom<WorkspaceId>((value) => typeof value === "string" && value !== "");
const shownInstant = z.number().transform((ms) => new Date(ms).toISOString());
// Also an event's id in the stream, where a line break would begin another field.
const deliveryId = z.string().regex(/^\S+$/);

const shownAttachment = z
  .object({
    name: z.string(),
    mimeType: z.string(),
    bytes: z.number(),
    state: attachmentStateSchema,
    reason: z.string().optional(),
  })
  .transform(({ mimeType, ...rest }) => ({ ...rest, media_type: mimeType }));
/** A card as Redis carries it; a live event brings it before anybody has decided. */
const liveApproval = z
  .object({
    id: z.string(),
    tool: z.string(),
    arguments: z.string(),
    reason: z.string(),
    askedOf: z.string(),
    askedAt: z.number(),
    expiresAt: z.number(),
  })
  .transform(({ askedOf, askedAt, expiresAt, ...card }) => ({
    ...card,
    asked_of: askedOf,
    state: "open" as z.output<typeof shownApprovalSchema>["state"],
    decided_by: null as string | null,
    asked_at: new Date(askedAt).toISOString(),
    expires_at: new Date(expiresAt).toISOString(),
    decided_at: null as string | null,
  }));

/** A live event as Redis carries it, turned into the data of a stream's event. */
export const liveEventSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("message.received"),
    message_id: z.string(),
    text: z.string(),
    position: z.number(),
    attachments: z.array(shownAttachment).readonly().optional(),
  }),
  z.object({
    type: z.literal("message.files"),
    message_id: z.string(),
    attachments: z.array(shownAttachment).readonly(),
  }),
  z.object({ type: z.literal("message.changed"), message_id: z.string(), text: z.string() }),
  z.object({ type: z.literal("message.withdrawn"), message_id: z.string() }),
  z.object({ type: z.literal("run.started"), run_id: z.string(), message_ids: z.array(z.string()).readonly() }),
  z.object({ type: z.literal("run.progress"), run_id: z.string(), step: z.string(), label: z.string() }),
  z.object({
    type: z.literal("text.delta"),
    run_id: z.string(),
    step: z.string(),
    text: z.string(),
    reset: z.literal(true).optional(),
  }),
  z.object({
    type: z.literal("delivery"),
    delivery: z.object({
      id: deliveryId,
      kind: deliveryKindSchema,
      text: z.string(),
      choices: z.array(z.string()).readonly().optional(),
      // The links are made where the event leaves, for they last only for a while.
      files: z
        .array(fileSchema.extend({ user_id: workspaceId, url: z.string().optional() }))
        .readonly()
        .optional(),
      approval: liveApproval.optional(),
      answers: z.array(z.string()).readonly(),
      at: shownInstant,
    }),
  }),
  z.object({
    type: z.literal("approval.decided"),
    approval_id: z.string(),
    state: z.enum(["approved", "denied", "expired"]),
    by: z.string().optional(),
    at: shownInstant,
  }),
  z.object({ type: z.literal("run.ended"), run_id: z.string(), end: z.string() }),
]);

/** The data of one event of `GET /v1/conversations/:id/events`. */
export type ShownLiveEvent = z.output<typeof liveEventSchema>;
