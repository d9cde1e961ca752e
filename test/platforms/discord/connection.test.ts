import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { systemClock } from "../../../src/kernel/ports.ts";
import { createMemoryNotes, createRecordingGateway, listenWith, startListening, testParts, useWorld } from "./lab.ts";

const world = useWorld();
const texts = (gateway: { readonly messages: readonly { readonly text: string }[] }) =>
  gateway.messages.map(({ text }) => text);

test("a dropped connection goes on where it was: what was said meanwhile comes in, once", async () => {
  const { gateway, listening } = await startListening(world());
  const chat = world().direct("Ana");
  await world().say(chat, "Ana", { text: "before" });
  await gateway.until(() => gateway.messages.length === 1);
  world().cut();
  await listening.untilReport(({ connected }) => !connected);
  expect(listening.reports.at(-1)?.trouble).toMatch(/connection to Discord was lost/);
  await world().say(chat, "Ana", { text: "meanwhile" });
  await gateway.until(() => gateway.messages.length === 2);
  await listening.untilReport(({ connected }) => connected);
  expect(texts(gateway)).toEqual(["before", "meanwhile"]);
  expect(world().server.gateway.begun).toEqual({ identified: 1, resumed: 1 });
});

test("when Discord has forgotten the session what was missed is fetched: in order, before what is new", async () => {
  const { gateway, listening } = await startListening(world());
  const [direct, channel] = [world().direct("Ana"), world().group("general")];
  await world().say(direct, "Ana", { text: "direct 1" });
  await world().say(channel, "Ben", { text: "channel 1", mention: true });
  await gateway.until(() => gateway.messages.length === 2);
  world().server.gateway.forgetSessions();
  world().cut();
  await listening.untilReport(({ connected }) => !connected);
  for (const text of ["direct 2", "direct 3"]) await world().say(direct, "Ana", { text });
  await world().say(channel, "Ben", { text: "channel 2", mention: true });
  await world().when(() => world().server.gateway.begun.identified === 2);
  await world().say(direct, "Ana", { text: "direct 4" });
  await gateway.until(() => gateway.messages.length === 6);
  expect(texts(gateway).filter((text) => text.startsWith("direct"))).toEqual([1, 2, 3, 4].map((n) => `direct ${n}`));
  expect(texts(gateway).filter((text) => text.startsWith("channel"))).toEqual(["channel 1", "channel 2"]);
});

test("a connection that looks alive and is not is given up and made again", async () => {
  world().server.heartbeatMs = 100;
  const { gateway, listening } = await startListening(world());
  world().server.gateway.playDead();
  await listening.untilReport(({ connected }) => !connected);
  await listening.untilReport(({ connected }) => connected);
  await world().say(world().direct("Ana"), "Ana", { text: "still there?" });
  await gateway.until(() => gateway.messages.length === 1);
});

test("another process goes on where this one stopped, also in channels in which the bot was never called", async () => {
  const notes = createMemoryNotes();
  const first = await startListening(world(), { parts: testParts({ notes }) });
  const [direct, quiet, channel] = [world().direct("Ana"), world().group("quiet"), world().group("general")];
  await world().say(direct, "Ana", { text: "direct 1" });
  await world().say(channel, "Ben", { text: "channel 1", mention: true });
  await first.gateway.until(() => first.gateway.messages.length === 2);
  await first.listening.stop();

  const thread = world().threadOf(channel, world().channel(channel).messages[0]?.id ?? "");
  await world().say(direct, "Ana", { text: "direct 2" });
  await world().say(quiet, "Cid", { text: "quiet 1", mention: true });
  for (let n = 2; n <= 205; n++) await world().say(channel, "Ben", { text: `channel ${n}` });
  await world().say(thread, "Ben", { text: "thread 1" });

  const second = await startListening(world(), { parts: testParts({ notes }) });
  await second.gateway.until(() => second.gateway.messages.length === 207);
  const found = texts(second.gateway);
  expect(found.filter((text) => text.startsWith("channel"))).toEqual(
    Array.from({ length: 204 }, (_, index) => `channel ${index + 2}`),
  );
  expect(found.filter((text) => !text.startsWith("channel")).toSorted()).toEqual(["direct 2", "quiet 1", "thread 1"]);
});

test("what was not kept when listening ended is not believed to be read", async () => {
  const notes = createMemoryNotes();
  const first = await startListening(world(), { parts: testParts({ notes }) });
  const chat = world().group("general");
  first.gateway.failing = Number.POSITIVE_INFINITY;
  await world().say(chat, "Ana", { text: "not lost", mention: true });
  await first.listening.untilReport(({ trouble }) => trouble !== undefined);
  await first.listening.stop();
  const { gateway } = await startListening(world(), { parts: testParts({ notes }) });
  await gateway.until(() => gateway.messages.length === 1);
  expect(texts(gateway)).toEqual(["not lost"]);
});

