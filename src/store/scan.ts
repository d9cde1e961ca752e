import { Cluster } from "ioredis";
import type { RedisConnection } from "./connection.ts";

/** All keys that match a pattern, in pages, on every node. For rare work: it looks at every key there is. */
export async function* scanKeys(redis: RedisConnection, pattern: string): AsyncGenerator<string[]> {
  for (const node of redis instanceof Cluster ? redis.nodes("master") : [redis]) {
    let cursor = "0";
    do {
      const [next, keys] = await node.scan(cursor, "MATCH", pattern, "COUNT", 1000);
      cursor = next;
      yield keys;
    } while (cursor !== "0");
  }
}

/** A text as a pattern that matches only itself. */
export function literalPattern(text: string): string {
  return text.replaceAll(/[*?[\]^\\]/g, (sign) => `\\${sign}`);
}
