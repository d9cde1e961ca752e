import { expect, onTestFinished, test } from "vitest";
import { silentLog, systemClock } from "../../../src/kernel/ports.ts";
import { createChannelDirectory } from "../../../src/platforms/discord/channels.ts";
import { createEvents, type EventParts } from "../../../src/platforms/discord/events.ts";
import { loadReadMarks } from "../../../src/platforms/discord/read-marks.ts";
import { snowflakeAt } from "../../../src/platforms/discord/snowflake.ts";
import { createMemoryNotes, createRecordingGateway } from "./lab.ts";

const NOW = Date.now();
const at = (seconds: number) => snowflakeAt(NOW + seconds * 1000);
const GUILD = "11";
const CHANNEL = "12";

/** The handlers alone, with a Discord that only knows which channels it was asked about. */
async function open() {
  const notes = createMemoryNotes();
  await notes.write("heard", at(-600));
  const parts = { notes, clock: systemClock, log: silentLog };
  const asked: string[] = [];
  const controller = new AbortController();
  const gateway = createRecordingGateway();
  const marks = await loadReadMarks(parts);
  const api = {
    messagesAfter: (channel: string) => Promise.resolve({ messages: [], last: true, asked: asked.push(channel) }),
    setCommands: () => Promise.resolve(undefined),
    channel: () => Promise.reject(new Error("nobody asks for this")),
  } as unknown as EventParts["api"];
  const events = createEvents({
    api,
    channels: createChannelDirectory(api),
    notes,
    log: silentLog,
    threads: "busy",
    marks,
    report: { connected() {}, disconnected() {}, keeping() {} },
    fail: (error) => expect.unreachable(error.message),
    context: { gateway, heard() {}, signal: controller.signal },
  });
  onTestFinished(async () => {
    controller.abort();
    await events.settled();
  });
  const say = (id: string) =>
    events.take("MESSAGE_CREATE", {
      id,
      channel_id: "77",
      type: 0,
      content: "hello",
      timestamp: new Date(NOW).toISOString(),
      author: { id: "7", username: "ana" },
    });
  const ready = (...guilds: readonly string[]) =>
    events.take("READY", {
      user: { id: "1", username: "parley" },
      application: { id: "2" },
      guilds: guilds.map((id) => ({ id })),
    });
  const show = (id: string, last: string) =>
    events.take("GUILD_CREATE", { id, channels: [{ id: CHANNEL, type: 0, name: "general", last_message_id: last }] });
  return { events, marks, gateway, asked, say, ready, show };
}

test("how far everything was heard does not move on before every server was shown again", async () => {
  const { events, marks, gateway, say, ready } = await open();
  ready(GUILD);
  say(at(1));
  await gateway.until(() => gateway.messages.length === 1);
  await events.settled();
  expect(BigInt(marks.common())).toBeLessThan(BigInt(at(-599)));
  events.allGuildsCame();
  say(at(2));
  await gateway.until(() => gateway.messages.length === 2);
  await events.settled();
  expect(marks.common()).toBe(at(2));
});

test("a server that comes back after an outage of Discord is read from where it was left", async () => {
  const { events, asked, ready, show } = await open();
  ready(GUILD);
  show(GUILD, at(-3600));
  await events.settled();
  expect(asked).toEqual([]);
  events.take("GUILD_DELETE", { id: GUILD, unavailable: true });
  show(GUILD, at(5));
  await events.settled();
  expect(asked).toEqual([CHANNEL]);
});

test("a server to which the bot was just invited has no past for it", async () => {
  const { events, asked, ready, show } = await open();
  ready();
  show(GUILD, at(5));
  await events.settled();
  expect(asked).toEqual([]);
});
