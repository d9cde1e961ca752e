import { expect, test } from "vitest";
import { parseConversationId, parseMessageId, parseWorkspaceId } from "../kernel/ids.ts";
import { createAttachmentIntake } from "./attachment-intake.ts";

const MESSAGE = {
  workspaceId: parseWorkspaceId("ada"),
  conversationId: parseConversationId("c"),
  id: parseMessageId("m"),
};

const intake = (maxFiles = 5) =>
  createAttachmentIntake({
    uploads: { keep: async (_who, { index, content }) => (content.length === 7 ? undefined : `up_${index}`) },
    resolve: (account) => Promise.resolve(account),
    limits: () => ({ maxFiles, maxBytes: 10, maxRequestBytes: 100 }),
  });

const file = (name: string, length = 1, mimeType = "text/plain") => ({ name, mimeType, content: Buffer.alloc(length) });

test("what is kept is named by its upload, and all else says why it is not", async () => {
  const files = [
    file("a.txt"),
    file("b.txt", 11),
    file("c.txt", 7),
    { name: "d", mimeType: "x/y", url: "https://a.test/" },
  ];
  expect(await intake().take(MESSAGE, [...files, file("e.txt"), file("f.txt")])).toEqual([
    { name: "a.txt", mimeType: "text/plain", bytes: 1, upload: "up_0", state: "received" },
    { name: "b.txt", mimeType: "text/plain", bytes: 11, state: "too-large", reason: "11 bytes; at most 10 are taken" },
    {
      name: "c.txt",
      mimeType: "text/plain",
      bytes: 7,
      state: "too-large",
      reason: "it does not fit into what is kept for a person",
    },
    { name: "d", mimeType: "x/y", bytes: 0, url: "https://a.test/", state: "received" },
    { name: "e.txt", mimeType: "text/plain", bytes: 1, upload: "up_4", state: "received" },
    {
      name: "f.txt",
      mimeType: "text/plain",
      bytes: 1,
      state: "failed",
      reason: "at most 5 files are taken with a message",
    },
  ]);
});

test.each([
  ['a"]\n[attachment "b', "a_]_[attachment _b"],
  ["../../etc/passwd", ".._.._etc_passwd"],
  ["\u202Etxt.exe", "_txt.exe"],
  ["  ", "unnamed"],
  ["x".repeat(500), "x".repeat(200)],
])("the name %j is shown as %j", async (given, shown) => {
  expect((await intake().take(MESSAGE, [file(given)]))[0]?.name).toBe(shown);
});

test.each([
  ["Text/HTML; charset=utf-8", "text/html"],
  ["nonsense", "application/octet-stream"],
  ["a/b\r\nc: d", "application/octet-stream"],
])("the type %j is taken as %j", async (given, type) => {
  expect((await intake().take(MESSAGE, [file("a", 1, given)]))[0]?.mimeType).toBe(type);
});
