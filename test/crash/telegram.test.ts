import { once } from "node:events";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { REPEAT_MARK } from "../../src/platforms/contract.ts";
import { describeKills } from "./platform-kills.ts";
import { loadSpare, startParley, type ParleyProcess } from "./processes.ts";
import { startOutsideWorld } from "./scripted-model.ts";
import { privateRedis } from "../setup/redis.ts";
import type { Chat } from "../platforms/world.ts";
import { ReplyLost } from "../platforms/telegram/bot-api.ts";
import { openTelegramWorld, type TelegramWorld } from "../platforms/telegram/world.ts";

describeKills("Telegram", () => openTelegramWorld(), { repeats: "marked" });

/** Redis, a model that answers `done <word>`, and what a process needs to reach them and Telegram. */
async function openScene() {
  const world = await openTelegramWorld();
  onTestFinished(() => world.close());
  const server = await privateRedis({ args: ["--appendonly", "yes", "--maxmemory-policy", "noeviction"] });
  const outside = await startOutsideWorld(() => 5);
  onTestFinished(() => outside.stop());
  const env = {
    REDIS_URL: server.socketPath,
    AI_URL: outside.modelUrl,
    AI_MODEL: "scripted",
    EFFECT_URL: outside.effectUrl,
    PARLEY_ACCESS: "open",
    ...world.env,
  };
  return { world, env, socketPath: server.socketPath };
}

async function kill(process: ParleyProcess): Promise<void> {
  process.child.kill("SIGKILL");
  await process.ended;
}

const answersTo = (world: TelegramWorld, chat: Chat, word: string) =>
  world.kept(chat).filter(({ text }) => text.includes(`done ${word}:`));

/** Resolves when every one of these was answered; says what is missing when that takes too long. */
async function allAnswered(world: TelegramWorld, chat: Chat, words: readonly string[]): Promise<void> {
  const missing = () => words.filter((word) => answersTo(world, chat, word).length === 0);
  const late = once(AbortSignal.timeout(40_000), "abort").then(() => {
    throw new Error(`no answer to ${missing().join()}; there is ${JSON.stringify(world.shown(chat))}`);
  });
  await Promise.race([world.when(() => missing().length === 0), late]);
}

test.each([
  ["as soon as it was given the update", "answer"],
  ["when it confirms what it has kept", "arrival"],
] as const)("killed %s: exactly one answer, without a mark", async (_, at) => {
  const { world, env } = await openScene();
  const chat = world.direct("ana");
  const first = await startParley(env);
  await world.when(() => world.api.updates.polled);
  const killed = new Promise<void>((resolve) => {
    const strike = async () => {
      if (world.unacknowledged() === 0) return;
      world.api.onArrival("getUpdates", undefined);
      world.api.onCall("getUpdates", undefined);
      await kill(first);
      resolve();
      throw new ReplyLost();
    };
    // The reply to the waiting poll, or the call that confirms what was in it.
    if (at === "answer") world.api.onCall("getUpdates", () => void kill(first).then(resolve));
    else world.api.onArrival("getUpdates", strike);
  });
  await world.say(chat, "ana", { text: "m1" });
  await killed;
  world.api.onCall("getUpdates", undefined);
  await startParley(env);
  await allAnswered(world, chat, ["m1"]);
  await world.say(chat, "ana", { text: "m2" });
  await allAnswered(world, chat, ["m2"]);
  expect(world.unacknowledged()).toBe(0);
  expect(answersTo(world, chat, "m1")).toHaveLength(1);
  expect(world.kept(chat).filter(({ text }) => text.includes(REPEAT_MARK))).toEqual([]);
});

