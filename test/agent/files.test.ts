import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { IncomingFile } from "../../src/agent/attachment-intake.ts";
import type { ConversationId } from "../../src/kernel/ids.ts";
import { parseMessageId, parseWorkspaceId } from "../../src/kernel/ids.ts";
import { defineTool } from "../../src/tools/define.ts";
import { docxBomb, docxOf, DOT_PNG, pdfOf } from "../files/samples.ts";
import { testRedis } from "../setup/redis.ts";
import { openLab, type Lab } from "./lab.ts";
import { call, hold, say } from "./model-server.ts";

const USER = parseWorkspaceId("user-1");
const SETTINGS = `
ai: { url: "http://127.0.0.1:1/v1", vision: true, tool_result_chars: 2000 }
attachments: { max_files: 6, max_bytes: 200000, text_chars: 6000 }
`;

const longTool = defineTool({
  name: "long_result",
  description: "Gives five million characters.",
  effect: "read",
  input: z.object({}),
  run: () => `begin ${"0123456789".repeat(500_000)} end`,
});

let lab: Lab;
beforeAll(async () => {
  lab = await openLab({ database: await testRedis(), settings: SETTINGS, tools: [longTool] });
});
afterAll(() => lab.close());

const text = (name: string, content: string): IncomingFile => ({
  name,
  mimeType: "text/plain",
  content: Buffer.from(content),
});

let count = 0;
/** Sends a message with files, as the API does: the files are kept first. */
async function sendFiles(from: Lab, conversationId: ConversationId, said: string, files: readonly IncomingFile[]) {
  const id = parseMessageId(`files-${(count += 1)}`);
  const attachments = await from.runtime().attachments.take({ workspaceId: USER, conversationId, id }, files);
  return from.send(conversationId, said, { id, attachments });
}

const uploadsLeft = async () => (await lab.redis.keys("*upload*")).filter((key) => !key.endsWith(":uploads"));

