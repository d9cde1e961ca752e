import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { PlatformName } from "../kernel/messages.ts";

/** What became of a message at the door. */
export type AdmittedStatus = "started" | "joined" | "queued" | "duplicate" | "full";
/** How a run ended. */
export type RunEnd = "answered" | "failed" | "stopped" | "silent";
/** What a step did. */
export type StepKind = "model" | "tool";
/** What came of one try of a step; `unknown` is an effect that may have happened. */
export type StepOutcome = "done" | "retried" | "failed" | "unknown";
/** What came of one try to deliver. */
export type DeliveryResult = "delivered" | "retried" | "dead";

/** The numbers this process shows to Prometheus. No function throws; all are cheap enough for every message. */
export interface Metrics {
  messageAdmitted(platform: PlatformName, status: AdmittedStatus): void;
  runFinished(end: RunEnd, durationMs: number): void;
  stepFinished(kind: StepKind, outcome: StepOutcome): void;
  modelTokens(tokens: { readonly input: number; readonly output: number }): void;
  delivered(platform: PlatformName, result: DeliveryResult): void;
  /** Runs this process is working on now. */
  setActiveRuns(count: number): void;
  /** How long the oldest message without an answer has waited; 0 when there is none. */
  setOldestUnanswered(ageMs: number): void;
  /** Other workers were found dead and their runs taken over. */
  workersReaped(count: number): void;
  redisReconnected(): void;
  /** A hook was called, failed, or was passed over because it is switched off or too slow. */
  hookCalled(point: string, outcome: "done" | "failed" | "skipped"): void;
  /** Everything in Prometheus' text format. */
  text(): Promise<string>;
  /** The content type to send `text` with. */
  readonly contentType: string;
}

// From a cached answer to a long chain of tools, in seconds.
const RUN_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900];

/** Builds the metrics on a registry of their own, so that two of them in one process do not mix. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const admitted = new Counter({
    name: "parley_messages_admitted_total",
    help: "Messages that arrived, by platform and by what became of them at the door.",
    labelNames: ["platform", "status"],
    registers,
  });
  const runs = new Counter({
    name: "parley_runs_finished_total",
    help: "Runs that ended, by how they ended.",
    labelNames: ["end"],
    registers,
  });
  const runSeconds = new Histogram({
    name: "parley_run_duration_seconds",
    help: "Time from the start of a run to its end, by how it ended.",
    labelNames: ["end"],
    buckets: RUN_SECONDS,
    registers,
  });
  const steps = new Counter({
    name: "parley_steps_total",
    help: "Tries of steps, by kind and by outcome.",
    labelNames: ["kind", "outcome"],
    registers,
  });
  const tokens = new Counter({
    name: "parley_model_tokens_total",
    help: "Tokens the model read and wrote.",
    labelNames: ["direction"],
    registers,
  });
  const deliveries = new Counter({
    name: "parley_deliveries_total",
    help: "Tries to deliver a message, by platform and by result.",
    labelNames: ["platform", "result"],
    registers,
  });
  const activeRuns = new Gauge({
    name: "parley_active_runs",
    help: "Runs this process is working on now.",
    registers,
  });
  const oldest = new Gauge({
    name: "parley_oldest_unanswered_message_age_seconds",
    help: "How long the oldest message without an answer has waited.",
    registers,
  });
  const reaped = new Counter({
    name: "parley_workers_reaped_total",
    help: "Workers found dead by this process, whose runs were taken over.",
    registers,
  });
  const reconnects = new Counter({
    name: "parley_redis_reconnects_total",
    help: "Times this process had to connect to Redis again.",
    registers,
  });
  const hooks = new Counter({
    name: "parley_hooks_total",
    help: "Calls of hooks, by point and by outcome.",
    labelNames: ["point", "outcome"],
    registers,
  });
  return {
    messageAdmitted: (platform, status) => admitted.inc({ platform, status }),
    runFinished: (end, durationMs) => {
      runs.inc({ end });
      runSeconds.observe({ end }, atLeastZero(durationMs) / 1000);
    },
    stepFinished: (kind, outcome) => steps.inc({ kind, outcome }),
    modelTokens: ({ input, output }) => {
      tokens.inc({ direction: "input" }, atLeastZero(input));
      tokens.inc({ direction: "output" }, atLeastZero(output));
    },
    delivered: (platform, result) => deliveries.inc({ platform, result }),
    setActiveRuns: (count) => activeRuns.set(atLeastZero(count)),
    setOldestUnanswered: (ageMs) => oldest.set(atLeastZero(ageMs) / 1000),
    workersReaped: (count) => reaped.inc(atLeastZero(count)),
    redisReconnected: () => reconnects.inc(),
    hookCalled: (point, outcome) => hooks.inc({ point, outcome }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

// A counter refuses to go down by throwing; a provider's odd number must not end a run.
function atLeastZero(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0;
}
