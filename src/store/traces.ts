import { z } from "zod";
import type { ConversationId, LaneId } from "../kernel/ids.ts";
import { laneParts } from "../kernel/ids.ts";
import { parseJson } from "../kernel/json.ts";
import type { RedisConnection } from "./connection.ts";
import { partitionKeys } from "./keys.ts";
import { scanKeys } from "./scan.ts";

/**
 * Deletes what the engine still knows of conversations that are gone: answers, pointers to runs, places of messages,
 * what was put up for approval, dead letters. The ids of messages stay for their two days, without saying what became of them: they keep a platform's
 * late redelivery from being answered as new. Looks at every key there is. Safe to repeat.
 */
export async function eraseTraces(
  redis: RedisConnection,
  partitions: number,
  gone: ReadonlySet<ConversationId>,
): Promise<void> {
  const isGone = (conversation: string | undefined) => gone.has(conversation as ConversationId);
  for await (const keys of scanKeys(redis, "{p*}[mrt]:*")) {
    await Promise.all(
      keys.map(async (key) => {
        const [, letter, rest = ""] = /^\{p\d+\}([mrt]):(.*)$/s.exec(key) ?? [];
        if (letter === "t") {
          const lane = await redis.get(key);
          if (lane !== null && isGone(laneParts(lane as LaneId).name)) await redis.del(key);
        } else if (isGone(rest.split(" ", 1)[0])) {
          if (letter === "r") await redis.del(key);
          // What still waits has come since and is owed its answer.
          else if ((await redis.get(key))?.startsWith("waiting ") === false)
            await redis.set(key, "withdrawn", "KEEPTTL", "XX");
        }
      }),
    );
  }
  for await (const keys of scanKeys(redis, "{p*}ap:*"))
    await Promise.all(
      keys.map(async (key) => {
        const about = (await redis.get(key))?.split("\n").at(-1) ?? "";
        if (isGone(aboutSchema.safeParse(parseJson(about)).data?.conversationId)) await redis.del(key);
      }),
    );
  for await (const keys of scanKeys(redis, "msg:*"))
    await Promise.all(keys.map(async (key) => isGone((await redis.get(key)) ?? undefined) && redis.del(key)));
  for (let index = 0; index < partitions; index++) {
    const { dead } = partitionKeys(index);
    for (const letter of await redis.lrange(dead, 0, -1))
      if (isGone(letterSchema.safeParse(parseJson(letter)).data?.message.conversationId))
        await redis.lrem(dead, 0, letter);
  }
}

const aboutSchema = z.object({ conversationId: z.string() });
const letterSchema = z.object({ message: z.object({ conversationId: z.string() }) });
