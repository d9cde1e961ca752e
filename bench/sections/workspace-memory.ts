import { setTimeout as delay } from "node:timers/promises";
import { createChatWorkspaces } from "../chat-workspaces.ts";
import type { PrivateRedis } from "../private-redis.ts";
import type { Bench, Section } from "../section.ts";
import { show } from "../table.ts";

const MESSAGE_BYTES = 250;
const EXCHANGES = 25;

/** What a person who said something and left costs in Redis. */
export async function workspaceMemory(bench: Bench): Promise<Section> {
  const { options } = bench;
  const wanted = options.size === "quick" ? 1_000 : 4_000;
  // A server of its own without an append-only file: nothing but the data is in its memory.
  const redis = await bench.startRedis(false);
  try {
    const empty = await steadyMemory(redis);
    const workspaces = await createChatWorkspaces({
      socketPath: redis.socketPath,
      seed: options.seed,
      say: (what) => bench.say(`workspace memory, ${what}`),
    });
    const sizes: [string, number, Map<string, number>][] = [];
    let count = 0;
    const weigh = async (name: string) => {
      const bytes = ((await steadyMemory(redis)) - empty) / count;
      sizes.push([name, bytes, await weighKinds(redis)]);
      return bytes;
    };
    count = await workspaces.talk({ workspaces: wanted, exchanges: EXCHANGES, messageBytes: MESSAGE_BYTES });
    const fresh = await weigh("right after the last message");
    bench.say("workspace memory, compacting");
    await workspaces.compact();
    await workspaces.close();
    const resting = await weigh("compacted, records still there");
    await expireRecords(redis);
    const idle = await weigh("idle: compacted, records expired");
    const kinds = [...new Set(sizes.flatMap(([, , byKind]) => [...byKind.keys()]))].sort();
    return {
      title: `Bytes in Redis per workspace with ${EXCHANGES * 2} messages of ${MESSAGE_BYTES} bytes, ${show(count)} workspaces`,
      tables: [
        {
          columns: ["state", "all keys", ...kinds],
          rows: sizes.map(([name, bytes, byKind]) => [
            name,
            show(bytes),
            ...kinds.map((kind) => show((byKind.get(kind) ?? 0) / count)),
          ]),
        },
      ],
      notes: [
        "All keys: growth of used_memory over the empty server, divided by the number of workspaces; about 1 MB of it are",
        "  loaded scripts and the like, which counts when there are few. By kind: MEMORY USAGE of the",
        "  keys, without the shares of the main dictionary: c journals, a archives, m fates of messages, r answers, t runs, conv*",
        "  the list of conversations, the rest are the engine's own collections.",
        "The messages went through the engine, the outbox and the delivery as they are; the text is prose of this project's documentation.",
        "Records recognise redeliveries and tell the fate of messages for 48 hours; idle means after that.",
      ],
      figures: { "workspace.fresh": fresh, "workspace.resting": resting, "workspace.idle": idle },
    };
  } finally {
    await redis.stop();
  }
}

/** Waits until the server has let go of what it no longer needs: big tables shrink in the background. */
async function steadyMemory(redis: PrivateRedis): Promise<number> {
  let used = (await redis.counters()).usedMemory;
  for (let look = 0; look < 20; look++) {
    await delay(1_000);
    const now = (await redis.counters()).usedMemory;
    if (Math.abs(now - used) < 32 * 1024) return now;
    used = now;
  }
  return used;
}

/** The bytes of all keys by the letters their names begin with. */
async function weighKinds({ admin }: PrivateRedis): Promise<Map<string, number>> {
  const bytes = new Map<string, number>();
  for await (const keys of scan(admin)) {
    const sizes = await Promise.all(keys.map((key) => admin.memory("USAGE", key, "SAMPLES", 0)));
    for (const [index, key] of keys.entries()) {
      const kind = /^(?:\{\w+\})?([a-z]+)/.exec(key)?.[1] ?? "other";
      bytes.set(kind, (bytes.get(kind) ?? 0) + (sizes[index] ?? 0));
    }
  }
  return bytes;
}

/** Does at once what time would do after 48 hours. */
async function expireRecords({ admin }: PrivateRedis): Promise<void> {
  for await (const keys of scan(admin)) {
    const records = keys.filter((key) => /^\{\w+\}[mrt]:/.test(key));
    if (records.length > 0) await admin.del(...records);
  }
}

async function* scan(admin: PrivateRedis["admin"]): AsyncGenerator<string[]> {
  let cursor = "0";
  do {
    const [next, keys] = await admin.scan(cursor, "COUNT", 1_000);
    cursor = next;
    yield keys;
  } while (cursor !== "0");
}
