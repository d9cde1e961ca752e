import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { openSchedulePopulation } from "../../bench/schedule-population.ts";
import { privateRedis } from "../setup/redis.ts";

const COUNT = 20_000;

test.each([
  { perPerson: 10, most: 160 },
  { perPerson: 1, most: 293 },
])("a schedule of a person with $perPerson takes at most $most bytes of Redis", async ({ perPerson, most }) => {
  const server = await privateRedis();
  const redis = new Redis({ path: server.socketPath });
  const population = openSchedulePopulation(server.socketPath);
  onTestFinished(async () => {
    await population.close();
    redis.disconnect();
  });
  const due = Date.UTC(2030, 0, 1);
  population.setClock(due - 1);
  await population.fill(64, 64, due);
  await redis.flushall();
  const before = await usedMemory(redis);
  await population.fill(COUNT, perPerson, due);
  expect(((await usedMemory(redis)) - before) / COUNT).toBeLessThan(most);
  population.setClock(due);
  expect(await population.sweeper.sweep()).toBe(COUNT);
  expect(await population.sweeper.sweep()).toBe(0);
});

async function usedMemory(redis: Redis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info("memory"))?.[1]);
}
