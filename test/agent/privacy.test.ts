import { afterAll, describe, expect, test } from "vitest";
import { chatLane } from "../../src/agent/lanes-of.ts";
import { packLines } from "../../src/engine/archive.ts";
import { createServerData } from "../../src/agent/privacy/stored.ts";
import { parseMessageId, parseWorkspaceId } from "../../src/kernel/ids.ts";
import { Secret } from "../../src/kernel/secret.ts";
import { connectRedis } from "../../src/store/connection.ts";
import { createCredentialStore } from "../../src/store/credentials.ts";
import { silentLog } from "../../src/kernel/ports.ts";
import { testRedis } from "../setup/redis.ts";
import { openLab } from "./lab.ts";
import { call, hold, say } from "./model-server.ts";

const database = await testRedis();
const outside = connectRedis({ kind: "socket", ...database }, "test", silentLog);
const credentials = createCredentialStore(outside, { masterKey: new Secret("a master key of the test") });
const servers = new Map<string, { readonly name: string; readonly url: string }[]>();
const lab = await openLab({
  database,
  more: {
    credentials,
    address: () => "http://bot.example",
    personalData: [
      createServerData({
        servers: (person) => Promise.resolve(servers.get(person) ?? []),
        erase: async (person) => void servers.delete(person),
      }),
    ],
  },
});
afterAll(async () => {
  await lab.close();
  outside.disconnect();
});

const person = (name: string) => ({ workspaceId: parseWorkspaceId(name) });

async function keysHolding(text: string): Promise<string[]> {
  const found = [];
  for (const key of await outside.keys("*")) {
    if (key.includes(text)) found.push(key);
    const type = await outside.type(key);
    const value =
      type === "hash"
        ? JSON.stringify(await outside.hgetall(key))
        : type === "list"
          ? JSON.stringify(await outside.lrange(key, 0, -1))
          : type === "zset"
            ? JSON.stringify(await outside.zrange(key, "0", "-1"))
            : type === "string"
              ? await outside.get(key)
              : "";
    if (value?.includes(text) === true && !found.includes(key)) found.push(key);
  }
  return found;
}

describe("/privacy export", () => {
  test("gives memory without secret values, conversations, credentials by name and servers as one document", async () => {
    const ada = person("ada");
    const chat = lab.conversation();
    const { memory } = lab.runtime();
    await memory.set(ada.workspaceId, { key: "city", value: "Turin", at: 1 });
    await memory.set(ada.workspaceId, { key: "pin", value: "4711", secret: true, at: 1 });
    await credentials.set(ada.workspaceId, { name: "shop", value: new Secret("hush-hush"), at: 1 });
    servers.set("ada", [{ name: "notes", url: "https://notes.example/mcp" }]);
    lab.model.when("hello there", say("Hello Ada."));
    await lab.answerTo(chat, (await lab.send(chat, "hello there", ada)).id);
    const { text } = await lab.answerTo(chat, (await lab.send(chat, "/privacy export", ada)).id);
    const json = /```json\n([\s\S]*)\n```/.exec(text)?.[1] ?? "";
    expect(JSON.parse(json)).toMatchObject({
      format: 1,
      user_id: "ada",
      workspaces: [
        {
          id: "ada",
          data: {
            memory: {
              entries: [
                { key: "city", value: "Turin" },
                { key: "pin", secret: true },
              ],
            },
            credentials: [{ name: "shop" }],
            mcp_servers: [{ name: "notes", url: "https://notes.example/mcp" }],
            conversations: [{ id: chat, messages: [{ text: "hello there" }, { text: "Hello Ada." }] }],
            links: { accounts: [] },
          },
        },
      ],
    });
    expect(json).not.toContain("4711");
    expect(json).not.toContain("hush-hush");
  });

  test("gives a link that works once when it is long, and nothing where others read along", async () => {
    const bob = person("bob");
    const chat = lab.conversation();
    await lab.runtime().memory.set(bob.workspaceId, { key: "story", value: "x".repeat(4000), at: 1 });
    const long = await lab.answerTo(chat, (await lab.send(chat, "/privacy export", bob)).id);
    const [, token = ""] = /http:\/\/bot\.example\/once\/(\S+)$/.exec(long.text) ?? [];
    expect(await lab.runtime().tickets.look(token)).toEqual({ for: "export", person: "bob" });
    const group = await lab.send(chat, "/privacy export", { ...bob, authorName: "Bob" });
    expect((await lab.answerTo(chat, group.id)).text).toMatch(/^Others read along here/);
  });

  test("says how it is used when it is used wrongly", async () => {
    const chat = lab.conversation();
    const { text } = await lab.answerTo(chat, (await lab.send(chat, "/privacy please")).id);
    expect(text).toBe("Use /privacy export to get everything I keep about you, or /privacy forget to delete it.");
  });
});