describe("a file that a person sends", () => {
  test("reaches the model as text, and its state reaches the person", async () => {
    const chat = lab.conversation();
    lab.model.when("what do they say", say("I read them."), say("Still."));
    const { id } = await sendFiles(lab, chat, "what do they say", [
      text("notes.txt", "the secret word is plum"),
      { name: "letter.docx", mimeType: "application/octet-stream", content: docxOf("Dear Ada") },
      { name: "paper.pdf", mimeType: "application/pdf", content: pdfOf("A page about owls") },
    ]);
    await lab.answerTo(chat, id);
    const content = lab.model.request("what do they say").messages.at(-1)?.content ?? "";
    expect(content).toContain(
      '[attachment "notes.txt" (text/plain): read]\nthe secret word is plum\n[end of attachment "notes.txt"]',
    );
    expect(content).toContain("Dear Ada");
    expect(content).toContain("A page about owls");
    const [asked] = await lab.runtime().door.transcript(chat);
    expect(asked?.attachments).toEqual([
      { name: "notes.txt", mimeType: "text/plain", bytes: 23, state: "read" },
      { name: "letter.docx", mimeType: "application/octet-stream", bytes: expect.any(Number), state: "read" },
      { name: "paper.pdf", mimeType: "application/pdf", bytes: expect.any(Number), state: "read" },
    ]);
    expect(lab.events(chat)).toContainEqual({ type: "message.files", message_id: id, attachments: asked?.attachments });
  });

  test("stays in the conversation as text, and its bytes go", async () => {
    const chat = lab.conversation();
    lab.model.when("keep this", say("Kept."));
    lab.model.when("what was it", say("Plums."));
    await lab.answerTo(chat, (await sendFiles(lab, chat, "keep this", [text("a.txt", "plums")])).id);
    expect(await uploadsLeft()).toEqual([]);
    await lab.answerTo(chat, (await lab.send(chat, "what was it")).id);
    expect(lab.model.request("what was it").raw).toContain("plums");
  });

  test("is shown to a model that sees, in its own run and only there", async () => {
    const chat = lab.conversation();
    lab.model.when("what is on it", call({ name: "time_now" }), say("A dot."));
    lab.model.when("and now", say("It was a dot."));
    const { id } = await sendFiles(lab, chat, "what is on it", [
      { name: "dot.png", mimeType: "image/png", content: DOT_PNG },
    ]);
    await lab.answerTo(chat, id);
    const part = { type: "image_url", image_url: { url: `data:image/png;base64,${DOT_PNG.toString("base64")}` } };
    for (const number of [1, 2]) {
      const sent = JSON.parse(lab.model.request("what is on it", number).raw) as { messages: { content: unknown }[] };
      expect(sent.messages[1]?.content).toEqual([
        { type: "text", text: 'what is on it\n[attachment "dot.png" (image/png): shown to the model]' },
        part,
      ]);
    }
    await lab.answerTo(chat, (await lab.send(chat, "and now")).id);
    expect(lab.model.request("and now").raw).toContain("shown to the model");
    expect(lab.model.request("and now").raw).not.toContain("image_url");
    const [asked] = await lab.runtime().door.transcript(chat);
    expect(asked?.attachments).toMatchObject([{ state: "shown" }]);
  });

  test("that cannot be used is named with the reason, and the others still are", async () => {
    const chat = lab.conversation();
    lab.model.when("all of these", say("Some."));
    const { id } = await sendFiles(lab, chat, "all of these", [
      { name: "big.txt", mimeType: "text/plain", content: Buffer.alloc(200_001, "x") },
      { name: "bomb.docx", mimeType: "application/octet-stream", content: docxBomb(100_000_000) },
      { name: "fake.png", mimeType: "image/png", content: Buffer.from("no image") },
      { name: "voice.ogg", mimeType: "audio/ogg", content: Buffer.from("OggS\0") },
      { name: "tool.exe", mimeType: "application/x-dosexec", content: Buffer.from("MZ\0\0") },
      text("good.txt", "good words"),
      text("seventh.txt", "too many"),
    ]);
    await lab.answerTo(chat, id);
    const content = lab.model.request("all of these").messages.at(-1)?.content;
    expect(content?.split("\n")).toEqual([
      "all of these",
      '[attachment "big.txt" (text/plain): too large: 200001 bytes; at most 200000 are taken]',
      '[attachment "bomb.docx" (application/octet-stream): could not be read: it becomes too large when unpacked]',
      '[attachment "fake.png" (image/png): could not be read: it is not what its type says]',
      '[attachment "voice.ogg" (audio/ogg): unsupported type: nothing is set up here that listens to recordings]',
      '[attachment "tool.exe" (application/x-dosexec): unsupported type: it is neither text nor a known document]',
      '[attachment "good.txt" (text/plain): read]',
      "good words",
      '[end of attachment "good.txt"]',
      '[attachment "seventh.txt" (text/plain): could not be read: at most 6 files are taken with a message]',
    ]);
  });

  test("that is long is shown in part, and the model reads on where it stopped", async () => {
    const chat = lab.conversation();
    const long = Array.from({ length: 2_000 }, (_, index) => `line ${index}`).join("\n");
    lab.model.when(
      "read it all",
      async (response, asked) => {
        const [, reference, offset] = /reference \\"(res_\w+)\\", offset (\d+)/.exec(asked.raw) ?? [];
        await call({ name: "result_read", args: { reference, offset: Number(offset), limit: 1500 } })(response, asked);
      },
      say("Done."),
    );
    await lab.answerTo(chat, (await sendFiles(lab, chat, "read it all", [text("long.txt", long)])).id);
    const { messages } = lab.model.request("read it all", 2);
    expect(messages[1]?.content).toMatch(/read: its first part, 6000 of \d+ characters\]\nline 0\n/);
    const [, shown = ""] = /characters\]\n(.*)\n\[cut: /s.exec(messages[1]?.content ?? "") ?? [];
    const [, more = ""] = /^(.*)\n\[characters/s.exec(messages.at(-1)?.content ?? "") ?? [];
    expect(long.startsWith(shown + more)).toBe(true);
    expect(more).toHaveLength(1500);
  });

  test("that is gone before it was read is named as gone", async () => {
    const chat = lab.conversation();
    lab.model.when("where is it", say("Gone."));
    const id = parseMessageId("gone-1");
    const attachments = await lab
      .runtime()
      .attachments.take({ workspaceId: USER, conversationId: chat, id }, [text("a.txt", "x")]);
    await lab.redis.del(...(await lab.redis.keys("{ws:user-1}:upload*")));
    await lab.answerTo(chat, (await lab.send(chat, "where is it", { id, attachments })).id);
    expect(lab.model.request("where is it").raw).toContain(
      "could not be read: it is no longer kept; please send it again",
    );
  });

  test("at an address inside the network is not fetched", async () => {
    const chat = lab.conversation();
    lab.model.when("fetch that", say("No."));
    const files = [{ name: "a.txt", mimeType: "text/plain", url: "http://169.254.169.254/latest/meta-data" }];
    await lab.answerTo(chat, (await sendFiles(lab, chat, "fetch that", files)).id);
    expect(lab.model.request("fetch that").raw).toMatch(/could not be read: .*169\.254\.169\.254/);
  });

  test("is read once: a new worker finds its text in the journal", async () => {
    const chat = lab.conversation();
    const held = hold(say("never said"));
    lab.model.when("read once", held.reply, say("Read."));
    const { id } = await sendFiles(lab, chat, "read once", [text("a.txt", "apricot")]);
    await held.arrived;
    // The bytes are deleted: whoever looked at the file again would find nothing.
    expect(await uploadsLeft()).toEqual([]);
    await lab.restart();
    held.release();
    expect((await lab.answerTo(chat, id)).text).toBe("Read.");
    expect(lab.model.request("read once", 2).raw).toContain("apricot");
    const { runId } = (await lab.status(chat, id)) ?? {};
    const run = await lab.runtime().door.run(runId ?? ("" as never));
    expect(run?.steps.map(({ name, what }) => `${name} ${what}`)).toEqual(["file_1_1 attachment", "ai_call_1 model"]);
  });

  test("that answers a question is read as well", async () => {
    const chat = lab.conversation();
    lab.model.when("ask me", call({ name: "ask_user", args: { question: "Which file?" } }), say("Thanks."));
    const { id } = await lab.send(chat, "ask me");
    await lab.delivery(chat, "question");
    await sendFiles(lab, chat, "this one", [text("a.txt", "quince")]);
    await lab.answerTo(chat, id);
    expect(lab.model.request("ask me", 2).messages.at(-1)).toMatchObject({
      role: "tool",
      content: expect.stringContaining('this one\n[attachment "a.txt" (text/plain): read]\nquince'),
    });
  });
});

