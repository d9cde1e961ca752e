import { inspect } from "node:util";
import { expect, test } from "vitest";
import type { PlatformAdapter } from "../../../src/platforms/contract.ts";
import { memoryNotes } from "./recorder.ts";
import { adapterOn, CALM, listenOn, part, testWorld } from "./rig.ts";

const { signal } = CALM;

/** Everything an error holds, causes and hidden fields too. */
const whole = (error: unknown) => inspect(error, { depth: 20, showHidden: true, getters: true });

const TRIES: readonly (readonly [string, (adapter: PlatformAdapter, chat: ReturnType<typeof part>) => unknown])[] = [
  ["sending", (adapter, text) => adapter.send(text, CALM)],
  ["typing", (adapter, { conversationId }) => adapter.presence?.typing?.(conversationId, signal)],
  [
    "a preview",
    (adapter, { conversationId }) =>
      adapter.presence?.preview?.(conversationId, { text: "x", draft: undefined, step: "s" }, signal),
  ],
  ["progress", (adapter, { conversationId }) => adapter.presence?.progress?.(conversationId, "x", "5", signal)],
  ["fetching a file", (adapter) => adapter.fetchFile?.("short", { maxBytes: 10, signal })],
];

test.each(TRIES)("%s: no failure holds the token or the message", async (_, attempt) => {
  const world = await testWorld();
  const chat = world.direct("ana");
  world.api.files.set("short", { name: "short", mimeType: "x", content: Buffer.from("x") });
  const errors: unknown[] = [];
  const tried = async (adapter: PlatformAdapter) => {
    try {
      await attempt(adapter, part(chat, "my private words"));
    } catch (error) {
      errors.push(error);
    }
  };
  const { adapter } = adapterOn(world);
  world.api.answerNext("<html>502 Bad Gateway</html>");
  await tried(adapter);
  world.api.answerNext(undefined);
  await tried(adapter);
  world.api.revoked = true;
  await tried(adapter);
  await tried(adapterOn(world, { options: { apiUrl: "http://127.0.0.1:1" } }).adapter);
  expect(errors.length).toBeGreaterThanOrEqual(3);
  for (const error of errors) {
    expect(error).toMatchObject({ name: "OutsideError" });
    expect(whole(error)).not.toContain(world.token);
    expect(whole(error)).not.toContain(world.token.split(":")[1]);
    expect(whole(error)).not.toContain("my private words");
  }
});

test("no log line, health report or note of a listener in trouble holds the token", async () => {
  const world = await testWorld();
  const kept: string[] = [];
  const notes = memoryNotes();
  const watched = { ...notes, write: (key: string, value: string) => (kept.push(key, value), notes.write(key, value)) };
  const { gateway, logged, reports, over } = listenOn(world, { notes: watched });
  await world.when(() => world.api.updates.polled);
  world.cut();
  await world.when(() => reports.some(({ connected }) => !connected));
  gateway.failing = 2;
  await world.say(world.direct("ana"), "ana", { text: "hello" });
  await world.when(() => world.unacknowledged() === 0 && world.api.updates.polled);
  world.api.answerNext("<html>502 Bad Gateway</html>");
  world.cut();
  await world.when(() => logged.filter((line) => line.includes("could not be fetched")).length > 1);
  world.api.revoked = true;
  world.cut();
  const error: unknown = await over.catch((thrown: unknown) => thrown);
  const everything = [...logged, ...kept, JSON.stringify(reports), whole(error)].join("\n");
  expect(logged.length).toBeGreaterThan(2);
  expect(kept.length).toBeGreaterThan(0);
  expect(everything).not.toContain(world.token.split(":")[1]);
});
