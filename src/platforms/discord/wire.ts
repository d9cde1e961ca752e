import { z } from "zod";

/*
 * What the adapter reads of Discord's events and replies; everything else in them is left alone. The full forms:
 * https://docs.discord.com/developers/resources/message
 */

/** An event as the library gives it on. */
export const dispatchSchema = z.object({ data: z.object({ t: z.string(), d: z.unknown() }) });

const id = z.string().regex(/^\d{1,20}$/);

const userSchema = z.object({
  id,
  username: z.string(),
  global_name: z.string().nullish(),
  bot: z.boolean().optional(),
  system: z.boolean().optional(),
});
export type WireUser = z.output<typeof userSchema>;

const memberSchema = z.object({ nick: z.string().nullish() });

const attachmentSchema = z.object({
  id,
  filename: z.string(),
  size: z.number().int().nonnegative(),
  url: z.string(),
  content_type: z.string().nullish(),
});

const mentionSchema = userSchema.extend({ member: memberSchema.nullish() });

/** A message, live or fetched. Only live ones carry the author's membership. */
export const messageSchema = z.object({
  id,
  channel_id: id,
  guild_id: id.nullish(),
  type: z.number(),
  content: z.string(),
  timestamp: z.string(),
  edited_timestamp: z.string().nullish(),
  author: userSchema,
  member: memberSchema.nullish(),
  webhook_id: id.nullish(),
  mentions: z.array(mentionSchema).default([]),
  attachments: z.array(attachmentSchema).default([]),
  referenced_message: z.object({ author: z.object({ id }) }).nullish(),
  message_snapshots: z
    .array(
      z.object({
        message: z.object({
          content: z.string().default(""),
          mentions: z.array(mentionSchema).default([]),
          attachments: z.array(attachmentSchema).default([]),
        }),
      }),
    )
    .default([]),
  sticker_items: z.array(z.object({ name: z.string() })).default([]),
  nonce: z.union([z.string(), z.number()]).nullish(),
});
export type WireMessage = z.output<typeof messageSchema>;

/** A message that is gone, or several. */
export const deletionSchema = z.object({
  id: id.optional(),
  ids: z.array(id).optional(),
  channel_id: id,
  guild_id: id.nullish(),
});

/** A channel, a thread or a direct chat. */
export const channelSchema = z.object({
  id,
  type: z.number(),
  name: z.string().nullish(),
  parent_id: id.nullish(),
  last_message_id: id.nullish(),
});
export type WireChannel = z.output<typeof channelSchema>;

/** What is told when a connection begins. */
export const readySchema = z.object({
  user: userSchema,
  application: z.object({ id }),
  guilds: z.array(z.object({ id })),
});

/** A server and its channels. */
export const guildSchema = z.object({
  id,
  unavailable: z.boolean().optional(),
  roles: z.array(z.object({ id, name: z.string() })).default([]),
  channels: z.array(channelSchema).default([]),
  threads: z.array(channelSchema).default([]),
});

/** A role that is new or has a new name. */
export const roleSchema = z.object({ role: z.object({ id, name: z.string() }) });

const valueSchema = z.object({
  type: z.number(),
  name: z.string(),
  value: z.union([z.string(), z.number(), z.boolean()]).optional(),
});
// A subcommand holds values of its own.
const optionSchema = valueSchema.extend({ options: z.array(valueSchema).default([]) });
export type WireOption = z.input<typeof optionSchema>;

const interactionBase = z.object({
  id,
  application_id: id,
  token: z.string(),
  channel: z.object({ id }),
  guild_id: id.nullish(),
  member: z.object({ user: userSchema, nick: z.string().nullish() }).nullish(),
  user: userSchema.nullish(),
});

/** A slash command. */
export const commandSchema = interactionBase.extend({
  type: z.literal(2),
  data: z.object({ type: z.literal(1), name: z.string(), options: z.array(optionSchema).optional() }),
});
export type WireCommand = z.output<typeof commandSchema>;

/** A press of a button. */
export const pressSchema = interactionBase.extend({
  type: z.literal(3),
  data: z.object({ component_type: z.literal(2), custom_id: z.string() }),
  message: z.object({ id, content: z.string().default("") }),
});
export type WirePress = z.output<typeof pressSchema>;

/** What the bot's own account is called. */
export const accountSchema = userSchema;
