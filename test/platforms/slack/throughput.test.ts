import { expect, onTestFinished, test } from "vitest";
import { say } from "../../agent/model-server.ts";
import { openStage } from "../stage.ts";
import { openSlackWorld } from "./world.ts";

const PER_SECOND = 200;
const SECONDS = 4;
const PEOPLE = 40;
// How soon is only told, not judged: other tests take the machine's time.
test("200 events a second are all acknowledged", async ({ annotate }) => {
  const world = await openSlackWorld();
  onTestFinished(() => world.close());
  // The way in alone: what a process does besides is not measured here.
  const stage = await openStage(world, { env: { PARLEY_ROLES: "gateway" } });
  stage.model.otherwise(say("never asked"));
  const { server } = world;
  await server.space.until(() => (server.sockets.size === 1 ? true : undefined));
  const chats = Array.from({ length: PEOPLE }, (_, index) => world.direct(`person${index}`));
  const waits: Promise<number>[] = [];

  await new Promise<void>((resolve) => {
    const begun = performance.now();
    let count = 0;
    const timer = setInterval(() => {
      const due = Math.min(PER_SECOND * SECONDS, Math.floor(((performance.now() - begun) / 1_000) * PER_SECOND));
      for (; count < due; count++) {
        const sent = performance.now();
        void world.say(chats[count % PEOPLE] ?? (undefined as never), `person${count % PEOPLE}`, {
          text: `event ${count}`,
        });
        const envelope = server.sent.at(-1);
        if (envelope !== undefined) waits.push(envelope.answered.then(() => performance.now() - sent));
      }
      if (count < PER_SECOND * SECONDS) return;
      clearInterval(timer);
      resolve();
    }, 5);
  });
  const sorted = (await Promise.all(waits)).toSorted((a, b) => a - b);

  const at = (share: number) => Math.round(sorted[Math.ceil(sorted.length * share) - 1] ?? 0);
  await annotate(
    `acknowledged after ${at(0.5)} ms (half), ${at(0.99)} ms (99 of 100), ${at(1)} ms (slowest), at ${PER_SECOND} events a second`,
  );
  expect(sorted).toHaveLength(PER_SECOND * SECONDS);
  expect(world.unacknowledged()).toBe(0);
}, 60_000);
