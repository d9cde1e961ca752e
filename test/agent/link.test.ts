import { afterAll, describe, expect, test } from "vitest";
import { parseWorkspaceId } from "../../src/kernel/ids.ts";
import { testRedis } from "../setup/redis.ts";
import { openLab } from "./lab.ts";
import { hold, say } from "./model-server.ts";

const lab = await openLab({ database: await testRedis() });
afterAll(() => lab.close());

let count = 0;
/** Two accounts of one person, each with a direct chat of its own. */
function accounts() {
  count += 1;
  const account = (name: string) => {
    const chat = lab.conversation();
    const workspaceId = parseWorkspaceId(`${name}-${count}`);
    const tell = async (text: string) =>
      (await lab.answerTo(chat, (await lab.send(chat, text, { workspaceId })).id)).text;
    return { chat, workspaceId, tell };
  };
  return { one: account("slack"), two: account("telegram"), three: account("discord") };
}

async function codeOf(account: { tell(text: string): Promise<string> }): Promise<string> {
  const [, code = ""] = /\/link ([A-Z2-9]{5}-[A-Z2-9]{5})/.exec(await account.tell("/link")) ?? [];
  return code;
}

describe("/link", () => {
  test("makes two accounts one person: memory follows, what the second had is added without overwriting", async () => {
    const { one, two } = accounts();
    const { memory } = lab.runtime();
    await memory.set(one.workspaceId, { key: "city", value: "Turin", at: 1 });
    await memory.set(two.workspaceId, { key: "city", value: "Milan", at: 1 });
    await memory.set(two.workspaceId, { key: "pet", value: "cat", at: 1 });
    expect(await two.tell(`/link ${(await codeOf(one)).toLowerCase()}`)).toBe(
      `This account now belongs to ${one.workspaceId}: memory, settings and budgets are shared from your next message on. ` +
        "1 thing remembered under this account was added. Not added, because there is no room or something else " +
        "stands there already: city. They come back when you remove the link.",
    );
    expect(await two.tell("/memory")).toBe("I remember:\n- city: Turin\n- pet: cat");
    expect(await two.tell("/where")).toContain(`your workspace is ${one.workspaceId}`);
    // Its own chat is still its own: what it was told before the link does not make two speakers of it.
    lab.model.when(`hello ${two.workspaceId}`, say("Hi."));
    await two.tell(`hello ${two.workspaceId}`);
    expect(lab.model.request(`hello ${two.workspaceId}`).raw).toContain("Turin");
    expect(await one.tell("/link list")).toMatch(
      new RegExp(`^Your workspace is ${one.workspaceId} \\(this one\\)\\. Linked to it:\n- ${two.workspaceId}, since`),
    );
  });

  test("a link is removed from either side, and then the account stands for itself again", async () => {
    const { one, two } = accounts();
    const { memory } = lab.runtime();
    await memory.set(one.workspaceId, { key: "city", value: "Turin", at: 1 });
    await memory.set(two.workspaceId, { key: "city", value: "Milan", at: 1 });
    await two.tell(`/link ${await codeOf(one)}`);
    expect(await two.tell("/link remove")).toMatch(/stands for itself again/);
    expect(await two.tell("/memory")).toContain("Milan");
    await two.tell(`/link ${await codeOf(one)}`);
    expect(await one.tell("/link remove")).toMatch(/name the one to remove/);
    expect(await one.tell("/link remove nobody")).toMatch(/^There is no linked account "nobody"/);
    expect(await one.tell(`/link remove ${two.workspaceId}`)).toMatch(/stands for itself again/);
    expect(await two.tell("/where")).toContain(two.workspaceId);
  });

  test("a code works once, for one account, and only the newest of a person", async () => {
    const { one, two, three } = accounts();
    const first = await codeOf(one);
    const second = await codeOf(one);
    expect(await two.tell(`/link ${first}`)).toMatch(/^I do not know this code/);
    expect(await one.tell(`/link ${second}`)).toMatch(/^This code is your own/);
    expect(await two.tell(`/link ${second}`)).toMatch(/^This account now belongs/);
    expect(await three.tell(`/link ${second}`)).toMatch(/^I do not know this code/);
    expect(await two.tell(`/link ${await codeOf(one)}`)).toBe("These two accounts are linked already.");
  });

  test("a message admitted before keeps its workspace, one admitted after does not", async () => {
    const { one, two } = accounts();
    const held = hold(say("Done."));
    lab.model.when(`slow ${count}`, held.reply);
    const { memory } = lab.runtime();
    await memory.set(one.workspaceId, { key: "colour", value: "teal", at: 1 });
    const slow = await lab.send(two.chat, `slow ${count}`, { workspaceId: two.workspaceId });
    await held.arrived;
    lab.model.when(`waits ${count}`, say("Waited."));
    lab.model.when(`later ${count}`, say("Later."));
    const waits = await lab.send(two.chat, `waits ${count}`, { workspaceId: two.workspaceId });
    await two.tell(`/link ${await codeOf(one)}`);
    const later = await lab.send(two.chat, `later ${count}`, { workspaceId: two.workspaceId });
    held.release();
    for (const { id } of [slow, waits, later]) await lab.answerTo(two.chat, id);
    expect(lab.model.request(`waits ${count}`).raw).not.toContain("teal");
    expect(lab.model.request(`later ${count}`).raw).toContain("teal");
  });

  test("a code is not shown where others read along, and wrong use is answered with how to use it", async () => {
    const { one } = accounts();
    const group = await lab.send(one.chat, "/link", { workspaceId: one.workspaceId, authorName: "One" });
    expect((await lab.answerTo(one.chat, group.id)).text).toMatch(/^Others could read the code here/);
    expect(await one.tell("/link list all of them")).toMatch(/^\/link makes you one person/);
  });

  test("being forgotten covers every linked account and ends the links", async () => {
    const { one, two } = accounts();
    const { memory, links } = lab.runtime();
    lab.model.when(`before ${count}`, say("Before."));
    await two.tell(`before ${count}`);
    await memory.set(two.workspaceId, { key: "city", value: "Milan", at: 1 });
    await memory.set(one.workspaceId, { key: "city", value: "Turin", at: 1 });
    await two.tell(`/link ${await codeOf(one)}`);
    const asked = await lab.send(two.chat, "/privacy forget", { workspaceId: two.workspaceId });
    await lab.delivery(two.chat, "question");
    await lab.send(two.chat, "Delete everything", { workspaceId: two.workspaceId });
    const { text } = await lab.answerTo(two.chat, asked.id);
    for (const line of ["memory entries: 2", "linked accounts: 1"]) expect(text).toContain(line);
    expect(await links.resolve(two.workspaceId)).toBe(two.workspaceId);
    expect((await memory.list(two.workspaceId)).entries).toEqual([]);
  });
});