test.each([
  ["before Telegram took the answer", "arrival", 1],
  ["after Telegram took the answer and before it said so", "effect", 2],
] as const)("killed %s: %s, one answer or one and a marked repeat", async (_, at, posts) => {
  const { world, env } = await openScene();
  const chat = world.direct("ana");
  const first = await startParley(env);
  const killed = new Promise<void>((resolve) => {
    const strike = async () => {
      world.api.onArrival("sendMessage", undefined);
      world.api.onCall("sendMessage", undefined);
      await kill(first);
      resolve();
      throw new ReplyLost();
    };
    if (at === "arrival") world.api.onArrival("sendMessage", strike);
    else world.api.onCall("sendMessage", strike);
  });
  await world.say(chat, "ana", { text: "m1" });
  await killed;
  await startParley(env);
  await world.when(() => answersTo(world, chat, "m1").length === posts);
  await world.say(chat, "ana", { text: "m2" });
  await allAnswered(world, chat, ["m2"]);
  // Nobody can know whether the first try arrived: what comes after it says so, in both cases.
  expect(answersTo(world, chat, "m1").map(({ text }) => text.startsWith(REPEAT_MARK))).toEqual(
    posts === 1 ? [true] : [false, true],
  );
  expect(answersTo(world, chat, "m2")).toHaveLength(1);
});

test("the time in which a kill can make an answer come twice is the one call that posts it", async () => {
  const { world, env, socketPath } = await openScene();
  const chat = world.direct("ana");
  const redis = new Redis({ path: socketPath });
  const monitor = await redis.monitor();
  onTestFinished(() => {
    monitor.disconnect();
    redis.disconnect();
  });
  const marks: { readonly what: "marked" | "sent"; readonly at: number }[] = [];
  monitor.on("monitor", (time: string, args: readonly string[]) => {
    const words = args.join(" ");
    if (words.includes("sending:0:")) marks.push({ what: "marked", at: Number(time) * 1000 });
    if (words.includes('"postedId"')) marks.push({ what: "sent", at: Number(time) * 1000 });
  });
  await startParley(env);
  await world.say(chat, "ana", { text: "m1" });
  await allAnswered(world, chat, ["m1"]);
  await expect.poll(() => marks.some(({ what }) => what === "sent"), { timeout: 10_000 }).toBe(true);
  const windowMs =
    (marks.find(({ what }) => what === "sent")?.at ?? 0) - (marks.find(({ what }) => what === "marked")?.at ?? 0);
  expect(windowMs).toBeGreaterThan(0);
  // On a machine that does nothing else it is about 5 ms, of which Telegram's answer is most.
  expect(windowMs).toBeLessThan(2_000);
  console.log(`telegram: an answer can come twice when killed within ${windowMs.toFixed(1)} ms`);
});

test("two processes, one token: one listens; when it is killed the other one listens within ten seconds", async () => {
  const { world, env, socketPath } = await openScene();
  const redis = new Redis({ path: socketPath });
  onTestFinished(() => redis.disconnect());
  const chat = world.direct("ana");
  const first = await startParley(env);
  await world.when(() => world.api.updates.polled);
  const second = await (await loadSpare(env)).begin();
  await world.say(chat, "ana", { text: "m1" });
  await allAnswered(world, chat, ["m1"]);
  // With two pollers Telegram would have refused one of them.
  expect(world.api.updates.conflicts).toBe(0);
  // Killed before it has noted that the answer was sent it would leave a repeat, as the tests above show.
  await expect.poll(() => redis.keys("{p*}own"), { timeout: 10_000 }).toEqual([]);
  await kill(first);
  const begun = performance.now();
  await world.say(chat, "ana", { text: "m2" });
  await world.say(chat, "ana", { text: "m3" });
  await world.when(() => world.unacknowledged() === 0);
  const ms = Math.round(performance.now() - begun);
  // Ten seconds are promised and about five usual; twice as long only on a machine that hardly gets to run.
  console.log(`telegram: the other process answered ${ms} ms after the kill`);
  expect(ms).toBeLessThan(20_000);
  await allAnswered(world, chat, ["m2", "m3"]);
  for (const word of ["m1", "m2", "m3"]) expect(answersTo(world, chat, word)).toHaveLength(1);
  expect(second.child.exitCode).toBe(null);
});
