import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { openStage } from "../stage.ts";
import { testWorld } from "./rig.ts";

const EVENTS = 1_000;
const PEOPLE = 100;

test("a thousand events at once are kept, each once and in the order of its chat, before Telegram hears it", async () => {
  const world = await testWorld();
  // A process that only listens: what is answered later must not decide how fast messages are taken.
  const stage = await openStage(world, { env: { PARLEY_ROLES: "gateway,api" } });
  await world.when(() => world.api.updates.polled);
  for (let event = 0; event < EVENTS; event++) {
    const name = `person${event % PEOPLE}`;
    await world.say(world.direct(name), name, { text: `event ${event}` });
  }
  await world.when(() => world.unacknowledged() === 0);
  const redis = new Redis({ path: stage.redisSocket });
  onTestFinished(() => redis.disconnect());
  for (let person = 0; person < PEOPLE; person++) {
    const chat = world.direct(`person${person}`);
    const kept = await redis.lrange(`{p0}q:chat/${chat.conversation("")}`, 0, -1);
    expect(kept.map((entry) => /event (\d+)/.exec(entry)?.[1])).toEqual(
      Array.from({ length: EVENTS / PEOPLE }, (_, index) => String(person + index * PEOPLE)),
    );
  }
});
