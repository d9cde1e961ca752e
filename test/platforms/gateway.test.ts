import { afterAll, expect, test } from "vitest";
import { parseConversationId, parseWorkspaceId } from "../../src/kernel/ids.ts";
import type { PlatformMessage, Speaker } from "../../src/platforms/listening.ts";
import { openLab, type LabOptions } from "../agent/lab.ts";
import { call, hold, say } from "../agent/model-server.ts";
import { testRedis } from "../setup/redis.ts";
import { createRecordingAdapter } from "./recording-adapter.ts";

const closing: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(closing.map((close) => close())));

async function openGate(settings: string, more: Partial<LabOptions> = {}) {
  const recording = createRecordingAdapter();
  const lab = await openLab({
    database: await testRedis(),
    settings,
    ...more,
    more: { adapters: () => [recording.adapter], ...more.more },
  });
  closing.push(() => lab.close());
  const { gateway } = lab.runtime();
  let count = 0;
  return {
    lab,
    gateway,
    ...recording,
    speaker: (name: string): Speaker => ({ id: parseWorkspaceId(`slack:${name}`), name, isBot: false }),
    /** A message in a direct chat unless told otherwise. */
    message(text: string, over: Partial<PlatformMessage> = {}): PlatformMessage {
      const name = `U${++count}`;
      return {
        id: `${count}.0`,
        conversationId: parseConversationId(`slack:D${count}`),
        chat: `slack:D${count}`,
        direct: true,
        author: this.speaker(name),
        text,
        files: [],
        addressed: false,
        thread: false,
        at: Date.now(),
        ...over,
      };
    },
  };
}

const OPEN = "access: open";
const open = await openGate(OPEN);

