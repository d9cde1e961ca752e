import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { startListening, useWorld } from "./lab.ts";

const world = useWorld();
const DISCORD_WAITS_MS = 3000;

test("two hundred commands in a second all get their sign of life before Discord gives up", async () => {
  const { gateway } = await startListening(world());
  const people = Array.from({ length: 50 }, (_, index) => `person ${index}`);
  const begun = performance.now();
  const given: Promise<string>[] = [];
  while (given.length < 200) {
    const by = people[given.length % people.length] ?? "";
    given.push(world().command(world().direct(by), by, "/status"));
    await delay(begun + given.length * 5 - performance.now());
  }
  const ids = await Promise.all(given);
  await gateway.until(() => gateway.messages.length === ids.length);
  const waits = [...world().server.state.interactions.values()].map(({ deferredAfterMs }) => deferredAfterMs);
  expect(waits).toHaveLength(ids.length);
  expect(waits.filter((ms) => ms === undefined || ms >= DISCORD_WAITS_MS)).toEqual([]);
});
