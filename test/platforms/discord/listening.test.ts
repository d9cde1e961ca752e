import { afterEach, beforeEach, expect, test } from "vitest";
import { createRecordingGateway, createMemoryNotes, listenWith, testParts, type Listening } from "./lab.ts";
import { openDiscordWorld, type DiscordWorld } from "./world.ts";

let world: DiscordWorld;
const open: Listening[] = [];

beforeEach(async () => {
  world = await openDiscordWorld();
});

afterEach(async () => {
  for (const listening of open.splice(0)) await listening.stop();
  await world.close();
});

async function start(parts = testParts(), gateway = createRecordingGateway()) {
  const adapter = await world.adapter(parts);
  const listening = listenWith(adapter, gateway);
  open.push(listening);
  await Promise.race([listening.untilReport(({ connected }) => connected), listening.ended]);
  return { adapter, gateway, listening };
}

test("a direct message is kept as it was written", async () => {
  const { gateway } = await start();
  const chat = world.direct("Ana");
  const id = await world.say(chat, "Ana", { text: "hello" });
  await gateway.until(() => gateway.messages.length === 1);
  expect(gateway.messages).toEqual([
    {
      id,
      conversationId: chat.conversation(id),
      chat: chat.conversation(id),
      direct: true,
      author: world.person("Ana"),
      text: "hello",
      files: [],
      addressed: true,
      thread: false,
      at: expect.any(Number),
    },
  ]);
});
void createMemoryNotes;
