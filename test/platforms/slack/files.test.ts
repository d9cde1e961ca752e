import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { FileRef } from "../../../src/kernel/messages.ts";
import { isSlacks } from "../../../src/platforms/slack/files.ts";
import { firstTry, part, slackLab } from "./lab.ts";

const signal = new AbortController().signal;
const CONTENT = Buffer.from("name,value\nalpha,1\n");
const FILE: FileRef = {
  artifact_id: "a1",
  name: "report.csv",
  media_type: "text/csv",
  bytes: CONTENT.length,
  user_id: "slack:U1" as never,
};
const files = { a1: CONTENT };

test("a file that a person sent is fetched by its id", async () => {
  const { world, gateway, adapter, listen } = await slackLab();
  await listen();
  const file = { name: "t.csv", mimeType: "text/csv", content: CONTENT };
  await world.say(world.direct("Ana"), "Ana", { text: "see", files: [file] });
  await gateway.until(() => gateway.messages.length === 1);
  const ref = gateway.messages[0]?.files[0]?.ref ?? "";

  const whole = await adapter.fetchFile?.(ref, { maxBytes: 1_000, signal });
  const cut = await adapter.fetchFile?.(ref, { maxBytes: 4, signal });

  expect(whole).toEqual({ content: CONTENT, mimeType: "text/csv", more: false });
  expect(cut).toEqual({ content: CONTENT.subarray(0, 4), mimeType: "text/csv", more: true });
});

test("the page to log in is not taken for the file: the missing scope is named", async () => {
  const { world, gateway, adapter, listen } = await slackLab();
  await listen();
  const file = { name: "t.csv", mimeType: "text/csv", content: CONTENT };
  await world.say(world.direct("Ana"), "Ana", { text: "see", files: [file] });
  await gateway.until(() => gateway.messages.length === 1);
  const fetching = () => adapter.fetchFile?.(gateway.messages[0]?.files[0]?.ref ?? "", { maxBytes: 1_000, signal });

  // The Web API refuses by itself; without it there would only be the page.
  world.server.rules.scopes = world.server.rules.scopes.filter((scope) => scope !== "files:read");
  await expect(fetching()).rejects.toThrow("missing_scope (files:read)");
  const { scopes } = world.server.rules;
  let asked = 0;
  Object.defineProperty(world.server.rules, "scopes", {
    get: () => (asked++ === 0 ? [...scopes, "files:read"] : scopes),
  });
  await expect(fetching()).rejects.toMatchObject({ code: "forbidden", message: expect.stringContaining("files:read") });
});

test("the token goes to Slack and to nobody else", async () => {
  const { world, gateway, adapter, listen } = await slackLab();
  await listen();
  const file = { name: "t.csv", mimeType: "text/csv", content: CONTENT };
  await world.say(world.direct("Ana"), "Ana", { text: "see", files: [file] });
  await gateway.until(() => gateway.messages.length === 1);
  const heard: unknown[] = [];
  const stranger = createServer((request, response) => {
    heard.push(request.headers.authorization);
    response.end("mine now");
  }).listen(0, "127.0.0.1");
  onTestFinished(() => {
    stranger.close();
  });
  await new Promise((resolve) => stranger.once("listening", resolve));
  world.server.rules.url = () => `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;

  const ref = gateway.messages[0]?.files[0]?.ref ?? "";
  await expect(adapter.fetchFile?.(ref, { maxBytes: 1_000, signal })).rejects.toThrow("foreign address");

  expect(heard).toEqual([]);
});

test.each([
  ["https://files.slack.com/files-pri/T1-F1/x.csv", true],
  ["https://slack.com/x", true],
  ["http://files.slack.com/x", false],
  ["https://files.slack.com.evil.example/x", false],
  ["https://evilslack.com/x", false],
  ["https://api.example:8443/x", true],
  ["https://api.example/x", false],
])("%s is Slack's: %s", (url, is) => {
  expect(isSlacks(url, "https://api.example:8443/api/")).toBe(is);
});

test("a file goes into the thread, and its message's id is kept", async () => {
  const { world, adapter } = await slackLab({ files });
  const chat = world.group("team");
  const root = await world.say(chat, "Ana", { text: "a report", mention: true });

  const { postedId } = await adapter.send(part(chat.conversation(root), "", { file: FILE }), firstTry());

  expect(world.shown(world.thread(chat, root))).toEqual([
    { id: postedId, text: "", buttons: [], files: [{ name: "report.csv", mimeType: "text/csv", content: CONTENT }] },
  ]);
});

test("a file whose sharing was not confirmed is not shared a second time, also by another process", async () => {
  const one = await slackLab({ files });
  const chat = one.world.direct("Ana");
  const sent = part(chat.conversation("1.1"), "", { file: FILE });
  one.world.fault({ kind: "reply-lost" });
  await expect(one.adapter.send(sent, firstTry())).rejects.toMatchObject({ retry: { kind: "after" } });

  const two = await slackLab({ world: one.world, notes: one.notes, files });
  const { postedId } = await two.adapter.send(sent, firstTry({ repeatSince: Date.now() }));

  expect(one.world.shown(chat)).toMatchObject([{ id: postedId, files: [{ name: "report.csv" }] }]);
});

test("a file whose sharing was refused is shared by the next try, without being uploaded again", async () => {
  const { world, adapter } = await slackLab({ files });
  const chat = world.direct("Ana");
  const sent = part(chat.conversation("1.1"), "", { file: FILE });
  world.fault({ kind: "rate-limited", seconds: 3 });
  await expect(adapter.send(sent, firstTry())).rejects.toMatchObject({
    code: "rate-limited",
    retry: { kind: "after", ms: 3_000 },
  });

  await adapter.send(sent, firstTry({ repeatSince: Date.now() }));

  expect(world.shown(chat)).toHaveLength(1);
  expect(world.server.calls.filter(({ method }) => method === "files.getUploadURLExternal")).toHaveLength(1);
});

test("a file that is no longer kept is said to be gone", async () => {
  const { world, adapter } = await slackLab();

  const sending = adapter.send(part(world.direct("Ana").conversation("1"), "", { file: FILE }), firstTry());

  await expect(sending).rejects.toMatchObject({ code: "not-found", retry: { kind: "never" } });
});
