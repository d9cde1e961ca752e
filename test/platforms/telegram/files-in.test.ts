import { expect, test } from "vitest";
import { adapterOn, CALM, listenOn, testWorld } from "./rig.ts";

const { signal } = CALM;

test("a file that a person sent is fetched by the name the message gave it, which holds no token", async () => {
  const world = await testWorld();
  const { gateway, adapter } = listenOn(world);
  const content = Buffer.from("hello ".repeat(100));
  await world.say(world.direct("ana"), "ana", {
    text: "read this",
    files: [{ name: "a.txt", mimeType: "text/plain", content }],
  });
  await world.when(() => gateway.messages.length === 1);
  const [file] = gateway.messages[0]?.files ?? [];
  expect(file).toMatchObject({ name: "a.txt", mimeType: "text/plain", bytes: 600 });
  expect(file?.ref).not.toContain(world.token);
  expect(await adapter.fetchFile?.(file?.ref ?? "", { maxBytes: 1_000, signal })).toEqual({ content, more: false });
  expect(await adapter.fetchFile?.(file?.ref ?? "", { maxBytes: 10, signal })).toEqual({
    content: content.subarray(0, 10),
    more: true,
  });
});

test("a file over Telegram's limit for bots says so", async () => {
  const world = await testWorld();
  const { adapter } = adapterOn(world);
  world.api.files.set("big", { name: "big", mimeType: "x", content: Buffer.alloc(20_000_001) });
  await expect(adapter.fetchFile?.("big", { maxBytes: 10, signal })).rejects.toMatchObject({
    name: "OutsideError",
    code: "too-large",
    message: "Telegram gives files of up to 20 MB to bots, and this one is larger",
  });
});

test("a file that is unknown, and one that vanished before it was fetched", async () => {
  const world = await testWorld();
  const { adapter } = adapterOn(world);
  await expect(adapter.fetchFile?.("none", { maxBytes: 10, signal })).rejects.toMatchObject({ code: "bad-request" });
  world.api.files.set("short", { name: "short", mimeType: "x", content: Buffer.from("x") });
  world.api.onCall("getFile", () => world.api.files.delete("short"));
  await expect(adapter.fetchFile?.("short", { maxBytes: 10, signal })).rejects.toMatchObject({
    code: "not-found",
    message: "Telegram does not keep this file any more",
  });
});
