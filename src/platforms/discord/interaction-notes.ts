import { z } from "zod";
import type { PlatformNotes } from "../notes.ts";
import type { InteractionReply } from "./api.ts";
import { isSnowflake } from "./snowflake.ts";

// Discord takes the answer to a command for 15 minutes.
const REPLY_MS = 14 * 60_000;
const CLAIM_MS = 2 * REPLY_MS;

const replySchema = z.object({ applicationId: z.string(), token: z.string() });

/** Keeps how a command can be answered, for whichever process sends the answer. */
export async function keepReply(interactionId: string, reply: InteractionReply, notes: PlatformNotes): Promise<void> {
  await notes.write(`reply:${interactionId}`, JSON.stringify(reply), REPLY_MS);
}

/** How a command can still be answered; undefined for other messages, and when it is too late. */
export async function findReply(interactionId: string, notes: PlatformNotes): Promise<InteractionReply | undefined> {
  if (!isSnowflake(interactionId)) return undefined;
  const text = await notes.read(`reply:${interactionId}`);
  if (text === undefined) return undefined;
  try {
    return replySchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Decides what stands in place of a command's reply: true for the first one that asks, and for it always. */
export async function claimReply(interactionId: string, by: string, notes: PlatformNotes): Promise<boolean> {
  return (await notes.keep(`replied:${interactionId}`, by, CLAIM_MS)) === by;
}