test("a model that takes no images is told of them, and so is the person", async () => {
  const blind = await openLab({ database: await testRedis() });
  try {
    const chat = blind.conversation();
    blind.model.when("look", say("I cannot."));
    await blind.answerTo(
      chat,
      (await sendFiles(blind, chat, "look", [{ name: "dot.png", mimeType: "image/png", content: DOT_PNG }])).id,
    );
    expect(blind.model.request("look").messages.at(-1)?.content).toBe(
      'look\n[attachment "dot.png" (image/png): unsupported type: the model in use cannot see images]',
    );
    expect((await blind.runtime().door.transcript(chat))[0]?.attachments).toMatchObject([{ state: "unsupported" }]);
  } finally {
    await blind.close();
  }
});

test("a recording is written down by the configured service, with another try when it is busy", async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      asked.push(`${request.method} ${request.url} ${request.headers.authorization} ${body.toString("latin1")}`);
      response.writeHead(asked.length === 1 ? 503 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(asked.length === 1 ? { error: { message: "busy" } } : { text: "Buy plums." }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const settings = `attachments: { transcription: { url: "http://127.0.0.1:${port}/v1", api_key: key-1, model: ears } }`;
  const hearing = await openLab({ database: await testRedis(), settings });
  try {
    const chat = hearing.conversation();
    hearing.model.when("listen", say("Plums it is."));
    const voice = { name: "voice", mimeType: "audio/ogg", content: Buffer.from("OggS\0sound") };
    await hearing.answerTo(chat, (await sendFiles(hearing, chat, "listen", [voice])).id);
    expect(hearing.model.request("listen").messages.at(-1)?.content).toBe(
      'listen\n[attachment "voice" (audio/ogg): read: written down by a machine]\nBuy plums.\n[end of attachment "voice"]',
    );
    expect(asked).toHaveLength(2);
    expect(asked[1]).toMatch(/^POST \/v1\/audio\/transcriptions Bearer key-1 /);
    expect(asked[1]).toContain('filename="voice.ogg"');
    expect(asked[1]).toContain("ears");
  } finally {
    await hearing.close();
    server.closeAllConnections();
    server.close();
  }
});

describe("a file that the model makes", () => {
  test("goes out with the answer, and stays in the transcript and in the message's record", async () => {
    const chat = lab.conversation();
    lab.model.when(
      "a report",
      call({ name: "artifact_create", args: { name: "report.md", content: "# R" } }),
      say("Here."),
    );
    const { id } = await lab.send(chat, "a report");
    const answer = await lab.answerTo(chat, id);
    const [file] = answer.files ?? [];
    expect(file).toMatchObject({ name: "report.md", media_type: "text/markdown", bytes: 3, user_id: "user-1" });
    expect((await lab.runtime().door.transcript(chat)).at(-1)?.files).toEqual([file]);
    expect((await lab.status(chat, id))?.answers[0]?.files).toEqual([file]);
    const { artifacts } = lab.runtime();
    expect(String(await artifacts.read(USER, file?.artifact_id ?? ""))).toBe("# R");
  });

  test("goes out also when the run fails after it", async () => {
    const chat = lab.conversation();
    lab.model.when("half a report", call({ name: "artifact_create", args: { name: "half.md", content: "x" } }));
    const { id } = await lab.send(chat, "half a report");
    expect(await lab.answerTo(chat, id)).toMatchObject({ kind: "error", files: [{ name: "half.md" }] });
  });
});

test("a file goes out also when the run is stopped after it", async () => {
  const chat = lab.conversation();
  const held = hold(say("never said"));
  lab.model.when("stop me", call({ name: "artifact_create", args: { name: "kept.md", content: "x" } }), held.reply);
  const { id } = await lab.send(chat, "stop me");
  await held.arrived;
  await lab.runtime().door.stop(chat);
  expect(await lab.answerTo(chat, id)).toMatchObject({ kind: "notice", files: [{ name: "kept.md" }] });
  held.release();
});

test("a result of five million characters is kept beside the journal, and the model can read on in it", async () => {
  const chat = lab.conversation();
  lab.model.when(
    "long one",
    call({ name: "long_result" }),
    async (response, asked) => {
      const [, reference] = /reference \\"(res_\w+)\\"/.exec(asked.raw) ?? [];
      await call({ name: "result_read", args: { reference, offset: 5_000_000, limit: 100 } })(response, asked);
    },
    say("Read."),
  );
  await lab.answerTo(chat, (await lab.send(chat, "long one")).id);
  const { messages } = lab.model.request("long one", 3);
  const shown = messages.find(({ role }) => role === "tool")?.content ?? "";
  expect(shown.length).toBeLessThanOrEqual(2_000);
  expect(shown).toMatch(/\[cut: characters \d+ to 5000010 are not shown; read on with result_read, reference "res_/);
  expect(messages.at(-1)?.content).toBe("456789 end\n[characters 5000000 to 5000010 of 5000010; this is the end]");
  const journals = await lab.redis.keys("{p0}c:*");
  const sizes = await Promise.all(journals.map((key) => lab.redis.memory("USAGE", key, "SAMPLES", 0)));
  expect(Math.max(...sizes.map(Number))).toBeLessThan(100_000);
});
