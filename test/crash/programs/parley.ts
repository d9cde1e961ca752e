// The real program with three more tools, whose effects the test's outside world counts. Prints its URL when it is up.
import { once } from "node:events";
import { z } from "zod";
import { startApp } from "../../../src/app.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import type { Effect, Tool } from "../../../src/tools/contract.ts";
import { defineTool } from "../../../src/tools/define.ts";

const effectUrl = z.string().parse(process.env["EFFECT_URL"]);

function countedTool(name: string, effect: Effect, approval: "ask" | "never" = "never"): Tool {
  return defineTool({
    name,
    approval,
    // The world's answers are "{}": nothing anybody wrote.
    trusted: true,
    description: `Has an effect of the class ${effect} in the outside world.`,
    effect,
    input: z.object({ message: z.string() }),
    async run({ message }, { idempotencyKey, signal }) {
      const response = await fetch(effectUrl, {
        method: "POST",
        body: JSON.stringify({ tool: name, key: idempotencyKey, message }),
        signal,
      });
      await response.text();
      return `${name} ok`;
    },
  });
}

// A spare has everything loaded and begins when it is told to, so that a killed process is replaced at once.
if (process.env["SPARE"] === "1") {
  console.log("spare");
  await once(process.stdin, "data");
  process.stdin.destroy();
}

const { config } = await loadConfig({ env: process.env, dir: "config" });
const log = createLogger({ level: config.log_level, secrets: [], form: "json" });
const seconds = Number(process.env["APPROVAL_S"] ?? config.approvals.expire_s);
const app = await startApp({
  config: { ...config, approvals: { ...config.approvals, expire_s: seconds } },
  configDir: "config",
  log,
  tools: [
    countedTool("look", "read"),
    countedTool("put", "idempotent"),
    countedTool("pay", "once"),
    countedTool("buy", "once", "ask"),
  ],
});
console.log(`ready ${app.url ?? "-"}`);
process.once("SIGTERM", () => void app.stop().then(() => process.exit(0)));
