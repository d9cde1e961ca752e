import { describe, expect, test } from "vitest";
import { createMetrics } from "./metrics.ts";

describe("metrics", () => {
  test("count what happened, in Prometheus' text format", async () => {
    const metrics = createMetrics();
    metrics.messageAdmitted("slack", "started");
    metrics.messageAdmitted("slack", "started");
    metrics.messageAdmitted("api", "duplicate");
    metrics.runFinished("answered", 1500);
    metrics.stepFinished("model", "done");
    metrics.stepFinished("tool", "failed");
    metrics.modelTokens({ input: 100, output: 20 });
    metrics.delivered("slack", "delivered");
    metrics.setActiveRuns(3);
    metrics.setOldestUnanswered(2500);
    metrics.workersReaped(2);
    metrics.redisReconnected();
    const lines = (await metrics.text()).split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        'parley_messages_admitted_total{platform="slack",status="started"} 2',
        'parley_messages_admitted_total{platform="api",status="duplicate"} 1',
        'parley_runs_finished_total{end="answered"} 1',
        'parley_run_duration_seconds_bucket{le="1",end="answered"} 0',
        'parley_run_duration_seconds_bucket{le="2.5",end="answered"} 1',
        'parley_run_duration_seconds_sum{end="answered"} 1.5',
        'parley_steps_total{kind="model",outcome="done"} 1',
        'parley_steps_total{kind="tool",outcome="failed"} 1',
        'parley_model_tokens_total{direction="input"} 100',
        'parley_model_tokens_total{direction="output"} 20',
        'parley_deliveries_total{platform="slack",result="delivered"} 1',
        "parley_active_runs 3",
        "parley_oldest_unanswered_message_age_seconds 2.5",
        "parley_workers_reaped_total 2",
        "parley_redis_reconnects_total 1",
      ]),
    );
    expect(metrics.contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
  });

  test("show zero before anything happened", async () => {
    const text = await createMetrics().text();
    for (const name of [
      "active_runs",
      "oldest_unanswered_message_age_seconds",
      "workers_reaped_total",
      "redis_reconnects_total",
    ])
      expect(text).toContain(`parley_${name} 0\n`);
  });

  test("of two parts in one process do not mix", async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.setActiveRuns(5);
    expect(await other.text()).toContain("parley_active_runs 0\n");
  });

  test("take an odd number without throwing", async () => {
    const metrics = createMetrics();
    metrics.modelTokens({ input: Number.NaN, output: -3 });
    metrics.runFinished("failed", Number.NEGATIVE_INFINITY);
    metrics.workersReaped(-1);
    metrics.setOldestUnanswered(-5);
    expect(await metrics.text()).toContain('parley_model_tokens_total{direction="output"} 0\n');
  });
});
