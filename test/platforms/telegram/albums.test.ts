import { expect, test } from "vitest";
import type { WorldFile } from "../world.ts";
import { memoryNotes, Recorder } from "./recorder.ts";
import { listenOn, testWorld } from "./rig.ts";

const file = (name: string): WorldFile => ({ name, mimeType: "text/plain", content: Buffer.from(name) });
const names = (gateway: Recorder) => gateway.messages.map(({ files }) => files.map(({ name }) => name));

test("an album becomes one message with every file and the caption", async () => {
  const world = await testWorld();
  const { gateway } = listenOn(world);
  const chat = world.direct("ana");
  const id = await world.say(chat, "ana", { text: "three of them", files: [file("a"), file("b"), file("c")] });
  await world.when(() => world.unacknowledged() === 0 && gateway.messages.length === 1);
  expect(gateway.messages).toMatchObject([{ id, text: "three of them", addressed: true }]);
  expect(names(gateway)).toEqual([["a", "b", "c"]]);
});

test("parts that come one by one are waited for, unconfirmed, and what follows stays behind them", async () => {
  const world = await testWorld();
  const { gateway, waits } = listenOn(world, { options: { wait: (ms) => gates.wait(ms) } });
  const gates = stepByStep(() => world.api.changed());
  const group = world.group("team");
  world.bring(group, "ana", part("a"));
  await world.when(() => gates.waiting === 1);
  expect(world.unacknowledged()).toBe(1);
  world.bring(group, "ana", part("b"));
  await world.say(group, "bo", { text: "meanwhile" });
  gates.open();
  await world.when(() => gates.waiting === 1);
  expect(gateway.messages).toEqual([]);
  gates.open();
  await world.when(() => world.unacknowledged() === 0);
  expect(gateway.texts).toEqual(["", "meanwhile"]);
  expect(names(gateway)).toEqual([["a", "b"], []]);
  expect(waits).toEqual([]);
});

test("an album is complete without waiting when its author goes on to something else", async () => {
  const world = await testWorld();
  const chat = world.direct("ana");
  await world.say(chat, "ana", { text: "", files: [file("a"), file("b")] });
  await world.say(chat, "ana", { text: "what do you see?" });
  const { gateway, waits } = listenOn(world);
  await world.when(() => world.unacknowledged() === 0 && gateway.messages.length === 2);
  expect(names(gateway)).toEqual([["a", "b"], []]);
  expect(waits).toEqual([]);
});

test("a process that ends with half an album leaves all of it to the next one", async () => {
  const world = await testWorld();
  const chat = world.direct("ana");
  const gates = stepByStep(() => world.api.changed());
  const first = listenOn(world, { options: { wait: (ms) => gates.wait(ms) } });
  world.bring(chat, "ana", part("a"));
  await world.when(() => gates.waiting === 1);
  const ending = first.stop();
  gates.open();
  await ending;
  expect(first.gateway.messages).toEqual([]);
  world.bring(chat, "ana", part("b"));
  const { gateway } = listenOn(world);
  await world.when(() => world.unacknowledged() === 0 && gateway.messages.length === 1);
  expect(names(gateway)).toEqual([["a", "b"]]);
});

test("an album that was kept but not confirmed comes to the next process as the same message, a late part as its own", async () => {
  const world = await testWorld();
  const notes = memoryNotes();
  const gateway = new Recorder(() => world.api.changed());
  const chat = world.direct("ana");
  world.bring(chat, "ana", part("a"));
  world.bring(chat, "ana", part("b"));
  // Kept, and then ended before it could confirm: Telegram gives everything again, and one part more.
  const first = listenOn(world, { notes, gateway });
  await world.when(() => world.unacknowledged() === 0);
  await first.stop();
  const ids = gateway.messages.map(({ id }) => id);
  const [id = ""] = ids;
  world.api.updates.again(id);
  world.api.updates.again(String(Number(id) + 1));
  world.bring(chat, "ana", part("c"));
  listenOn(world, { notes, gateway });
  await world.when(() => world.unacknowledged() === 0);
  expect(names(gateway)).toEqual([["a", "b"], ["c"]]);
});

test("a changed caption of a part that is not the first changes the message of the album", async () => {
  const world = await testWorld();
  const { gateway } = listenOn(world);
  const chat = world.direct("ana");
  const id = await world.say(chat, "ana", { text: "", files: [file("a"), file("b")] });
  await world.when(() => world.unacknowledged() === 0);
  world.api.updates.add({
    edited_message: {
      message_id: Number(id) + 1,
      date: 1,
      edit_date: 2,
      chat: { id: world.served(chat).id, type: "private", first_name: "ana" },
      from: world.user("ana"),
      media_group_id: world.lastAlbum(),
      caption: "the second one",
    },
  } as never);
  await world.when(() => gateway.edits.length === 1);
  expect(gateway.edits).toMatchObject([{ id, text: "the second one" }]);
});

function part(name: string) {
  const document = { file_id: `id-${name}`, file_unique_id: "x", file_name: name };
  return { media_group_id: "77", document };
}

/** Waits that last until the test opens them. */
function stepByStep(changed: () => void) {
  let opened: (() => void) | undefined;
  return {
    get waiting() {
      return opened === undefined ? 0 : 1;
    },
    wait: (_ms: number) =>
      new Promise<void>((resolve) => {
        opened = resolve;
        changed();
      }),
    open() {
      const resolve = opened;
      opened = undefined;
      resolve?.();
    },
  };
}
