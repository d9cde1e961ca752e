import { expect, test } from "vitest";
import type { PlatformAdapter } from "../../../src/platforms/contract.ts";
import { startListening, testParts, useWorld } from "./lab.ts";

const world = useWorld();
const limits = (maxBytes = 1000) => ({ maxBytes, signal: AbortSignal.timeout(15_000) });
const FILES = [
  { name: "notes.txt", mimeType: "text/plain", content: Buffer.from("twelve bytes") },
  { name: "voice-message.ogg", mimeType: "audio/ogg", content: Buffer.from([1, 2, 3]) },
];

async function sent() {
  const { adapter, gateway } = await startListening(world());
  await world().say(world().direct("Ana"), "Ana", { text: "look", files: FILES });
  await gateway.until(() => gateway.messages.length === 1);
  const files = gateway.messages[0]?.files ?? [];
  const fetch = (...given: Parameters<NonNullable<PlatformAdapter["fetchFile"]>>) =>
    adapter.fetchFile?.(...given) ?? fail();
  return { fetch, files, ref: files[0]?.ref ?? "" };
}

function fail(): never {
  throw new Error("Files cannot be fetched");
}

test("files come in by name, and are fetched when they are needed", async () => {
  const { fetch, files } = await sent();
  expect(files.map(({ name, mimeType, bytes }) => [name, mimeType, bytes])).toEqual([
    ["notes.txt", "text/plain", 12],
    ["voice-message.ogg", "audio/ogg", 3],
  ]);
  const fetched = await Promise.all(files.map(({ ref }) => fetch(ref, limits())));
  expect(fetched.map(({ content, mimeType, more }) => [Buffer.from(content), mimeType, more])).toEqual([
    [FILES[0]?.content, "text/plain", false],
    [FILES[1]?.content, "audio/ogg", false],
  ]);
});

test("a file is still fetched when the address it came with has ended", async () => {
  const { fetch, ref } = await sent();
  world().server.state.expireLinks();
  expect((await fetch(ref, limits())).content.byteLength).toBe(12);
});

test("no more is read of a file than there is room for", async () => {
  const { fetch, ref } = await sent();
  expect(await fetch(ref, limits(6))).toMatchObject({ content: Buffer.from("twelve").subarray(0, 6), more: true });
});

test("a file of a message that is gone is gone", async () => {
  const { fetch, ref } = await sent();
  const chat = world().direct("Ana");
  await world().delete(chat, ref.split("/")[1] ?? "");
  await expect(fetch(ref, limits())).rejects.toMatchObject({ name: "OutsideError", code: "not-found" });
});

test.each(["", "../users/@me", "1/2", "1/2/3/4", "http://127.0.0.1/x"])("%j names no file", async (ref) => {
  const adapter = world().adapter(testParts());
  await expect(adapter.fetchFile?.(ref, limits())).rejects.toMatchObject({ code: "bad-request" });
});

test("nothing is fetched from a place that is not Discord's", async () => {
  const { ref } = await sent();
  let asked = 0;
  const adapter = world().adapterWith(
    {
      fetch: () => {
        asked++;
        return Promise.resolve(new Response("x"));
      },
    },
    testParts(),
  );
  const { state } = world().server;
  for (const place of ["http://169.254.169.254", "http://127.0.0.1:1", "http://cdn.discordapp.com"]) {
    state.linkOf = () => `${place}/attachments/1/2/3/x`;
    await expect(adapter.fetchFile?.(ref, limits())).rejects.toMatchObject({ code: "refused" });
  }
  expect(asked).toBe(0);
  state.linkOf = () => "https://cdn.discordapp.com/attachments/1/2/3/x";
  await adapter.fetchFile?.(ref, limits());
  expect(asked).toBe(1);
});
