import { expect, test } from "vitest";
import { startListening, useWorld } from "./lab.ts";

const world = useWorld();
const DISCORD_WAITS_MS = 3000;

test("two hundred commands at the same moment all get their sign of life before Discord gives up", async () => {
  const { gateway } = await startListening(world());
  const chats = Array.from({ length: 50 }, (_, index) => world().direct(`person ${index}`));
  for (let round = 0; round < 4; round++)
    await Promise.all(chats.map((chat, index) => world().command(chat, `person ${index}`, "/status")));
  await gateway.until(() => gateway.messages.length === 200);
  const waits = [...world().server.state.interactions.values()].map(({ deferredAfterMs }) => deferredAfterMs);
  expect(waits).toHaveLength(200);
  expect(waits.filter((ms) => ms === undefined || ms >= DISCORD_WAITS_MS)).toEqual([]);
});
