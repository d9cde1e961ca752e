import { z } from "zod";
import type { PlatformMessage, Press } from "../listening.ts";
import { type DialogState, dialogStateSchema, DIALOG, DECISION } from "./dialog.ts";
import { accountOf, chatOf, conversationAt, isDirect, type Spot, timeOf } from "./ids.ts";
import { readSlashCommand } from "./text.ts";

const userSchema = z.object({ id: z.string(), username: z.string().optional(), name: z.string().optional() });

const commandSchema = z.object({
  text: z.string().default(""),
  user_id: z.string(),
  user_name: z.string().optional(),
  channel_id: z.string(),
  trigger_id: z.string(),
});

/** A slash command as a message; undefined when it is none. Its id is Slack's name of the call. Pure. */
export function readSlash(body: unknown, at: number): PlatformMessage | undefined {
  const call = commandSchema.safeParse(body).data;
  if (call === undefined) return undefined;
  const { channel_id: channel, user_id: user } = call;
  return {
    id: call.trigger_id,
    conversationId: conversationAt({ channel, thread: undefined }),
    chat: chatOf(channel),
    direct: isDirect(channel),
    author: { id: accountOf(user), name: call.user_name ?? user, isBot: false },
    text: readSlashCommand(call.text),
    files: [],
    addressed: true,
    thread: false,
    at,
  };
}

const blockSchema = z.looseObject({ type: z.string() });

const actionSchema = z.object({
  trigger_id: z.string(),
  user: userSchema,
  channel: z.object({ id: z.string() }),
  message: z.object({
    ts: z.string(),
    thread_ts: z.string().optional(),
    text: z.string().default(""),
    blocks: z.array(blockSchema).optional(),
  }),
  actions: z.tuple(
    [z.object({ action_id: z.string(), value: z.string().optional(), action_ts: z.string() })],
    z.unknown(),
  ),
});

/** A message with buttons, as it stands when one of them is pressed. */
export interface Pressable extends Spot {
  readonly ts: string;
  readonly text: string;
  readonly blocks: readonly z.infer<typeof blockSchema>[];
}

/** A button that was pressed. */
export interface ActionPress {
  readonly press: Press;
  readonly user: string;
  readonly action: string;
  readonly trigger: string;
  readonly under: Pressable;
}

/** Reads a press of a button; undefined when it is none of ours. Pure. */
export function readAction(body: unknown): ActionPress | undefined {
  const pressed = actionSchema.safeParse(body).data;
  if (pressed === undefined) return undefined;
  const { channel, message, user, trigger_id: trigger } = pressed;
  const [action] = pressed.actions;
  const spot = { channel: channel.id, thread: message.thread_ts };
  return {
    press: toPress(spot, user, trigger, action.value ?? "", timeOf(action.action_ts)),
    user: user.id,
    action: action.action_id,
    trigger,
    under: { ...spot, ts: message.ts, text: message.text, blocks: message.blocks ?? [] },
  };
}

const submissionSchema = z.object({
  trigger_id: z.string().optional(),
  user: userSchema,
  view: z.object({
    id: z.string(),
    callback_id: z.literal(DIALOG),
    private_metadata: z.string(),
    state: z.object({
      values: z.object({
        [DECISION]: z.object({ [DECISION]: z.object({ selected_option: z.object({ value: z.enum(["yes", "no"]) }) }) }),
      }),
    }),
  }),
});

/** Reads the decision from the dialog; undefined when it is another dialog. Pure. */
export function readSubmission(
  body: unknown,
  at: number,
): { readonly press: Press; readonly user: string; readonly state: DialogState } | undefined {
  const submitted = submissionSchema.safeParse(body).data;
  if (submitted === undefined) return undefined;
  const { user, view, trigger_id: trigger } = submitted;
  const state = dialogStateSchema.safeParse(view.private_metadata).data;
  if (state === undefined) return undefined;
  const token = state[view.state.values[DECISION][DECISION].selected_option.value];
  const spot = { channel: state.channel, thread: state.thread };
  return { press: toPress(spot, user, trigger ?? view.id, token, at), user: user.id, state };
}

function toPress(spot: Spot, user: z.infer<typeof userSchema>, id: string, token: string, at: number): Press {
  return {
    conversationId: conversationAt(spot),
    chat: chatOf(spot.channel),
    direct: isDirect(spot.channel),
    token,
    by: { id: accountOf(user.id), name: user.name ?? user.username ?? user.id, isBot: false },
    id,
    at,
  };
}
