import { z } from "@hono/zod-openapi";
import { MAX_ID_LENGTH } from "../kernel/ids.ts";

const instant = z.string().meta({ description: "ISO 8601, UTC." });

/** Lets somebody in by the code they were given. */
export const pairSchema = z.strictObject({ code: z.string().min(1).max(40) }).meta({ id: "Pair" });

/** Somebody who may talk to the bot on a chat platform. */
const pairingSchema = z
  .object({ user_id: z.string(), name: z.string(), by: z.string(), at: instant })
  .meta({ id: "Pairing" });

/** Somebody who asked to. */
const askedPairingSchema = z
  .object({ code: z.string(), user_id: z.string(), name: z.string(), expires_at: instant })
  .meta({ id: "AskedPairing" });

export const pairedSchema = z.object({ user_id: z.string(), name: z.string() }).meta({ id: "Paired" });
export const pairingsSchema = z
  .object({ data: z.array(pairingSchema), pending: z.array(askedPairingSchema) })
  .meta({ id: "Pairings" });
export const pairingParamsSchema = z.object({ user_id: z.string().min(1).max(MAX_ID_LENGTH) });
