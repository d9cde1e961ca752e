import { OutsideError } from "./kernel/errors.ts";
import type { ModelClient } from "./models/contract.ts";
import type { Metrics, StepKind } from "./telemetry/metrics.ts";
import type { Tool } from "./tools/contract.ts";

/** The same client, with its calls and tokens counted. */
export function meterModel(client: ModelClient, metrics: Metrics): ModelClient {
  return {
    async ask(request) {
      const reply = await counted("model", metrics, () => client.ask(request));
      metrics.modelTokens({ input: reply.usage.inputTokens, output: reply.usage.outputTokens });
      return reply;
    },
  };
}

/** The same tool, with its calls counted. */
export function meterTool(tool: Tool, metrics: Metrics): Tool {
  return { ...tool, run: (args, context) => counted("tool", metrics, () => tool.run(args, context)) };
}

async function counted<T>(kind: StepKind, metrics: Metrics, work: () => Promise<T>): Promise<T> {
  try {
    const value = await work();
    metrics.stepFinished(kind, "done");
    return value;
  } catch (error) {
    const passing = error instanceof OutsideError && error.retry.kind === "after";
    metrics.stepFinished(kind, passing ? "retried" : "failed");
    throw error;
  }
}
