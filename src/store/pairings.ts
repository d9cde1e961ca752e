import { randomInt } from "node:crypto";
import { z } from "zod";
import { parseWorkspaceId, type WorkspaceId } from "../kernel/ids.ts";
import type { Clock } from "../kernel/ports.ts";
import type { RedisConnection } from "./connection.ts";
import { defineScript } from "./script.ts";

/** An account that was let in. */
export interface Paired {
  readonly account: WorkspaceId;
  readonly name: string;
  /** Who let it in. */
  readonly by: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** An account that asked to be let in. */
export interface AskedPairing {
  readonly code: string;
  readonly account: WorkspaceId;
  readonly name: string;
  readonly expiresAt: number;
}

/** Which accounts of chat platforms may talk to the bot, and which ask for it. */
export interface PairingStore {
  isPaired(account: WorkspaceId): Promise<boolean>;
  /** The code with which an administrator lets this account in, good for an hour; undefined when too many ask. */
  ask(account: WorkspaceId, name: string): Promise<string | undefined>;
  /** Lets the account in that asked with this code. Safe to repeat. */
  pair(
    code: string,
    by: string,
  ): Promise<{ readonly account: WorkspaceId; readonly name: string } | "unknown" | "full">;
  /** Tells whether it was let in before. */
  remove(account: WorkspaceId): Promise<boolean>;
  list(): Promise<readonly Paired[]>;
  pending(): Promise<readonly AskedPairing[]>;
}

/** How long a code is good, milliseconds. */
const CODE_MS = 60 * 60_000;
/** Strangers can make codes: so many may wait, and the rest is asked to come back. */
const MAX_PENDING = 500;
const MAX_PAIRED = 100_000;
// No letter or digit that looks like another one; 32 of them, so eight hold 40 bits for an hour.
const SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const CODE_SIGNS = 8;

const askPairing = defineScript({
  file: new URL("./scripts/ask-pairing.lua", import.meta.url),
  keys: ["pending", "of", "code"],
  args: ["code", "who", "now", "keepMs", "most"],
  reply: z.string(),
});

const pairByCode = defineScript({
  file: new URL("./scripts/pair.lua", import.meta.url),
  keys: ["allowed", "code", "pending"],
  args: ["code", "by", "at", "most"],
  reply: z.string(),
});

const whoSchema = z.object({ account: z.string(), name: z.string() });
const entrySchema = z.object({ name: z.string(), by: z.string(), at: z.number() });

const ALLOWED = "{pair}:allowed";
const PENDING = "{pair}:pending";
const codeKey = (code: string) => `{pair}:code:${code}`;

/** Keeps pairings in Redis under `{pair}`, where one step sees all of them. */
export function createPairingStore(redis: RedisConnection, clock: Pick<Clock, "now">): PairingStore {
  return {
    isPaired: async (account) => (await redis.hexists(ALLOWED, account)) === 1,
    async ask(account, name) {
      const code = Array.from({ length: CODE_SIGNS }, () => SIGNS[randomInt(SIGNS.length)]).join("");
      const good = await askPairing.run(
        redis,
        { pending: PENDING, of: `{pair}:of:${account}`, code: codeKey(code) },
        { code, who: JSON.stringify({ account, name }), now: clock.now(), keepMs: CODE_MS, most: MAX_PENDING },
      );
      return good === "" ? undefined : good;
    },
    async pair(typed, by) {
      const code = typed.toUpperCase().replaceAll(/[^A-Z0-9]/g, "");
      const reply = await pairByCode.run(
        redis,
        { allowed: ALLOWED, code: codeKey(code), pending: PENDING },
        { code, by, at: clock.now(), most: MAX_PAIRED },
      );
      if (reply === "unknown" || reply === "full") return reply;
      const { account, name } = whoSchema.parse(JSON.parse(reply));
      return { account: parseWorkspaceId(account), name };
    },
    remove: async (account) => (await redis.hdel(ALLOWED, account)) === 1,
    async list() {
      const entries = Object.entries(await redis.hgetall(ALLOWED));
      return entries
        .map(([account, value]) => ({ account: parseWorkspaceId(account), ...entrySchema.parse(JSON.parse(value)) }))
        .toSorted((one, other) => one.at - other.at || (one.account < other.account ? -1 : 1));
    },
    async pending() {
      const codes = await redis.zrange(PENDING, clock.now(), "+inf", "BYSCORE", "WITHSCORES");
      const found: AskedPairing[] = [];
      for (let index = 0; index < codes.length; index += 2) {
        const code = codes[index] ?? "";
        const who = await redis.get(codeKey(code));
        if (who === null) continue;
        const { account, name } = whoSchema.parse(JSON.parse(who));
        found.push({ code, account: parseWorkspaceId(account), name, expiresAt: Number(codes[index + 1]) });
      }
      return found;
    },
  };
}
