import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { startListening, useWorld } from "./lab.ts";

const world = useWorld();

// How soon is only told, not judged: other tests take the machine's time.
test("two hundred commands in a second are all kept, each with its sign of life first", async ({ annotate }) => {
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
  const waits = [...world().server.state.interactions.values()]
    .map(({ deferredAfterMs = Number.POSITIVE_INFINITY }) => deferredAfterMs)
    .toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(waits[Math.ceil(waits.length * share) - 1] ?? 0);
  await annotate(`deferred after ${at(0.5)} ms (half), ${at(0.99)} ms (99 of 100), ${at(1)} ms (slowest)`);
  expect(new Set(gateway.messages.map(({ id }) => id))).toEqual(new Set(ids));
});
