import { Redis } from "ioredis";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { createRecordingAdapter } from "../../test/platforms/recording-adapter.ts";
import { testRedis } from "../../test/setup/redis.ts";
import { OutsideError } from "../kernel/errors.ts";
import { silentLog, systemClock } from "../kernel/ports.ts";
import type { Gateway, Listener } from "../platforms/listening.ts";
import { createLeaseStore } from "../store/leases.ts";
import { describeHealth, supervise } from "./supervise.ts";

const redis = new Redis(await testRedis());
afterAll(() => redis.disconnect());
const leases = createLeaseStore(redis);
const gateway: Gateway = {
  message: () => Promise.resolve("ignored"),
  edited: () => Promise.resolve(),
  deleted: () => Promise.resolve(),
  pressed: () => Promise.resolve({ notice: "" }),
  approval: () => Promise.resolve(undefined),
  busy: () => Promise.resolve(false),
};

function watch(listener: Listener, holder = "me") {
  const { adapter } = createRecordingAdapter({ listener });
  const supervised = supervise(adapter, { gateway, leases, holder, clock: systemClock, log: silentLog });
  onTestFinished(() => supervised.stop());
  return supervised;
}

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve());
  });

test("a listener that fails is begun again by itself, and the operator reads why it failed", async () => {
  const again = Promise.withResolvers<void>();
  let begun = 0;
  const supervised = watch({
    exclusive: false,
    async listen({ signal, report, heard }) {
      if (++begun === 1) throw new OutsideError("the token is not good: set a new one", { code: "unauthorized" });
      report({ connected: true });
      heard();
      again.resolve();
      await untilAborted(signal);
    },
  });
  await expect.poll(() => supervised.health().trouble).toBe("the token is not good: set a new one");
  expect(describeHealth(supervised.health())).toMatch(
    /^connecting, nothing can come in since .*: the token is not good/,
  );
  await again.promise;
  const health = supervised.health();
  expect(health).toMatchObject({ state: "connected", trouble: undefined, deafSince: undefined });
  expect(describeHealth(health)).toMatch(/^connected, last event \d{4}-/);
  await supervised.stop();
  expect(supervised.health().state).toBe("stopped");
});

test("where only one may listen, the other stands by and begins when the first one is gone", async () => {
  const listening: string[] = [];
  const began: Record<string, () => void> = {};
  const until = (name: string) =>
    new Promise<void>((resolve) => {
      began[name] = resolve;
    });
  const listener = (name: string): Listener => ({
    exclusive: true,
    async listen({ signal, report }) {
      listening.push(name);
      report({ connected: true });
      began[name]?.();
      await untilAborted(signal);
    },
  });
  const firstBegan = until("first");
  const first = watch(listener("first"), "a");
  await firstBegan;
  const secondBegan = until("second");
  const second = watch(listener("second"), "b");
  expect(second.health()).toMatchObject({ state: "standby", deafSince: undefined });
  expect(describeHealth(second.health())).toBe("another process listens");
  await first.stop();
  await secondBegan;
  expect(listening).toEqual(["first", "second"]);
});

test("where the platform calls us, a process that does not look after that takes what comes all the same", async () => {
  const began = Promise.withResolvers<void>();
  const listener: Listener = {
    exclusive: true,
    async listen({ signal }) {
      began.resolve();
      await untilAborted(signal);
    },
    webhooks: () => [{ path: "/called", handle: () => Promise.resolve(new Response("ok")) }],
  };
  const first = watch(listener, "a");
  await began.promise;
  const second = watch(listener, "b");
  expect(second.webhooks).toHaveLength(1);
  expect(describeHealth(second.health())).toBe("connected");
  await first.stop();
});

test("losing the lease ends the listening at once", async () => {
  const ended = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  watch({
    exclusive: true,
    async listen({ signal }) {
      began.resolve();
      await untilAborted(signal);
      ended.resolve();
    },
  });
  await began.promise;
  await redis.set("lease:listen:slack", "somebody else", "PX", 60_000);
  onTestFinished(async () => {
    await redis.del("lease:listen:slack");
  });
  await ended.promise;
});
