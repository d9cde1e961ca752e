import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { privateRedis, testRedis } from "./redis.ts";

const first = await testRedis();
const second = await testRedis();

function connect(options: { path: string; db?: number }): Redis {
  const redis = new Redis(options);
  onTestFinished(() => redis.disconnect());
  return redis;
}

test("every call hands out another empty database of the run's real server", async () => {
  expect(second.db).not.toBe(first.db);
  await connect(first).set("here", "only");
  expect(await connect(second).dbsize()).toBe(0);
  expect(await connect(first).get("here")).toBe("only");
});

test("a private server keeps what it was told to keep over a kill and a restart", async () => {
  const server = await privateRedis({ args: ["--appendonly", "yes", "--appendfsync", "always", "--save", ""] });
  const before = server.pid;
  await connect({ path: server.socketPath }).set("kept", "yes");
  await server.kill();
  await server.restart();
  expect(server.pid).not.toBe(before);
  expect(await connect({ path: server.socketPath }).get("kept")).toBe("yes");
});
