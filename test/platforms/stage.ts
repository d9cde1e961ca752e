import { onTestFinished } from "vitest";
import { startApp, type App } from "../../src/app.ts";
import { loadConfig } from "../../src/config/load.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { startModelServer } from "../agent/model-server.ts";
import { privateRedis } from "../setup/redis.ts";
import type { World } from "./world.ts";

export interface StageOptions {
  /** Environment variables over those of the world. */
  readonly env?: Readonly<Record<string, string>>;
  /** The text of `parley.yaml`. */
  readonly settings?: string;
  /** When it is taken down; with the test unless told otherwise. */
  readonly until?: (end: () => Promise<void>) => void;
}

/** The whole program in this process, reached by people of a world only, with a scripted model. */
export async function openStage(world: World, options: StageOptions = {}) {
  const { env = {}, settings = "", until = onTestFinished } = options;
  const server = await privateRedis({ until });
  const model = await startModelServer();
  until(() => model.stop());
  const lines: string[] = [];
  const log = createLogger({
    level: "debug",
    secrets: [],
    form: "json",
    destination: { write: (line) => void lines.push(line) },
  });
  const { config } = await loadConfig({
    env: {
      REDIS_URL: server.socketPath,
      AI_URL: model.url,
      AI_MODEL: "scripted",
      PORT: "0",
      PARLEY_ACCESS: "open",
      ...world.env,
      ...env,
    },
    dir: "/config",
    readFile: (path) => Promise.resolve(path.endsWith(".yaml") ? settings : "You are a bot under test."),
  });
  let app = await startApp({ config, configDir: "/config", log });
  until(() => app.stop());
  world.attach?.(urlOf(app));
  return {
    model,
    redisSocket: server.socketPath,
    /** Every line that was logged, as JSON. */
    lines,
    url: () => urlOf(app),
    /** What `/readyz` says of each part. */
    async checks(): Promise<Readonly<Record<string, string>>> {
      const response = await fetch(`${urlOf(app)}/readyz`);
      return ((await response.json()) as { checks: Record<string, string> }).checks;
    },
    /** Stops the program as an operator does and starts it again. */
    async restart(): Promise<void> {
      await app.stop();
      app = await startApp({ config, configDir: "/config", log });
      world.attach?.(urlOf(app));
    },
  };
}

export type Stage = Awaited<ReturnType<typeof openStage>>;

function urlOf(app: App): string {
  if (app.url === undefined) throw new Error("the program has no address");
  return app.url;
}
