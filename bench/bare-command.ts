import { stepLine } from "../src/engine/journal.ts";
import { silentLog } from "../src/kernel/ports.ts";
import { connectRedis } from "../src/store/connection.ts";
import { partitionKeys } from "../src/store/keys.ts";
import { median } from "./statistics.ts";
import { FIRST_REPLY, TOOL_RESULT } from "./workload.ts";

/**
 * How long the command of a journalled step takes when it is all there is, milliseconds: the same line, appended to a
 * list on a connection of its own, one at a time. What a step adds beyond this is the engine's.
 */
export async function timeBareCommand(socketPath: string, count: number): Promise<number> {
  const redis = connectRedis({ kind: "socket", path: socketPath }, "bench-bare", silentLog);
  const key = `${partitionKeys(0).tag}j:0123456789.12345`;
  const lines = [FIRST_REPLY, TOOL_RESULT].map((value, index) =>
    stepLine({ step: `step_${index}`, outcome: { value }, at: Date.now(), ms: 0, tries: 1 }),
  );
  const times: number[] = [];
  try {
    await redis.rpush(key, "begin");
    for (let index = 0; index < count; index++) {
      const line = lines[index % lines.length] ?? "";
      const startedAt = performance.now();
      await redis.rpushx(key, line);
      times.push(performance.now() - startedAt);
    }
    await redis.del(key);
  } finally {
    redis.disconnect();
  }
  // The first ones warm this process up.
  return median(times.slice(Math.floor(count / 4)));
}
