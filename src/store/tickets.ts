import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import type { WorkspaceId } from "../kernel/ids.ts";
import type { RedisConnection } from "./connection.ts";

/** What the holder of a link may do once. */
const ticketSchema = z.discriminatedUnion("for", [
  z.object({ for: z.literal("credential"), person: z.string(), name: z.string() }),
  z.object({ for: z.literal("export"), person: z.string() }),
]);

export type Ticket =
  | { readonly for: "credential"; readonly person: WorkspaceId; readonly name: string }
  | { readonly for: "export"; readonly person: WorkspaceId };

/** One-time tickets: what a link in a chat lets its reader do on a page. Each is good for ten minutes. */
export interface TicketStore {
  /** Makes a ticket; its token is shown this once and not kept. */
  issue(ticket: Ticket): Promise<string>;
  /** What a token is for, without using it up: programs that preview links open them too. */
  look(token: string): Promise<Ticket | undefined>;
  /** Uses a ticket up. Do first what it is for: a step that is repeated must still find it. */
  use(token: string): Promise<void>;
}

/** How long a ticket is good, milliseconds. */
const TICKET_MS = 10 * 60_000;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** Keeps tickets in Redis by the SHA-256 of their tokens. */
export function createTicketStore(redis: RedisConnection): TicketStore {
  return {
    async issue(ticket) {
      const token = randomBytes(32).toString("base64url");
      await redis.set(keyOf(token), JSON.stringify(ticket), "PX", TICKET_MS);
      return token;
    },
    async look(token) {
      if (!TOKEN.test(token)) return undefined;
      const text = await redis.get(keyOf(token));
      if (text === null) return undefined;
      const ticket = ticketSchema.parse(JSON.parse(text));
      return { ...ticket, person: ticket.person as WorkspaceId };
    },
    async use(token) {
      await redis.del(keyOf(token));
    },
  };
}

function keyOf(token: string): string {
  return `ticket:${createHash("sha256").update(token).digest("hex")}`;
}
