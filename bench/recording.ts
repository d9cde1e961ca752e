import type { Engine } from "./engines/contract.ts";
import { closedLoop } from "./load.ts";
import { recordCommands, type RecordedCommand } from "./monitor.ts";
import type { PrivateRedis } from "./private-redis.ts";
import { onStage } from "./round.ts";
import { createMessages, IN_FLIGHT } from "./workload.ts";

/** Records what an engine sends for `count` runs on an empty Redis, from the start of its one worker on. */
export async function recordRuns(
  engine: Engine,
  redis: PrivateRedis,
  options: { readonly count: number; readonly seed: number },
): Promise<readonly RecordedCommand[]> {
  // Scripts are loaded at first use; after this the recording holds none of that.
  await onStage(engine, redis, { workers: 1 }, (stage) =>
    closedLoop(stage, { count: 200, inFlight: IN_FLIGHT, message: createMessages(options.seed, "w") }),
  );
  await redis.empty();
  const recording = await recordCommands(redis.socketPath);
  // The stage begins with an empty Redis too, so a replay may begin with one.
  await onStage(engine, redis, { workers: 1 }, (stage) =>
    closedLoop(stage, { count: options.count, inFlight: IN_FLIGHT, message: createMessages(options.seed, "m") }),
  );
  return recording.stop();
}
