import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { createEmulator } from "emulate";
import { expect, onTestFinished, test } from "vitest";
import type { FileRef } from "../../../src/kernel/messages.ts";
import { silentLog, systemClock } from "../../../src/kernel/ports.ts";
import { createSlackAdapter } from "../../../src/platforms/slack/adapter.ts";
import { firstTry, memoryNotes, part } from "./lab.ts";

/*
 * The same adapter against a Slack that others wrote: what our own server gets wrong about the Web API would show here.
 * It has no Socket Mode, no streams and no limits on the rate, and takes any token.
 */

const TOKEN = "xoxb-emulated";
const SCOPES = ["chat:write", "channels:history", "channels:read", "files:read", "files:write", "users:read"];
const GENERAL = "C000000001";
const WHERE = `slack:${GENERAL}` as never;
const CONTENT = Buffer.from("name,value\n");
const FILE: FileRef = {
  artifact_id: "a1",
  name: "report.csv",
  media_type: "text/csv",
  bytes: CONTENT.length,
  user_id: "slack:U1" as never,
};

async function emulated({ scopes = SCOPES, notes = memoryNotes() } = {}) {
  const emulator = await createEmulator({
    service: "slack",
    port: await freePort(),
    seed: { slack: { strict_scopes: true, tokens: [{ token: TOKEN, type: "bot", scopes }] } },
  });
  onTestFinished(() => emulator.close());
  const call = async (method: string, args: Record<string, string>) => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const body = new URLSearchParams(args);
    return (await (await fetch(`${emulator.url}/api/${method}`, { method: "POST", headers, body })).json()) as {
      messages: { text: string; ts: string; thread_ts?: string; files?: { id: string; name: string }[] }[];
    };
  };
  const adapter = createSlackAdapter(
    { botToken: TOKEN, appToken: "xapp-1", apiUrl: `${emulator.url}/api` },
    { clock: systemClock, log: silentLog, notes, readFile: () => Promise.resolve(CONTENT) },
  );
  return { adapter, call, history: async () => (await call("conversations.history", { channel: GENERAL })).messages };
}

test("a message is posted with its mark, and a repeat finds it by that", async () => {
  const { adapter, history } = await emulated();
  const answer = part(WHERE, "*once*");

  const first = await adapter.send(answer, firstTry());
  const again = await adapter.send(answer, firstTry({ repeatSince: Date.now() }));

  expect(again).toEqual(first);
  expect((await history()).map(({ text, ts }) => ({ text, ts }))).toEqual([{ text: "*once*", ts: first.postedId }]);
});

test("in a thread, too", async () => {
  const { adapter, call } = await emulated();
  const root = await adapter.send(part(WHERE, "root"), firstTry());
  const answer = part(`slack:${GENERAL}:${root.postedId}` as never, "in it", { id: "run1:final:1" as never });

  const first = await adapter.send(answer, firstTry());
  const again = await adapter.send(answer, firstTry({ repeatSince: Date.now() }));

  expect(again).toEqual(first);
  const { messages } = await call("conversations.replies", { channel: GENERAL, ts: root.postedId });
  expect(messages.map(({ text }) => text)).toEqual(["root", "in it"]);
});

test("a message with buttons is taken", async () => {
  const { adapter, history } = await emulated();
  const buttons = [
    { label: "Approve", token: "y", style: "yes" },
    { label: "Deny", token: "n", style: "no" },
  ] as const;

  await adapter.send(part(WHERE, "May I?", { kind: "approval", buttons }), firstTry());

  expect(JSON.stringify(await history())).toContain("parley_details");
});

test("a file is uploaded and shared once, also when the sharing is repeated", async () => {
  const notes = memoryNotes();
  const { adapter, history } = await emulated({ notes });
  const sent = part(WHERE, "", { file: FILE });

  const first = await adapter.send(sent, firstTry());
  const again = await adapter.send(sent, firstTry({ repeatSince: Date.now() }));

  expect(again).toEqual(first);
  const [message, ...others] = await history();
  expect(others).toEqual([]);
  expect(message?.files).toMatchObject([{ name: "report.csv" }]);
  expect(message?.ts).toBe(first.postedId);

  const fetched = await adapter.fetchFile?.(message?.files?.[0]?.id ?? "", {
    maxBytes: 100,
    signal: new AbortController().signal,
  });
  expect(Buffer.from(fetched?.content ?? []).toString()).toBe(CONTENT.toString());
});

test.each([
  {
    what: "a missing scope",
    given: { scopes: ["channels:history"] },
    where: WHERE,
    code: "forbidden",
    says: "missing_scope (chat:write)",
  },
  { what: "a channel that is not there", given: {}, where: "slack:C404" as never, code: "not-found", says: "C404" },
])("$what is $code", async ({ given, where, code, says }) => {
  const { adapter } = await emulated(given);

  await expect(adapter.send(part(where, "hi"), firstTry())).rejects.toMatchObject({
    code,
    retry: { kind: "never" },
    message: expect.stringContaining(says),
  });
});

/** The emulator takes no port 0. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}
