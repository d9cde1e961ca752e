import { z } from "zod";

/**
 * What is read of Telegram's updates. Fields are Telegram's own: https://core.telegram.org/bots/api#update. A part of a
 * message that is not as expected counts as missing; the rest of the message still arrives.
 */
const id = z.number().int();
const soft = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined);
const text = () => soft(z.string());

const userSchema = z.object({
  id,
  is_bot: z.boolean(),
  first_name: z.string().default(""),
  last_name: text(),
  username: text(),
});

const chatSchema = z.object({
  id,
  type: z.enum(["private", "group", "supergroup", "channel"]),
  title: text(),
});

const entitySchema = z.object({
  type: z.string(),
  offset: z.number().int().nonnegative(),
  length: z.number().int().nonnegative(),
  user: soft(userSchema),
});

const fileSchema = z.object({
  file_id: z.string(),
  file_size: soft(z.number().int().nonnegative()),
  file_name: text(),
  mime_type: text(),
});

const originSchema = z.object({
  sender_user: soft(userSchema),
  sender_user_name: text(),
  sender_chat: soft(chatSchema),
  chat: soft(chatSchema),
});

const locationSchema = z.object({ latitude: z.number(), longitude: z.number(), live_period: soft(z.number()) });

const messageSchema = z.object({
  message_id: id,
  date: z.number().default(0),
  chat: chatSchema,
  from: soft(userSchema),
  sender_chat: soft(chatSchema),
  message_thread_id: soft(id),
  is_topic_message: soft(z.boolean()),
  media_group_id: text(),
  forward_origin: soft(originSchema),
  reply_to_message: soft(z.object({ message_id: id, from: soft(userSchema), forum_topic_created: soft(z.object({})) })),
  text: text(),
  caption: text(),
  entities: soft(z.array(entitySchema)),
  caption_entities: soft(z.array(entitySchema)),
  photo: soft(z.array(fileSchema.extend({ width: z.number(), height: z.number() }))),
  document: soft(fileSchema),
  animation: soft(fileSchema),
  audio: soft(fileSchema),
  video: soft(fileSchema),
  video_note: soft(fileSchema),
  voice: soft(fileSchema),
  sticker: soft(z.object({ emoji: text() })),
  location: soft(locationSchema),
  venue: soft(z.object({ location: locationSchema, title: z.string(), address: z.string() })),
  contact: soft(z.object({ phone_number: z.string(), first_name: z.string(), last_name: text() })),
  poll: soft(z.object({ question: z.string(), options: z.array(z.object({ text: z.string() })) })),
  dice: soft(z.object({ emoji: z.string(), value: z.number() })),
  story: soft(z.object({})),
  game: soft(z.object({})),
  invoice: soft(z.object({})),
  giveaway: soft(z.object({})),
  paid_media: soft(z.object({})),
  checklist: soft(z.object({})),
  migrate_to_chat_id: soft(id),
  migrate_from_chat_id: soft(id),
});
export type TelegramMessage = z.infer<typeof messageSchema>;
export type TelegramUser = z.infer<typeof userSchema>;
export type TelegramEntity = z.infer<typeof entitySchema>;

// A message that is too old comes without its content.
const pressedMessageSchema = z.object({
  message_id: id,
  chat: chatSchema,
  message_thread_id: soft(id),
  is_topic_message: soft(z.boolean()),
  text: text(),
  entities: soft(z.array(z.looseObject({ type: z.string(), offset: z.number(), length: z.number() }))),
});
export type PressedMessage = z.infer<typeof pressedMessageSchema>;

const callbackSchema = z.object({
  id: z.string(),
  from: userSchema,
  message: soft(pressedMessageSchema),
  data: text(),
});

const memberSchema = z.object({
  chat: chatSchema,
  from: userSchema,
  new_chat_member: z.object({ status: z.string() }),
});

export const updateSchema = z.object({
  update_id: id,
  message: messageSchema.optional(),
  edited_message: messageSchema.optional(),
  callback_query: callbackSchema.optional(),
  my_chat_member: memberSchema.optional(),
});
export type TelegramUpdate = z.infer<typeof updateSchema>;

/** The kinds of updates that are asked for; everything else stays at Telegram. */
export const ALLOWED_UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"] as const;
