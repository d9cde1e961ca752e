import { z } from "zod";

const done = z.object({});
const posted = z.object({ ts: z.string() });

/** A file as Slack describes it. */
export const slackFileSchema = z.object({
  id: z.string(),
  name: z.string().nullish(),
  title: z.string().nullish(),
  mimetype: z.string().nullish(),
  size: z.number().nullish(),
  mode: z.string().nullish(),
  url_private: z.string().nullish(),
  url_private_download: z.string().nullish(),
  shares: z
    .object({
      public: z.record(z.string(), z.array(z.object({ ts: z.string() }))).optional(),
      private: z.record(z.string(), z.array(z.object({ ts: z.string() }))).optional(),
    })
    .nullish(),
});
export type SlackFile = z.infer<typeof slackFileSchema>;

/** A message as histories give it; events give the same with their channel. */
export const slackMessageSchema = z.object({
  type: z.string().optional(),
  subtype: z.string().optional(),
  ts: z.string(),
  thread_ts: z.string().optional(),
  user: z.string().optional(),
  bot_id: z.string().optional(),
  username: z.string().optional(),
  text: z.string().default(""),
  files: z.array(slackFileSchema).optional(),
  edited: z.object({ ts: z.string() }).optional(),
  reply_count: z.number().optional(),
  latest_reply: z.string().optional(),
  metadata: z.object({ event_type: z.string(), event_payload: z.record(z.string(), z.unknown()) }).optional(),
  blocks: z.array(z.looseObject({ type: z.string() })).optional(),
});
export type SlackMessage = z.infer<typeof slackMessageSchema>;

const messages = z.object({
  messages: z.array(slackMessageSchema),
  has_more: z.boolean().optional(),
  response_metadata: z.object({ next_cursor: z.string().optional() }).optional(),
});

const HISTORY = ["channels:history", "groups:history", "im:history", "mpim:history"] as const;

/** Every method of the Web API that is called: what it answers, and the scopes it takes. */
export const METHODS = {
  "auth.test": {
    scopes: [],
    reply: z.object({
      user_id: z.string(),
      bot_id: z.string().optional(),
      team_id: z.string().optional(),
      team: z.string().optional(),
      user: z.string().optional(),
      response_metadata: z.object({ scopes: z.array(z.string()).optional() }).optional(),
    }),
  },
  "chat.postMessage": { scopes: ["chat:write"], reply: posted },
  "chat.update": { scopes: ["chat:write"], reply: posted },
  "chat.delete": { scopes: ["chat:write"], reply: done },
  "chat.postEphemeral": { scopes: ["chat:write"], reply: done },
  "chat.startStream": { scopes: ["chat:write"], reply: posted },
  "chat.appendStream": { scopes: ["chat:write"], reply: done },
  "chat.stopStream": { scopes: ["chat:write"], reply: done },
  "conversations.history": { scopes: HISTORY, reply: messages },
  "conversations.replies": { scopes: HISTORY, reply: messages },
  "conversations.info": {
    scopes: ["channels:read", "groups:read"],
    reply: z.object({ channel: z.object({ is_member: z.boolean().optional() }) }),
  },
  "users.info": {
    scopes: ["users:read"],
    reply: z.object({
      user: z.object({
        name: z.string().optional(),
        real_name: z.string().optional(),
        is_bot: z.boolean().optional(),
        profile: z.object({ display_name: z.string().optional(), real_name: z.string().optional() }).optional(),
      }),
    }),
  },
  "files.info": { scopes: ["files:read"], reply: z.object({ file: slackFileSchema }) },
  "files.getUploadURLExternal": {
    scopes: ["files:write"],
    reply: z.object({ upload_url: z.url(), file_id: z.string() }),
  },
  "files.completeUploadExternal": { scopes: ["files:write"], reply: done },
  "views.open": { scopes: [], reply: done },
  "assistant.threads.setStatus": { scopes: ["assistant:write"], reply: done },
  "assistant.threads.setTitle": { scopes: ["assistant:write"], reply: done },
  "assistant.threads.setSuggestedPrompts": { scopes: ["assistant:write"], reply: done },
} as const satisfies Record<string, { readonly scopes: readonly string[]; readonly reply: z.ZodType }>;

export type Method = keyof typeof METHODS;
export type Reply<M extends Method> = z.infer<(typeof METHODS)[M]["reply"]>;

/** The events that are subscribed to, each with the scopes Slack asks for it. */
export const EVENTS: Readonly<Record<string, readonly string[]>> = {
  app_mention: ["app_mentions:read"],
  "message.channels": ["channels:history"],
  "message.groups": ["groups:history"],
  "message.im": ["im:history"],
  "message.mpim": ["mpim:history"],
  assistant_thread_started: ["assistant:write"],
  assistant_thread_context_changed: ["assistant:write"],
};

/** The scopes of the bot token, for everything the adapter does. */
export const BOT_SCOPES: readonly string[] = [
  ...new Set(["commands", ...Object.values(METHODS).flatMap(({ scopes }) => scopes), ...Object.values(EVENTS).flat()]),
].sort();
