import { afterAll, describe, expect, test } from "vitest";
import { parseWorkspaceId, type ConversationId } from "../../src/kernel/ids.ts";
import { testRedis } from "../setup/redis.ts";
import { openLab } from "./lab.ts";
import { call, raw, type Reply } from "./model-server.ts";

const lab = await openLab({
  database: await testRedis(),
  metered: true,
  settings: `
admins: [root]
budgets:
  output_tokens: 50
  limits:
    - { of: person, per: day, steps: 4 }
    - { of: installation, per: day, steps: 16 }
`,
});
afterAll(() => lab.close());
lab.model.otherwise(answer);

/** Says something in the name of `who` and returns what is said to it. */
async function ask(chat: ConversationId, text: string, who: string) {
  const { id } = await lab.send(chat, text, { workspaceId: parseWorkspaceId(who) });
  return lab.answerTo(chat, id);
}

/** Uses up what a person may spend today, and asks for more. */
async function askTooMuch(who: string, steps = 4) {
  const chat = lab.conversation();
  for (let step = 1; step <= steps; step++) expect((await ask(chat, "hello", who)).text).toMatch(/^ok/);
  const waiting = await lab.send(chat, "one more", { workspaceId: parseWorkspaceId(who) });
  const { approval } = await lab.delivery(chat, "approval");
  if (approval === undefined) throw new Error("the delivery has no card");
  return { chat, waiting, card: approval };
}

const calls = (text: string) => lab.model.requests.filter(({ raw: body }) => body.includes(text)).length;

describe("a budget that is used up", () => {
  test("puts up what it would take, waits through a restart, and the run goes on once that is allowed", async () => {
    const { chat, waiting, card } = await askTooMuch("ada");
    expect(card).toMatchObject({ tool: "extend_budget", askedOf: "ada" });
    expect(JSON.parse(card.arguments)).toEqual({ budget: "your budget for today", add: "1 step" });
    expect(card.reason).toMatch(/^Your budget for today is used up: 4 steps of 4 steps used or set aside\. It resets/);
    expect(calls("one more")).toBe(0);
    await lab.restart();
    expect(await lab.status(chat, waiting.id)).toMatchObject({ status: "waiting" });
    expect((await ask(chat, "/approve", "ada")).text).toBe("Approved: extend_budget.");
    expect(await lab.answerTo(chat, waiting.id)).toMatchObject({ kind: "answer", answers: [waiting.id] });
    expect(calls("one more")).toBe(1);
    expect((await ask(chat, "/usage", "ada")).text).toMatch(/^You, today: .*5 steps of 5 steps/);
  });

  test("can be asked for again in the same run", async () => {
    lab.model.when("look it up", call({ name: "memory_list", args: {} }), answer);
    const chat = lab.conversation();
    for (let step = 1; step <= 4; step++) await ask(chat, "hello", "eve");
    const waiting = await lab.send(chat, "look it up", { workspaceId: parseWorkspaceId("eve") });
    for (const number of [1, 2]) {
      await lab.delivery(chat, "approval", number);
      await ask(chat, "/approve", "eve");
    }
    expect(await lab.answerTo(chat, waiting.id)).toMatchObject({ kind: "answer" });
  });

  test("ends the run with the reason when nobody wants it to grow", async () => {
    const { chat, waiting } = await askTooMuch("bob");
    expect((await ask(chat, "/approve", "mallory")).text).toBe(
      "Only bob or an administrator may decide this. Nothing was changed.",
    );
    expect((await ask(chat, "/deny", "bob")).text).toBe("Denied: extend_budget.");
    const said = await lab.answerTo(chat, waiting.id);
    expect(said).toMatchObject({ kind: "error", answers: [waiting.id] });
    expect(said.text).toMatch(/^Your budget for today is used up: 4 steps of 4 steps/);
    expect((await ask(chat, "/usage", "bob")).text).toMatch(/^You, today: .*4 steps of 4 steps/);
  });

  test("that all share is for administrators to extend", async () => {
    const { chat, waiting, card } = await askTooMuch("zoe", 1);
    expect(card).toMatchObject({ askedOf: "an administrator" });
    expect(JSON.parse(card.arguments)).toEqual({ budget: "the budget of this bot for today", add: "4 steps" });
    expect((await ask(chat, "/approve", "zoe")).text).toBe(
      "Only an administrator may decide this. Nothing was changed.",
    );
    expect((await ask(chat, "/approve", "root")).text).toBe("Approved: extend_budget.");
    expect(await lab.answerTo(chat, waiting.id)).toMatchObject({ kind: "answer" });
  });
});

function answer(...given: Parameters<Reply>): ReturnType<Reply> {
  const usage = { prompt_tokens: 10, completion_tokens: 5 };
  const delta = { choices: [{ index: 0, delta: { content: "ok" }, finish_reason: "stop" }] };
  const body = `data: ${JSON.stringify(delta)}\n\ndata: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`;
  return raw(body)(...given);
}