describe("/privacy forget", () => {
  test("asks, then deletes everything in every conversation and says how much", async () => {
    const eve = person("eve-the-person");
    const [here, there] = [lab.conversation(), lab.conversation()];
    await lab.runtime().memory.set(eve.workspaceId, { key: "secret-word", value: "aubergine", at: 1 });
    await credentials.set(eve.workspaceId, { name: "shop", value: new Secret("x"), at: 1 });
    lab.model.when("aubergine here", say("So aubergine it is."));
    lab.model.when("aubergine there", say("Aubergine again."));
    await lab.answerTo(here, (await lab.send(here, "aubergine here", eve)).id);
    await lab.answerTo(there, (await lab.send(there, "aubergine there", eve)).id);
    await lab.answerTo(here, (await lab.send(here, "/where", eve)).id);

    const asked = await lab.send(here, "/privacy forget", eve);
    expect(await lab.delivery(here, "question")).toMatchObject({ choices: ["Delete everything", "Cancel"] });
    await lab.send(here, "Delete everything", eve);
    const receipt = await lab.answerTo(here, asked.id);
    expect(receipt.text).toMatch(/^I deleted what I kept about you:\n/);
    for (const line of ["conversations: 2", "memory entries: 1", "credentials: 1"])
      expect(receipt.text).toContain(`- ${line}`);
    expect(receipt.text).not.toContain("interrupted");
    expect(await keysHolding("ubergine")).toEqual([]);
    // What is left of them: the conversation they are in, their progress, and marks of messages without text.
    const left = (await keysHolding("eve-the-person")).filter((key) => !key.includes(here));
    expect(left.toSorted()).toEqual(["convs:{eve-the-person}", "{ws:eve-the-person}:forgetting"]);
    expect(await lab.runtime().door.conversation(there)).toBeUndefined();
    expect(await lab.runtime().door.transcript(here)).toEqual([]);
  });

  test.each(["Cancel", "yes", "no, do not delete everything", "hm"])(
    "changes nothing after the answer %s",
    async (answer) => {
      const chat = lab.conversation();
      const zoe = person("zoe");
      await lab.runtime().memory.set(zoe.workspaceId, { key: "city", value: "Riga", at: 1 });
      const asked = await lab.send(chat, "/privacy forget", zoe);
      await lab.delivery(chat, "question");
      await lab.send(chat, answer, zoe);
      expect((await lab.answerTo(chat, asked.id)).text).toBe("Nothing was deleted.");
      expect(await lab.runtime().memory.get(zoe.workspaceId, "city")).toMatchObject({ value: "Riga" });
    },
  );

  test("stops a run of the person that is going elsewhere, and answers what waits behind it", async () => {
    const kim = person("kim");
    const [here, there] = [lab.conversation(), lab.conversation()];
    const held = hold(say("too late"));
    lab.model.when("long work of kim", held.reply);
    const working = await lab.send(there, "long work of kim", kim);
    await held.arrived;
    const waiting = await lab.send(there, "and then this", kim);
    const asked = await lab.send(here, "/privacy forget", kim);
    await lab.delivery(here, "question");
    await lab.send(here, "delete everything", kim);
    const notice = await lab.answerTo(there, working.id);
    expect(notice.text).toBe("Stopped: you asked me to delete what I keep about you.");
    expect(notice.answers).toEqual([working.id, waiting.id]);
    await held.aborted;
    await lab.answerTo(here, asked.id);
    expect(await keysHolding("long work of kim")).toEqual([]);
    // The lane is free again.
    lab.model.when("a new start", say("Welcome."));
    expect((await lab.answerTo(there, (await lab.send(there, "a new start", kim)).id)).text).toBe("Welcome.");
  });

  test("takes only the person's part out of a conversation with others, which goes on", async () => {
    const group = lab.conversation();
    const direct = lab.conversation();
    const [lea, max] = [person("lea"), person("max")];
    lab.model.when("lea says plum", say("Plum noted for Lea."), say("x"));
    lab.model.when("max says pear", say("Pear noted for Max."));
    await lab.answerTo(group, (await lab.send(group, "lea says plum", { ...lea, authorName: "Lea" })).id);
    await lab.answerTo(group, (await lab.send(group, "max says pear", { ...max, authorName: "Max" })).id);
    const refused = await lab.send(group, "/privacy forget", { ...lea, authorName: "Lea" });
    expect((await lab.answerTo(group, refused.id)).text).toMatch(/^Others read along here/);

    const asked = await lab.send(direct, "/privacy forget", lea);
    await lab.delivery(direct, "question");
    await lab.send(direct, "Delete everything", lea);
    expect((await lab.answerTo(direct, asked.id)).text).toContain("- conversations with others, your part: 1");
    const transcript = await lab.runtime().door.transcript(group);
    expect(transcript.map(({ text }) => text)).toEqual([
      "(deleted)",
      "(deleted)",
      "max says pear",
      "Pear noted for Max.",
      "(deleted)",
      "(deleted)",
    ]);
    expect(await lab.runtime().door.conversation(group)).toMatchObject({ owner: "max" });
    // No process goes on with a copy of what was there.
    lab.model.when("max goes on", say("Fine."));
    await lab.answerTo(group, (await lab.send(group, "max goes on", { ...max, authorName: "Max" })).id);
    const { raw } = lab.model.request("max goes on");
    expect(raw).toContain("Pear noted for Max.");
    expect(raw).not.toMatch(/plum/i);
  });

  test("reaches what rests in an archive, also a damaged one", async () => {
    const [shared, damaged, direct] = [lab.conversation(), lab.conversation(), lab.conversation()];
    const [lou, max] = [person("lou"), person("max")];
    const { lanes, door } = lab.runtime();
    lab.model.when("lou says quince", say("Quince."));
    lab.model.when("max says fig", say("Fig."));
    lab.model.when("lou alone", say("Alone."));
    await lab.answerTo(shared, (await lab.send(shared, "lou says quince", { ...lou, authorName: "Lou" })).id);
    await lab.answerTo(shared, (await lab.send(shared, "max says fig", { ...max, authorName: "Max" })).id);
    await lab.answerTo(damaged, (await lab.send(damaged, "lou alone", lou)).id);
    for (const chat of [shared, damaged]) {
      const lines = await lanes.readJournal(chatLane(chat));
      const packed = chat === shared ? await packLines(lines) : Buffer.from("damaged");
      await lanes.compact(chatLane(chat), { length: lines.length, last: lines.at(-1) ?? "" }, lines.length, packed);
    }
    const asked = await lab.send(direct, "/privacy forget", lou);
    await lab.delivery(direct, "question");
    await lab.send(direct, "Delete everything", lou);
    await lab.answerTo(direct, asked.id);
    expect((await door.transcript(shared)).map(({ text }) => text)).toEqual([
      "(deleted)",
      "(deleted)",
      "max says fig",
      "Fig.",
    ]);
    expect(await lanes.readArchive(chatLane(damaged))).toBeUndefined();
    expect(await door.conversation(damaged)).toBeUndefined();
  });

  test("what the person said in a run of somebody else goes too, and no worker goes on with its copy of it", async () => {
    const [group, direct] = [lab.conversation(), lab.conversation()];
    const [ivy, max] = [person("ivy"), person("max")];
    lab.model.when("max asks", call({ name: "ask_user", args: { question: "Which?" } }));
    lab.model.when("ivy: medlar", say("Noted."));
    const first = await lab.send(group, "max asks", { ...max, authorName: "Max" });
    await lab.delivery(group, "question");
    lab.model.when("max asks", say("Noted."));
    await lab.send(group, "medlar", { ...ivy, authorName: "Ivy" });
    await lab.answerTo(group, first.id);
    const asked = await lab.send(direct, "/privacy forget", ivy);
    await lab.delivery(direct, "question");
    await lab.send(direct, "Delete everything", ivy);
    await lab.answerTo(direct, asked.id);
    lab.model.when("max asks again", say("Nothing more."));
    await lab.answerTo(group, (await lab.send(group, "max asks again", { ...max, authorName: "Max" })).id);
    expect(lab.model.request("max asks again").raw).toContain("Which?");
    expect(lab.model.request("max asks again").raw).not.toContain("medlar");
  });

  test("waits for a run of somebody else in a shared conversation, and then takes the person's part out of it", async () => {
    const [group, direct] = [lab.conversation(), lab.conversation()];
    const [una, max] = [person("una"), person("max")];
    lab.model.when("una says sloe", say("Sloe."));
    await lab.answerTo(group, (await lab.send(group, "una says sloe", { ...una, authorName: "Una" })).id);
    const held = hold(say("Max is answered."));
    lab.model.when("max is busy", held.reply);
    const busy = await lab.send(group, "max is busy", { ...max, authorName: "Max" });
    await held.arrived;
    await lab.runtime().memory.set(una.workspaceId, { key: "fruit", value: "sloe", at: 1 });
    const asked = await lab.send(direct, "/privacy forget", una);
    await lab.delivery(direct, "question");
    await lab.send(direct, "Delete everything", una);
    held.release();
    expect((await lab.answerTo(group, busy.id)).text).toBe("Max is answered.");
    const { text } = await lab.answerTo(direct, asked.id);
    expect(text).toContain("- memory entries: 1");
    expect((await lab.runtime().door.transcript(group)).map((said) => said.text)).toEqual([
      "(deleted)",
      "(deleted)",
      "max is busy",
      "Max is answered.",
    ]);
  });

  test("asked for in two conversations at once, both are answered and at least one with the receipt", async () => {
    const ori = person("ori");
    const chats = [lab.conversation(), lab.conversation()];
    await lab.runtime().memory.set(ori.workspaceId, { key: "city", value: "Oslo", at: 1 });
    const asked = await Promise.all(chats.map((chat) => lab.send(chat, "/privacy forget", ori)));
    await Promise.all(chats.map((chat) => lab.delivery(chat, "question")));
    await Promise.all(chats.map((chat) => lab.send(chat, "Delete everything", ori)));
    const answers = await Promise.all(
      chats.map((chat, index) => lab.answerTo(chat, asked[index]?.id ?? parseMessageId("x"))),
    );
    expect(answers.filter(({ text }) => text.includes("- memory entries: 1")).length).toBeGreaterThan(0);
    expect((await lab.runtime().memory.list(ori.workspaceId)).entries).toEqual([]);
  });

  test("a message that arrives twice after it is still answered once", async () => {
    const chat = lab.conversation();
    const elsewhere = lab.conversation();
    const ned = person("ned");
    const id = parseMessageId("ned-1");
    lab.model.when("once only", say("Once."), say("Twice."));
    await lab.answerTo(elsewhere, (await lab.send(elsewhere, "once only", { ...ned, id })).id);
    const asked = await lab.send(chat, "/privacy forget", ned);
    await lab.delivery(chat, "question");
    await lab.send(chat, "Delete everything", ned);
    await lab.answerTo(chat, asked.id);
    expect((await lab.send(elsewhere, "once only", { ...ned, id })).status).toBe("duplicate");
  });

  test("drops the question of a tool like /reset does, and is refused in nobody's name", async () => {
    const chat = lab.conversation();
    const pat = person("pat");
    lab.model.when("ask pat", call({ name: "ask_user", args: { question: "What?" } }));
    const first = await lab.send(chat, "ask pat", pat);
    await lab.delivery(chat, "question");
    const asked = await lab.send(chat, "/privacy forget", pat);
    expect((await lab.answerTo(chat, first.id)).text).toMatch(/^I dropped my question/);
    await lab.delivery(chat, "question", 2);
    // Somebody else's consent is none.
    await lab.send(chat, "Delete everything", person("mallory"));
    expect((await lab.answerTo(chat, asked.id)).text).toMatch(/^Others read along here/);
  });
});
