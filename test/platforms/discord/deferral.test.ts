import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { startListening, useWorld } from "./lab.ts";

const world = useWorld();

// How soon is only told, not judged: other tests take the machine's time.
test("two hundred commands in a second are all kept, each with its sign of life first", async () => {
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
  expect(new Set(gateway.messages.map(({ id }) => id))).toEqual(new Set(ids));
});