test("a message in company carries its author's name, one in a direct chat does not", async () => {
  const { gateway, lab, until } = open;
  lab.model.when("hello from company", say("hi all"));
  lab.model.when("hello in private", say("hi you"));
  const where = { conversationId: parseConversationId("slack:C1:1.0"), direct: false, addressed: true };
  expect(await gateway.message(open.message("hello from company", where))).toBe("kept");
  expect(await gateway.message(open.message("hello in private"))).toBe("kept");
  await until(({ text }) => text === "hi all");
  await until(({ text }) => text === "hi you");
  expect(lab.model.request("hello from company").raw).toMatch(/U\d+/);
  expect(lab.model.request("hello in private").raw).not.toMatch(/"U\d+/);
});

test("what follows in a thread is meant once the bot takes part in it, and only there", async () => {
  const { gateway, lab, until } = open;
  const thread = { conversationId: parseConversationId("slack:C2:2.0"), direct: false, thread: true };
  lab.model.when("follow-up before", say("wrong"));
  lab.model.when("the mention", say("here I am"));
  lab.model.when("follow-up after", say("still here"));
  expect(await gateway.message(open.message("follow-up before", thread))).toBe("ignored");
  expect(await gateway.message(open.message("the mention", { ...thread, addressed: true }))).toBe("kept");
  await until(({ text }) => text === "here I am");
  expect(await gateway.message(open.message("follow-up after", thread))).toBe("kept");
  await until(({ text }) => text === "still here");
  expect(lab.model.about("follow-up before")).toHaveLength(0);
});

test("the same message is known the second time, from whichever transport it comes", async () => {
  const { gateway, lab } = open;
  lab.model.when("twice told", say("once answered"));
  const message = open.message("twice told");
  expect(await gateway.message(message)).toBe("kept");
  expect(await gateway.message({ ...message, at: message.at + 5 })).toBe("known");
});

test("in company several people's messages are never put together, whatever the mode", async () => {
  const gate = await openGate(`${OPEN}\nqueue: { mode: collect }`);
  const { gateway, lab, until } = gate;
  const first = hold(say("for Ada"));
  lab.model.when("first of Ada", first.reply);
  lab.model.when("from Bob", say("for Bob"));
  lab.model.when("from Eve", say("for Eve"));
  const room = { conversationId: parseConversationId("slack:C3:3.0"), direct: false, addressed: true };
  await gateway.message(gate.message("first of Ada", { ...room, author: gate.speaker("Ada") }));
  await first.arrived;
  await gateway.message(gate.message("from Bob", { ...room, author: gate.speaker("Bob") }));
  await gateway.message(gate.message("from Eve", { ...room, author: gate.speaker("Eve") }));
  first.release();
  await until(({ text }) => text === "for Eve");
  expect(gate.sent.map(({ part }) => part.text)).toEqual(["for Ada", "for Bob", "for Eve"]);
});

test("a command may begin with an exclamation mark", async () => {
  const message = open.message("!where");
  expect(await open.gateway.message(message)).toBe("kept");
  const told = await open.until(({ conversationId }) => conversationId === message.conversationId);
  expect(told.text).toContain(message.conversationId);
});

test("a full conversation says so, once, and keeps what it has", async () => {
  const gate = await openGate(`${OPEN}\nqueue: { max_waiting: 1 }`);
  const { gateway, lab, until } = gate;
  const first = hold(say("the first"));
  lab.model.when("begin", first.reply);
  lab.model.when("waits", say("the second"));
  const here = { conversationId: parseConversationId("slack:D9") };
  await gateway.message(gate.message("begin", here));
  await first.arrived;
  await gateway.message(gate.message("waits", here));
  const tooMuch = gate.message("too much", here);
  expect(await gateway.message(tooMuch)).toBe("told");
  expect(await gateway.message(tooMuch)).toBe("told");
  first.release();
  await until(({ text }) => text === "the second");
  expect(gate.sent.filter(({ part }) => part.text.includes("messages waiting"))).toHaveLength(1);
});

test("a stranger gets a code in private once an hour, none in company, and an administrator lets them in", async () => {
  const gate = await openGate('access: pairing\nadmins: ["slack:root"]');
  const { gateway, lab, until } = gate;
  const eve = gate.speaker("eve");
  const here = { conversationId: parseConversationId("slack:DE"), author: eve };
  expect(await gateway.message(gate.message("let me in", here))).toBe("told");
  expect(await gateway.message(gate.message("hello?", here))).toBe("told");
  const told = await until(({ text }) => text.includes("parley pair"));
  const code = /\*\*(\w{8})\*\*/.exec(told.text)?.[1] ?? "";
  const room = { conversationId: parseConversationId("slack:CE:1.0"), direct: false, addressed: true, author: eve };
  expect(await gateway.message(gate.message("and here?", room))).toBe("told");
  const inCompany = await until(({ conversationId }) => conversationId === room.conversationId);
  expect(inCompany.text).not.toContain(code);

  const other = { conversationId: parseConversationId("slack:DR") };
  await gateway.message(gate.message(`/pair ${code}`, { ...other, author: gate.speaker("root") }));
  await until(({ text }) => text === "eve (slack:eve) may talk to me now.");
  lab.model.when("now it works", say("welcome"));
  expect(await gateway.message(gate.message("now it works", here))).toBe("kept");
  await until(({ text }) => text === "welcome");
  expect(gate.sent.filter(({ part }) => part.text.includes("parley pair"))).toHaveLength(1);
  expect(lab.model.requests).toHaveLength(1);
});

test("nobody but an administrator lets people in", async () => {
  const gate = await openGate('access: allowlist\nallowed: ["slack:ada"]\nadmins: ["slack:root"]');
  const mallory = gate.message("/pair AAAAAAAA", { author: gate.speaker("mallory") });
  expect(await gate.gateway.message(mallory)).toBe("told");
  await gate.until(({ text }) => text.includes("on my list"));
  const ada = gate.message("/pair AAAAAAAA", { author: gate.speaker("ada") });
  expect(await gate.gateway.message(ada)).toBe("kept");
  await gate.until(({ text }) => text === "Only an administrator may let people in.");
});

test("of two people who press different buttons the first one's answer counts", async () => {
  const { gateway, lab, until } = open;
  lab.model.when(
    "choose a colour",
    call({ name: "ask_user", args: { question: "Which colour?", choices: ["Red", "Blue"] } }),
    say("blue it is"),
  );
  const room = {
    conversationId: parseConversationId("slack:C4:4.0"),
    chat: "slack:C4",
    direct: false,
    addressed: true,
  };
  await gateway.message(open.message("choose a colour", room));
  const question = await until(({ text }) => text === "Which colour?");
  expect(question.buttons.map(({ label }) => label)).toEqual(["Red", "Blue"]);
  const [red = "", blue = ""] = question.buttons.map(({ token }) => token);
  const press = (token: string, name: string) =>
    gateway.pressed({ ...room, token, by: open.speaker(name), id: `p-${name}`, at: Date.now() });
  expect(await press(blue, "Bob")).toEqual({ notice: "You chose: Blue", outcome: "Bob chose: Blue" });
  expect(await press(red, "Eve")).toEqual({ notice: "This question has its answer.", outcome: "Answered." });
  await until(({ text }) => text === "blue it is");
  expect(await press(red, "Eve")).toMatchObject({ outcome: "Answered." });
  expect(await gateway.pressed({ ...room, token: "unknown", by: open.speaker("Bob"), id: "p9", at: 0 })).toMatchObject({
    notice: "This button is too old to be used.",
  });
});

test("a question that was answered in words takes no press any more", async () => {
  const { gateway, lab, until } = open;
  lab.model.when(
    "choose a size",
    call({ name: "ask_user", args: { question: "Which size?", choices: ["S", "XL"] } }),
    say("large"),
  );
  const here = { conversationId: parseConversationId("slack:D5"), chat: "slack:D5" };
  await gateway.message(open.message("choose a size", here));
  const question = await until(({ text }) => text === "Which size?");
  await gateway.message(open.message("the large one please", here));
  await until(({ text }) => text === "large");
  const [small] = question.buttons;
  const pressed = await gateway.pressed({
    ...here,
    direct: true,
    token: small?.token ?? "",
    by: open.speaker("U5"),
    id: "p5",
    at: Date.now(),
  });
  expect(pressed).toEqual({ notice: "This question is no longer open.", outcome: "No longer open." });
});

test("an approval is decided by its button: by whom it was asked of, once", async () => {
  const gate = await openGate("access: open\napprovals: { rules: [{ tool: memory_set, decision: ask }] }");
  const { gateway, lab, until } = gate;
  lab.model.when("remember tea", call({ name: "memory_set", args: { key: "drink", value: "tea" } }), say("noted"));
  const ada = gate.speaker("ada");
  const room = {
    conversationId: parseConversationId("slack:C6:6.0"),
    chat: "slack:C6",
    direct: false,
    addressed: true,
  };
  await gateway.message(gate.message("remember tea", { ...room, author: ada }));
  const card = await until(({ kind }) => kind === "approval");
  expect(card.buttons.map(({ label, style }) => `${label} ${style}`)).toEqual(["Approve yes", "Deny no"]);
  const [approve = "", deny = ""] = card.buttons.map(({ token }) => token);
  expect((await gateway.approval(approve))?.tool).toBe("memory_set");
  const press = (token: string, by: Speaker) =>
    gateway.pressed({ ...room, token, by, id: `p-${by.name}`, at: Date.now() });
  expect(await press(approve, gate.speaker("mallory"))).toEqual({
    notice: "Only slack:ada or an administrator may decide this. Nothing was changed.",
  });
  expect(await press(approve, ada)).toEqual({ notice: "Approved.", outcome: "Approved by ada: memory_set" });
  await until(({ text }) => text === "noted");
  expect((await press(deny, ada)).notice).toMatch(/^Too late: this is approved by slack:ada/);
});