test("the first message of a direct chat is found again when the process ends before it is kept", async () => {
  const notes = createMemoryNotes();
  const first = await startListening(world(), { parts: testParts({ notes }) });
  first.gateway.failing = Number.POSITIVE_INFINITY;
  await world().say(world().direct("Ana"), "Ana", { text: "my first words" });
  await first.listening.untilReport(({ trouble }) => trouble !== undefined);
  await first.listening.stop();
  const { gateway } = await startListening(world(), { parts: testParts({ notes }) });
  await gateway.until(() => gateway.messages.length === 1);
  expect(texts(gateway)).toEqual(["my first words"]);
});

test("errors and limits while the gap is fetched are waited out", async () => {
  const notes = createMemoryNotes();
  const first = await startListening(world(), { parts: testParts({ notes }) });
  const chat = world().direct("Ana");
  await world().say(chat, "Ana", { text: "one" });
  await first.gateway.until(() => first.gateway.messages.length === 1);
  await first.listening.stop();
  await world().say(chat, "Ana", { text: "two" });
  world().server.failing = /^\/channels\/\d+\/messages$/;
  const { gateway, listening } = await startListening(world(), { parts: testParts({ notes }) });
  await expect.poll(() => world().server.calls.filter(({ status }) => status === 500).length).toBeGreaterThan(0);
  world().server.failing = undefined;
  await gateway.until(() => gateway.messages.length === 1);
  expect(texts(gateway)).toEqual(["two"]);
  expect(listening.reports.at(-1)).toEqual({ connected: true });
});

test("a channel that the bot may not read any more does not hold up the others", async () => {
  const notes = createMemoryNotes();
  const first = await startListening(world(), { parts: testParts({ notes }) });
  const [closed, open] = [world().direct("Ana"), world().direct("Ben")];
  await world().say(closed, "Ana", { text: "one" });
  await world().say(open, "Ben", { text: "one" });
  await first.gateway.until(() => first.gateway.messages.length === 2);
  await first.listening.stop();
  world().channel(closed).denied.add("view");
  await world().say(open, "Ben", { text: "two" });
  const { gateway } = await startListening(world(), { parts: testParts({ notes }) });
  await gateway.until(() => gateway.messages.length === 1);
  expect(texts(gateway)).toEqual(["two"]);
});

test("without the intent for messages the operator is told where to turn it on", async () => {
  world().server.state.messageContentAllowed = false;
  const { listening } = await startListening(world());
  expect(await listening.ended).toMatchObject({
    code: "forbidden",
    message: expect.stringMatching(
      /Turn on Message Content Intent at https:\/\/discord\.com\/developers\/applications/,
    ),
  });
});

test("a wrong token ends listening with the fix, and is in no message", async () => {
  const { listening } = await startListening(world(), { options: { token: "a-wrong-token" } });
  const error = (await listening.ended) as Error;
  expect(error).toMatchObject({ code: "unauthorized", message: expect.stringMatching(/DISCORD_TOKEN/) });
  expect(JSON.stringify([error.message, error.cause ?? null])).not.toContain("a-wrong-token");
});

test("a token that ends while the bot is connected ends listening with the fix", async () => {
  const { listening } = await startListening(world());
  world().server.gateway.closeAll(4004);
  expect(await listening.ended).toMatchObject({
    code: "unauthorized",
    message: expect.stringMatching(/DISCORD_TOKEN/),
  });
});

test("when Discord cannot be reached listening ends and says so", async () => {
  const { listening } = await startListening(world(), { options: { apiUrl: "http://127.0.0.1:9/api" } });
  expect(await listening.ended).toMatchObject({ code: "unavailable", message: expect.stringMatching(/ECONNREFUSED/) });
});

test("after the abort nothing is kept any more, and no connection is left or made again", async () => {
  const { gateway, listening } = await startListening(world());
  // The library is in the middle of making a lost connection again when it is told to end.
  world().cut();
  await listening.untilReport(({ connected }) => !connected);
  const begun = systemClock.monotonic();
  await listening.stop();
  expect(await listening.ended).toBeUndefined();
  // The library would come back after half a second.
  await delay(Math.max(0, 900 - (systemClock.monotonic() - begun)));
  expect(world().server.gateway.connected()).toBe(0);
  await world().say(world().direct("Ana"), "Ana", { text: "nobody there" });
  expect(gateway.messages).toEqual([]);
});

test("an abort before the connection stands ends at once", async () => {
  const listening = listenWith(world().adapterWith({}, testParts()), createRecordingGateway());
  await listening.stop();
  expect(world().server.gateway.begun.identified).toBe(0);
});
