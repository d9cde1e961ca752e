import { expect, test } from "vitest";
import type { ApprovalCard } from "../../../src/kernel/messages.ts";
import { firstTry, part, slackLab } from "./lab.ts";
import { TEAM } from "./workspace.ts";

const APPROVE = [
  { label: "Approve", token: "yes-token", style: "yes" },
  { label: "Deny", token: "no-token", style: "no" },
] as const;

const CARD: ApprovalCard = {
  id: "ap1",
  tool: "send_mail",
  arguments: `{\n  "to": "<all>",\n  "text": "\`\`\`${"x".repeat(4_000)}"\n}`,
  reason: "It cannot be taken back.",
  askedOf: "slack:U1" as never,
  askedAt: 0,
  expiresAt: 1,
};

test("an approval has Approve, Deny and Details; a question only its choices", async () => {
  const { world, adapter } = await slackLab();
  const chat = world.direct("Ana");
  const where = chat.conversation("1.1");

  await adapter.send(part(where, "May I?", { kind: "approval", buttons: APPROVE }), firstTry());
  const choices = ["red", "blue"].map((label) => ({ label, token: label, style: "plain" as const }));
  await adapter.send(part(where, "Which?", { kind: "question", buttons: choices }), firstTry());

  expect(world.shown(chat).map(({ buttons }) => buttons.map(({ label }) => label))).toEqual([
    ["Approve", "Deny", "Details"],
    ["red", "blue"],
  ]);
});

test("a press is brought with its token; the person is told, and the outcome takes the buttons' place", async () => {
  const { world, adapter, gateway, listen } = await slackLab();
  await listen();
  const chat = world.group("team");
  const root = await world.say(chat, "Ana", { text: "mail them", mention: true });
  const thread = world.thread(chat, root);
  const { postedId } = await adapter.send(
    part(thread.conversation(root), "May I send *it*?", { kind: "approval", buttons: APPROVE }),
    firstTry(),
  );
  gateway.answer = { notice: "Thank you & good night.", outcome: "Approved by Ana" };

  const [message] = world.shown(thread);
  const told = await world.press(thread, "Ana", message ?? (undefined as never), "Approve");
  const after = await world.until(thread, ([shown]) => shown?.buttons.length === 0);

  expect(told).toBe("Thank you & good night.");
  expect(gateway.presses).toEqual([
    {
      conversationId: thread.conversation(root),
      chat: `slack:${world.channelOf(chat).id}`,
      direct: false,
      token: "yes-token",
      by: { id: world.person("Ana").id, name: "Ana", isBot: false },
      id: expect.stringContaining("738474920"),
      at: expect.any(Number),
    },
  ]);
  expect(after).toEqual([{ id: postedId, text: "May I send *it*?\nApproved by Ana", buttons: [], files: [] }]);
  // Who decided is told alone, in the thread.
  expect(world.server.space.ephemerals).toMatchObject([{ thread_ts: root }]);
});

test("a press that settles nothing leaves the buttons", async () => {
  const { world, adapter, gateway, listen } = await slackLab();
  await listen();
  const chat = world.direct("Ana");
  await adapter.send(part(chat.conversation("1.1"), "May I?", { kind: "approval", buttons: APPROVE }), firstTry());
  gateway.answer = { notice: "Only Ben may decide this." };

  const [message] = world.shown(chat);
  const told = await world.press(chat, "Ana", message ?? (undefined as never), "Deny");

  expect(told).toBe("Only Ben may decide this.");
  expect(gateway.presses[0]?.token).toBe("no-token");
  expect(world.shown(chat)[0]?.buttons).toHaveLength(3);
});

test("Details opens a dialog with the exact arguments, and what is decided there counts as the press", async () => {
  const { world, adapter, gateway, listen } = await slackLab();
  await listen();
  gateway.cards.set("yes-token", CARD);
  const { server } = world;
  const chat = world.group("team");
  const root = await world.say(chat, "Ana", { text: "mail them", mention: true });
  const thread = world.thread(chat, root);
  await adapter.send(part(thread.conversation(root), "May I?", { kind: "approval", buttons: APPROVE }), firstTry());
  gateway.answer = { notice: "Denied.", outcome: "Denied by Ana" };

  const [message] = world.shown(thread);
  void world.press(thread, "Ana", message ?? (undefined as never), "Details");
  const view = await server.space.until(() => server.rules.views[0]);
  const blocks = view["blocks"] as { type: string; text: { text: string } }[];
  const shown = blocks.filter(({ type }) => type === "section").map(({ text }) => text.text);
  expect(shown[0]).toBe("*send_mail*\nIt cannot be taken back.");
  const inner = shown.slice(1).map((text) => text.slice("```\n".length, -"\n```".length));
  expect(inner.join("").replaceAll("\u200b", "").replaceAll("&lt;", "<").replaceAll("&gt;", ">")).toBe(CARD.arguments);

  const submitted = server.bring(
    "interactive",
    {
      type: "view_submission",
      team: { id: TEAM },
      user: { id: world.person("Ana").id.slice("slack:".length), name: "Ana" },
      trigger_id: "17.2.submit",
      view: {
        ...view,
        state: { values: { parley_decision: { parley_decision: { selected_option: { value: "no" } } } } },
      },
    },
    "view",
  );
  const answer = await submitted.answered;
  const after = await world.until(thread, ([one]) => one?.buttons.length === 0);

  expect(gateway.presses).toMatchObject([
    { token: "no-token", conversationId: thread.conversation(root), id: "17.2.submit", by: { name: "Ana" } },
  ]);
  expect(answer).toMatchObject({ response_action: "update", view: { type: "modal" } });
  expect(JSON.stringify(answer)).toContain("Denied.");
  expect(after[0]?.text).toBe("May I?\nDenied by Ana");
});

test("Details of what is no longer open says so", async () => {
  const { world, adapter, listen } = await slackLab();
  await listen();
  const chat = world.direct("Ana");
  await adapter.send(part(chat.conversation("1.1"), "May I?", { kind: "approval", buttons: APPROVE }), firstTry());

  const [message] = world.shown(chat);

  expect(await world.press(chat, "Ana", message ?? (undefined as never), "Details")).toBe("This is no longer open.");
  expect(world.server.rules.views).toEqual([]);
});

test("the same press brought again is the same press, and many choices still fit", async () => {
  const { world, adapter, gateway, listen } = await slackLab();
  await listen();
  const chat = world.direct("Ana");
  const buttons = Array.from({ length: 30 }, (_, index) => ({
    label: `choice ${index} ${"long ".repeat(20)}`,
    token: `t${index}`,
    style: "plain" as const,
  }));
  await adapter.send(part(chat.conversation("1.1"), "Which?", { kind: "question", buttons }), firstTry());
  const [message] = world.shown(chat);
  expect(world.server.refusals).toEqual([]);

  await world.press(chat, "Ana", message ?? (undefined as never), message?.buttons[29]?.label ?? "");
  await world.redeliver(message?.id ?? "", 1);

  expect(gateway.presses.map(({ token }) => token)).toContain("t29");
  const presses = gateway.presses.filter(({ token }) => token === "t29");
  expect(new Set(presses.map(({ id }) => id)).size).toBe(1);
});
