import { z } from "zod";
import type { PlatformName } from "../kernel/messages.ts";
import type { RedisConnection } from "./connection.ts";
import { defineScript } from "./script.ts";

const KEEP_MS = 30 * 86_400_000;
/** Channels whose place is remembered; those that were silent for the longest time are forgotten first. */
const MAX_CHANNELS = 1_000;

const reachChannel = defineScript({
  file: new URL("./scripts/reach-channel.lua", import.meta.url),
  keys: ["channels", "cursors"],
  args: ["channel", "cursor", "at", "most", "keepMs"],
  reply: z.enum(["reached", "behind"]),
});

/** What an adapter remembers, in Redis. Every note ends by itself. */
export function createPlatformNotes(redis: RedisConnection, platform: PlatformName) {
  const noteKey = (key: string) => `note:{${platform}}:${key}`;
  const channels = `reached:{${platform}}:at`;
  const cursors = `reached:{${platform}}`;
  return {
    async read(key: string): Promise<string | undefined> {
      return (await redis.get(noteKey(key))) ?? undefined;
    },
    async write(key: string, value: string, ttlMs = KEEP_MS): Promise<void> {
      await redis.set(noteKey(key), value, "PX", ttlMs);
    },
    async keep(key: string, value: string, ttlMs = KEEP_MS): Promise<string> {
      const before = await redis.set(noteKey(key), value, "PX", ttlMs, "NX", "GET");
      return before ?? value;
    },
    /** Only ever forward: two processes may note their places in any order. */
    async reach(channel: string, cursor: string, at: number): Promise<void> {
      await reachChannel.run(
        redis,
        { channels, cursors },
        { channel, cursor, at: Math.round(at), most: MAX_CHANNELS, keepMs: KEEP_MS },
      );
    },
    async reached(): Promise<{ channel: string; cursor: string; at: number }[]> {
      const [ordered, places] = await Promise.all([
        redis.zrange(channels, "+inf", "-inf", "BYSCORE", "REV", "WITHSCORES"),
        redis.hgetall(cursors),
      ]);
      const found: { channel: string; cursor: string; at: number }[] = [];
      for (let index = 0; index < ordered.length; index += 2) {
        const channel = ordered[index] ?? "";
        const cursor = places[channel];
        if (cursor !== undefined) found.push({ channel, cursor, at: Number(ordered[index + 1]) });
      }
      return found;
    },
  };
}
