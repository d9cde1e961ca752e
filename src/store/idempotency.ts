import { z } from "zod";
import type { NewId } from "../kernel/ports.ts";
import type { RedisConnection } from "./connection.ts";
import { defineScript } from "./script.ts";

/** What is to be done with a request that carries an idempotency key. */
export type Begun =
  /** Do it, and call `end`. `operation` is the same on every attempt at this request. */
  | { readonly kind: "begun"; readonly operation: string; readonly token: string }
  /** It was done; this is the answer it got. */
  | { readonly kind: "answered"; readonly answer: string }
  /** Another attempt is under way. */
  | { readonly kind: "busy" }
  /** The key was used for another request. */
  | { readonly kind: "other" };

/** How an attempt ended: with an answer to keep, in doubt so that it may be tried again, or without having done a thing. */
export type Ended =
  | { readonly how: "answered"; readonly answer: string }
  | { readonly how: "failed" }
  | { readonly how: "forget" };

/** Remembers requests by name, so that a repeated one is answered instead of done again. */
export interface IdempotencyStore {
  /** `print` is a fingerprint of the request; the same name with another one is another request. */
  begin(name: string, print: string): Promise<Begun>;
  /** Records how an attempt ended; changes nothing when its lease ran out and another attempt took over. */
  end(name: string, token: string, ended: Ended): Promise<void>;
}

const KEEP_MS = 24 * 3_600_000;
/** Longer than any request takes; after it a crashed attempt can be tried again. */
const LEASE_MS = 60_000;

const beginScript = defineScript({
  file: new URL("./scripts/begin-request.lua", import.meta.url),
  keys: ["request"],
  args: ["print", "token", "operation", "leaseMs", "keepMs"],
  reply: z.tuple([z.enum(["begun", "answered", "busy", "other"]), z.string()]),
});

const endScript = defineScript({
  file: new URL("./scripts/end-request.lua", import.meta.url),
  keys: ["request"],
  args: ["token", "how", "answer", "keepMs"],
  reply: z.enum(["ended", "lost"]),
});

/** Keeps requests in Redis for a day. */
export function createIdempotencyStore(
  redis: RedisConnection,
  options: { readonly newId: NewId; readonly leaseMs?: number },
): IdempotencyStore {
  const { newId, leaseMs = LEASE_MS } = options;
  return {
    async begin(name, print) {
      const token = newId();
      const [kind, value] = await beginScript.run(
        redis,
        { request: keyOf(name) },
        { print, token, operation: newId(), leaseMs, keepMs: KEEP_MS },
      );
      switch (kind) {
        case "begun":
          return { kind, operation: value, token };
        case "answered":
          return { kind, answer: value };
        case "busy":
        case "other":
          return { kind };
      }
    },
    async end(name, token, ended) {
      const answer = ended.how === "answered" ? ended.answer : "";
      await endScript.run(redis, { request: keyOf(name) }, { token, how: ended.how, answer, keepMs: KEEP_MS });
    },
  };
}

function keyOf(name: string): string {
  return `idem:${name}`;
}
