import { expect, onTestFinished, test } from "vitest";
import { describeKills } from "./platform-kills.ts";
import { openSlackWorld } from "../platforms/slack/world.ts";
import { privateRedis } from "../setup/redis.ts";
import { startParley } from "./processes.ts";
import { startOutsideWorld } from "./scripted-model.ts";

describeKills("Slack", openSlackWorld, { repeats: "recognised" });

test("Slack: of two processes both listen; one is killed while events come in, and nothing is lost or doubled", async () => {
  const world = await openSlackWorld();
  onTestFinished(() => world.close());
  const redis = await privateRedis({ args: ["--appendonly", "yes"] });
  const outside = await startOutsideWorld(() => 0);
  onTestFinished(() => outside.stop());
  const env = {
    AI_URL: outside.modelUrl,
    EFFECT_URL: outside.effectUrl,
    PARLEY_ACCESS: "open",
    REDIS_URL: redis.socketPath,
    ...world.env,
  };
  const { server } = world;
  const connected = (count: number) => server.space.until(() => (server.sockets.size === count ? true : undefined));
  await startParley(env);
  await connected(1);
  const second = await startParley(env);
  await connected(2);

  // Slack sends to the connection that was opened last: to the process that dies.
  const chats = Array.from({ length: 20 }, (_, index) => world.direct(`person${index}`));
  for (const [index, chat] of chats.entries()) {
    await world.say(chat, `person${index}`, { text: `m${index}` });
    if (index === 10) second.child.kill("SIGKILL");
  }
  await Promise.all(
    chats.map((chat, index) =>
      world.until(chat, (shown) => shown.some(({ text }) => text.includes(`done m${index}:`))),
    ),
  );
  await server.space.until(() => (world.unacknowledged() === 0 ? true : undefined));

  for (const [index, chat] of chats.entries()) {
    await world.say(chat, `person${index}`, { text: `n${index}` });
    const shown = await world.until(chat, (all) => all.some(({ text }) => text.includes(`done n${index}:`)));
    expect(shown.map(({ text }) => /done (\w+)/.exec(text)?.[1])).toEqual([`m${index}`, `n${index}`]);
  }
}, 90_000);
