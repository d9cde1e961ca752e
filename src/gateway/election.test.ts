import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { privateRedis } from "../../test/setup/redis.ts";
import { silentLog, systemClock } from "../kernel/ports.ts";
import { createLeaseStore } from "../store/leases.ts";
import { elect } from "./election.ts";

async function stage() {
  const server = await privateRedis();
  const connect = () => {
    const redis = new Redis({ path: server.socketPath, maxRetriesPerRequest: 0, retryStrategy: () => 50 });
    redis.on("error", () => {});
    onTestFinished(() => redis.disconnect());
    return redis;
  };
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const process = (holder: string, redis = connect()) => {
    const parts = { leases: createLeaseStore(redis), holder, clock: systemClock, log: silentLog };
    return { redis, parts, elect: () => elect("listen:telegram", stop.signal, parts) };
  };
  return { server, process, stop };
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve());
  });

test("one holds it, the other gets it as soon as it is given back", async () => {
  const { process } = await stage();
  const held = await process("a").elect();
  const other = process("b");
  let has = false;
  const waiting = other.elect().then((lease) => {
    has = true;
    return lease;
  });
  expect(await other.parts.leases.hold("listen:telegram", "b", 1_000)).toBe(false);
  expect(has).toBe(false);
  await held?.release();
  const second = await waiting;
  expect(await other.parts.leases.holder("listen:telegram")).toBe("b");
  expect(second?.signal.aborted).toBe(false);
  await second?.release();
});

test("a holder that dies without a word is followed within seconds", async () => {
  const { process } = await stage();
  const dead = process("a");
  // As a killed process: the lease is there and nobody renews it.
  expect(await dead.parts.leases.hold("listen:telegram", "a", 5_000)).toBe(true);
  const heir = await process("b").elect();
  expect(heir?.signal.aborted).toBe(false);
  await heir?.release();
});

test("a holder that cannot reach Redis lets go before anybody else can have it", async () => {
  const { server, process } = await stage();
  const held = await process("a").elect();
  await server.kill();
  await aborted(held?.signal ?? AbortSignal.abort());
  await held?.release();
}, 20_000);

test("a holder whose lease somebody else has now lets go", async () => {
  const { process } = await stage();
  const holder = process("a");
  const held = await holder.elect();
  await holder.redis.set("lease:listen:telegram", "b", "PX", 60_000);
  await aborted(held?.signal ?? AbortSignal.abort());
  await held?.release();
  expect(await holder.redis.get("lease:listen:telegram")).toBe("b");
});
