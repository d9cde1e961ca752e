import { pressPayloadSchema, type PlannedButton, type PressPayload } from "../kernel/presses.ts";
import type { RedisConnection } from "./connection.ts";

/** What buttons do, by the token that a press brings back. */
export interface PressStore {
  /** Safe to repeat. */
  keep(buttons: readonly PlannedButton[]): Promise<void>;
  /** Undefined when it is too old or was never there. */
  find(token: string): Promise<PressPayload | undefined>;
}

/** A day longer than a question waits for its answer, milliseconds. */
const KEEP_MS = 8 * 86_400_000;

/** Keeps buttons in Redis; platforms carry no more than a token. */
export function createPressStore(redis: RedisConnection): PressStore {
  const key = (token: string) => `press:${token}`;
  return {
    async keep(buttons) {
      await Promise.all(
        buttons.map(({ token, payload }) => redis.set(key(token), JSON.stringify(payload), "PX", KEEP_MS)),
      );
    },
    async find(token) {
      const stored = await redis.get(key(token));
      if (stored === null) return undefined;
      return pressPayloadSchema.parse(JSON.parse(stored));
    },
  };
}
