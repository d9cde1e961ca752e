import { randomUUID } from "node:crypto";
import { loadConfig } from "../../src/config/load.ts";
import type { Log } from "../../src/kernel/ports.ts";
import { systemClock } from "../../src/kernel/ports.ts";
import { createModelClient } from "../../src/models/client.ts";
import { openModels } from "../../src/model-source.ts";
import { createRuntime, type Runtime, type RuntimeOptions } from "../../src/runtime.ts";
import type { RedisConnection } from "../../src/store/connection.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import type { Tool } from "../../src/tools/contract.ts";

/** Puts a runtime together as the program does, with the model at `modelUrl` and further tools. */
export async function assemble(options: {
  readonly database: { readonly path: string; readonly db: number };
  readonly redis: RedisConnection;
  readonly modelUrl: string;
  readonly modelTimeoutMs?: number | undefined;
  readonly tools?: readonly Tool[] | undefined;
  /** The text of `parley.yaml`. */
  readonly settings?: string | undefined;
  /** Further parts, as the program would have them. */
  readonly more?: Partial<RuntimeOptions> | undefined;
  /** Reaches the model as the program does, within the budgets of the settings. */
  readonly metered?: boolean | undefined;
  readonly log: Log;
}): Promise<Runtime> {
  const { settings = "", log, redis } = options;
  const { config } = await loadConfig({
    env: options.metered === true ? { AI_URL: options.modelUrl, AI_MODEL: "scripted" } : {},
    dir: "/config",
    readFile: (path) => Promise.resolve(path.endsWith(".yaml") ? settings : "You are a bot under test."),
  });
  const newId = () => randomUUID().replaceAll("-", "");
  const metered = options.metered === true ? await openModels({ config, redis, newId, log }) : undefined;
  return createRuntime({
    ...(metered === undefined ? {} : { budgets: metered.budgets }),
    config: () => config,
    redis,
    target: { kind: "socket", ...options.database },
    partitions: 1,
    model:
      metered?.client ??
      createModelClient({
        url: options.modelUrl,
        model: "scripted",
        vision: config.ai.vision,
        timeoutMs: options.modelTimeoutMs ?? 10_000,
        log,
        clock: systemClock,
      }),
    metrics: createMetrics(),
    newId,
    log,
    tools: options.tools ?? [],
    ...options.more,
  });
}
