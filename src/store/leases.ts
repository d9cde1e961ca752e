import { z } from "zod";
import type { RedisConnection } from "./connection.ts";
import { defineScript } from "./script.ts";

/** Who alone does something, for as long as they keep saying that they live. Redis' clock decides when a lease is over. */
export interface LeaseStore {
  /** Takes or keeps the lease; false while somebody else has it. Safe to repeat. */
  hold(name: string, holder: string, ttlMs: number): Promise<boolean>;
  /** Gives it back, if it is still held. */
  release(name: string, holder: string): Promise<void>;
  holder(name: string): Promise<string | undefined>;
}

const holdLease = defineScript({
  file: new URL("./scripts/hold-lease.lua", import.meta.url),
  keys: ["lease"],
  args: ["holder", "ttlMs"],
  reply: z.enum(["held", "other"]),
});

const releaseLease = defineScript({
  file: new URL("./scripts/release-lease.lua", import.meta.url),
  keys: ["lease"],
  args: ["holder"],
  reply: z.enum(["released", "other"]),
});

/** Keeps leases in Redis. */
export function createLeaseStore(redis: RedisConnection): LeaseStore {
  const key = (name: string) => `lease:${name}`;
  return {
    hold: async (name, holder, ttlMs) =>
      (await holdLease.run(redis, { lease: key(name) }, { holder, ttlMs })) === "held",
    async release(name, holder) {
      await releaseLease.run(redis, { lease: key(name) }, { holder });
    },
    holder: async (name) => (await redis.get(key(name))) ?? undefined,
  };
}
