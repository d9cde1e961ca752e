import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { ApprovalView } from "../../src/agent/approvals/view.ts";
import { parseWorkspaceId, type ConversationId } from "../../src/kernel/ids.ts";
import type { LiveDelivery } from "../../src/kernel/live.ts";
import { approvalKey } from "../../src/store/keys.ts";
import type { Tool } from "../../src/tools/contract.ts";
import { defineTool } from "../../src/tools/define.ts";
import { testRedis } from "../setup/redis.ts";
import { openLab } from "./lab.ts";
import { call, say } from "./model-server.ts";

/** What the tools below did, in order. */
const effects: string[] = [];
/** What happens while one of them works, by its argument `what`. */
const inMidCall = new Map<string, () => Promise<unknown>>();

function counted(name: string, more: Partial<Pick<Tool, "effect" | "approval" | "trusted" | "sends">> = {}): Tool {
  return defineTool({
    name,
    description: "Counts.",
    effect: "once",
    trusted: true,
    ...more,
    input: z.looseObject({}),
    run: async (input) => {
      effects.push(`${name} ${JSON.stringify(input)}`);
      await inMidCall.get(String(input["what"]))?.();
      return `${name} ok`;
    },
  });
}

const lab = await openLab({
  database: await testRedis(),
  settings: `
admins: [root]
approvals:
  rules:
    - { tool: mail, arguments: { to: "*@evil.example" }, decision: deny }
    - { tool: mail, arguments: { to: "*@home.example" }, decision: allow }
    - { tool: mail, users: [careful], decision: ask }
`,
  tools: [
    counted("pay", { approval: "ask" }),
    counted("peek", { effect: "read", approval: "ask" }),
    counted("look", { effect: "read" }),
    counted("note"),
    counted("mail"),
    counted("page", { effect: "read", trusted: false }),
    counted("local", { sends: false }),
    counted("put", { effect: "idempotent" }),
  ],
});
afterAll(() => lab.close());

const did = (word: string) => effects.filter((effect) => effect.includes(word));
const pay = (what: string) => ({ name: "pay", args: { what } });

async function cardOf(chat: ConversationId, number = 1): Promise<NonNullable<LiveDelivery["approval"]>> {
  const { approval } = await lab.delivery(chat, "approval", number);
  if (approval === undefined) throw new Error("the delivery has no card");
  return approval;
}

async function stateOf(id: string): Promise<ApprovalView["state"] | undefined> {
  return (await lab.runtime().door.approval(id))?.state;
}

/** Says something and returns the answer. */
async function ask(chat: ConversationId, text: string, who = "user-1"): Promise<string> {
  const { id } = await lab.send(chat, text, { workspaceId: parseWorkspaceId(who) });
  return (await lab.answerTo(chat, id)).text;
}

/** What the model read as the result of the call. */
function resultFor(word: string, request = 2): string {
  return lab.model.request(word, request).messages.findLast(({ role }) => role === "tool")?.content ?? "";
}

describe("a call that asks for approval", () => {
  test("shows the exact call, waits through a restart holding nothing, and is made once when it is approved", async () => {
    const chat = lab.conversation();
    lab.model.when("buy shoes", call(pay("shoes")), say("Bought."));
    const first = await lab.send(chat, "buy shoes");
    const delivered = await lab.delivery(chat, "approval");
    const card = await cardOf(chat);
    expect(card).toMatchObject({
      tool: "pay",
      arguments: '{\n  "what": "shoes"\n}',
      askedOf: "user-1",
      reason: "This tool asks before every call.",
    });
    expect(card.expiresAt - card.askedAt).toBe(3_600_000);
    expect(delivered.text).toContain(`/approve ${card.id}`);
    expect(await lab.status(chat, first.id)).toMatchObject({ status: "waiting", answers: [] });
    expect(lab.runtime().worker.active()).toBe(0);
    expect(await lab.runtime().door.openApprovals(chat)).toMatchObject([{ id: card.id, state: "open" }]);
    await lab.restart();
    expect(await lab.status(chat, first.id)).toMatchObject({ status: "waiting" });
    expect(did("shoes")).toEqual([]);
    expect(await ask(chat, "/approve")).toBe("Approved: pay.");
    expect(await lab.answerTo(chat, first.id)).toMatchObject({ text: "Bought.", answers: [first.id] });
    expect(did("shoes")).toEqual(['pay {"what":"shoes"}']);
    expect(lab.said(chat).filter(({ kind }) => kind === "approval")).toHaveLength(1);
    expect(await lab.runtime().door.transcript(chat)).toMatchObject([
      { role: "user", text: "buy shoes" },
      { kind: "approval", id: delivered.id, approval: { id: card.id, state: "approved", decidedBy: "user-1" } },
      { kind: "answer", text: "Bought." },
    ]);
    expect(lab.events(chat)).toContainEqual(
      expect.objectContaining({ type: "approval.decided", approval_id: card.id, state: "approved", by: "user-1" }),
    );
    expect(await lab.runtime().door.openApprovals(chat)).toEqual([]);
  });

  test("is not made when it is denied, and the model reads why", async () => {
    const chat = lab.conversation();
    lab.model.when("buy a car", call(pay("car")), say("Then not."));
    const first = await lab.send(chat, "buy a car");
    const { id } = await cardOf(chat);
    expect(await ask(chat, `/deny ${id}`)).toBe("Denied: pay.");
    expect((await lab.answerTo(chat, first.id)).text).toBe("Then not.");
    expect(resultFor("buy a car")).toContain("Denied by user-1: this call was not made.");
    expect(did("car")).toEqual([]);
    expect(await stateOf(id)).toBe("denied");
  });

  test("is decided by nobody but the person it is for and administrators; the first decision counts", async () => {
    const chat = lab.conversation();
    lab.model.when("buy tea", call(pay("tea")), say("Tea it is."));
    const first = await lab.send(chat, "buy tea");
    const { id } = await cardOf(chat);
    expect(await ask(chat, "/approve", "mallory")).toBe(
      "Only user-1 or an administrator may decide this. Nothing was changed.",
    );
    expect(await stateOf(id)).toBe("open");
    expect(await ask(chat, "/approve", "root")).toBe("Approved: pay.");
    expect((await lab.answerTo(chat, first.id)).text).toBe("Tea it is.");
    expect(await ask(chat, `/deny ${id}`)).toBe("Too late: pay is approved by root. Nothing was changed.");
    expect(await ask(chat, "/deny")).toBe("Nothing waits for an approval here.");
    expect(await ask(chat, "/deny apr_000000000000")).toBe("There is no approval apr_000000000000.");
    expect(did("tea")).toHaveLength(1);
  });

  test("ends with the run: /stop says that nothing was done, and a late click changes nothing", async () => {
    const chat = lab.conversation();
    lab.model.when("buy a boat", call({ name: "look", args: { at: "boat" } }, pay("boat"), { name: "note" }));
    const first = await lab.send(chat, "buy a boat");
    const { id } = await cardOf(chat);
    await lab.send(chat, "/stop");
    expect((await lab.answerTo(chat, first.id)).text).toBe("Stopped. Already done: look.");
    expect(await stateOf(id)).toBe("over");
    expect(await ask(chat, `/approve ${id}`)).toBe(
      "Too late: pay is no longer needed: its run is over. Nothing was changed.",
    );
    expect(did("pay").filter((effect) => effect.includes("boat"))).toEqual([]);
    expect((await lab.runtime().door.transcript(chat))[1]).toMatchObject({ approval: { state: "over" } });
  });

  test("/new drops it", async () => {
    const chat = lab.conversation();
    lab.model.when("buy a plane", call(pay("plane")));
    const first = await lab.send(chat, "buy a plane");
    await lab.delivery(chat, "approval");
    expect(await ask(chat, "/new")).toMatch(/^This is a new conversation/);
    expect((await lab.answerTo(chat, first.id)).text).toBe(
      "I dropped what you were to approve. Nothing had been done yet.",
    );
  });

  test("is refused when its time is over by Redis' clock, before anybody noticed", async () => {
    const chat = lab.conversation();
    lab.model.when("buy a train", call(pay("train")));
    const first = await lab.send(chat, "buy a train");
    const { id } = await cardOf(chat);
    await lab.redis.pexpire(`{p0}${approvalKey(id)}`, lab.runtime().lanes.limits.recordMs);
    expect(await ask(chat, `/approve ${id}`)).toBe(
      "Too late: pay is expired: nobody decided in time. Nothing was changed.",
    );
    expect(await lab.status(chat, first.id)).toMatchObject({ status: "waiting" });
    await lab.send(chat, "/stop");
    await lab.answerTo(chat, first.id);
    expect(did("train")).toEqual([]);
  });

  test("messages that come meanwhile wait in line and are answered after it", async () => {
    const chat = lab.conversation();
    lab.model.when("buy milk", call(pay("milk")), say("Milk bought."));
    lab.model.when("hello again", say("Hello."));
    const first = await lab.send(chat, "buy milk");
    await lab.delivery(chat, "approval");
    const second = await lab.send(chat, "hello again");
    expect(second.status).toBe("queued");
    await ask(chat, "/approve");
    await lab.answerTo(chat, second.id);
    expect(
      lab
        .said(chat)
        .filter(({ kind }) => kind === "answer")
        .map(({ text }) => text),
    ).toEqual(["Milk bought.", "Hello."]);
    expect((await lab.status(chat, first.id))?.status).toBe("answered");
  });
});

describe("several calls of one turn", () => {
  test("each have a card of their own, shown together; what is done keeps the model's order", async () => {
    const chat = lab.conversation();
    const calls = [
      { name: "note", args: { n: "order" } },
      pay("order-1"),
      { name: "look", args: { n: "order" } },
      pay("order-2"),
    ];
    lab.model.when("in order", call(...calls), say("All done."));
    const first = await lab.send(chat, "in order");
    const [one, two] = [await cardOf(chat), await cardOf(chat, 2)];
    expect(did("order")).toEqual(['note {"n":"order"}']);
    expect(await ask(chat, "/approve")).toMatch(
      /^Several calls wait.*\n- \/approve apr_\w+: pay .*order-1.*\n.*order-2/,
    );
    expect(await ask(chat, `/approve ${two.id}`)).toBe("Approved: pay.");
    // It stands behind the first, which is still open.
    expect(await lab.status(chat, first.id)).toMatchObject({ status: "waiting" });
    expect(did("order-2")).toEqual([]);
    expect(await ask(chat, `/deny ${one.id}`)).toBe("Denied: pay.");
    expect((await lab.answerTo(chat, first.id)).text).toBe("All done.");
    expect(did("order")).toEqual(['note {"n":"order"}', 'look {"n":"order"}', 'pay {"what":"order-2"}']);
    expect(lab.said(chat).filter(({ kind }) => kind === "approval")).toHaveLength(2);
  });

  test("reads beside a read that waits are done", async () => {
    const chat = lab.conversation();
    lab.model.when(
      "peek at it",
      call({ name: "peek", args: { n: "side" } }, { name: "look", args: { n: "side" } }),
      say("Seen."),
    );
    const first = await lab.send(chat, "peek at it");
    await lab.delivery(chat, "approval");
    expect(did("side")).toEqual(['look {"n":"side"}']);
    await ask(chat, "/approve");
    expect((await lab.answerTo(chat, first.id)).text).toBe("Seen.");
    expect(did("side")).toHaveLength(2);
  });

  test("two clicks on two cards at the same moment are both heard", async () => {
    const chat = lab.conversation();
    lab.model.when("both now", call(pay("both-1"), pay("both-2")), say("Both."));
    const first = await lab.send(chat, "both now");
    const cards = [await cardOf(chat), await cardOf(chat, 2)];
    await Promise.all(
      cards.map(({ id }) =>
        lab
          .runtime()
          .door.decideApproval({ id, verdict: "approve", by: { name: "user-1", admin: false }, operation: id }),
      ),
    );
    expect((await lab.answerTo(chat, first.id)).text).toBe("Both.");
    expect(did("both")).toEqual(['pay {"what":"both-1"}', 'pay {"what":"both-2"}']);
  });

  test("a click on one card while the call of the other is being made is not lost", async () => {
    const chat = lab.conversation();
    lab.model.when("one by one", call(pay("each-1"), pay("each-2")), say("Each."));
    const first = await lab.send(chat, "one by one");
    const [one, two] = [await cardOf(chat), await cardOf(chat, 2)];
    const approve = (id: string) =>
      lab
        .runtime()
        .door.decideApproval({ id, verdict: "approve", by: { name: "user-1", admin: false }, operation: id });
    inMidCall.set("each-1", () => approve(two.id));
    await approve(one.id);
    expect((await lab.answerTo(chat, first.id)).text).toBe("Each.");
    expect(did("each")).toHaveLength(2);
  });
});

describe("the rules of the installation", () => {
  test.each([
    { to: "a@evil.example", who: "user-1", asks: false, mails: 0, reads: "does not allow this call" },
    { to: "b@home.example", who: "careful", asks: false, mails: 1, reads: "mail ok" },
    { to: "c@other.example", who: "careful", asks: true, mails: 1, reads: "mail ok" },
    { to: "d@other.example", who: "user-1", asks: false, mails: 1, reads: "mail ok" },
  ])("a mail to $to for $who: asked $asks, sent $mails times", async ({ to, who, asks, mails, reads }) => {
    const chat = lab.conversation();
    const word = `write to ${to}`;
    lab.model.when(word, call({ name: "mail", args: { to } }), say("Well."));
    const first = await lab.send(chat, word, { workspaceId: parseWorkspaceId(who) });
    if (asks) {
      expect((await cardOf(chat)).reason).toBe("A rule of this installation asks for it.");
      await ask(chat, "/approve", who);
    }
    expect((await lab.answerTo(chat, first.id)).text).toBe("Well.");
    expect(did(to)).toHaveLength(mails);
    expect(resultFor(word)).toContain(reads);
    expect(lab.said(chat).filter(({ kind }) => kind === "approval")).toHaveLength(asks ? 1 : 0);
  });
});

describe("text from outside", () => {
  const READ = { name: "page", args: {} };

  interface Case {
    readonly given: string;
    readonly turns: readonly (readonly string[])[];
    readonly asks: boolean;
  }
  test.each<Case>([
    { given: "a page, then a call that sends", turns: [["page"], ["note"]], asks: true },
    { given: "a trusted result, then a call that sends", turns: [["look"], ["note"]], asks: false },
    { given: "a page, then a once call that sends nothing", turns: [["page"], ["local"]], asks: false },
    { given: "a page, then a call that may be repeated", turns: [["page"], ["put"]], asks: false },
    { given: "a page in the same turn, which the model had not read", turns: [["page", "note"]], asks: false },
  ])("$given: asked $asks", async ({ given, turns, asks }) => {
    const chat = lab.conversation();
    lab.model.when(
      given,
      ...turns.map((names) => call(...names.map((name) => ({ name, args: { given } })))),
      say("Done."),
    );
    const first = await lab.send(chat, given);
    if (asks) {
      expect((await cardOf(chat)).reason).toBe(
        "I have read text from outside (page) that may have told me to do this.",
      );
      await ask(chat, "/approve");
    }
    expect((await lab.answerTo(chat, first.id)).text).toBe("Done.");
    expect(did(JSON.stringify(given))).toHaveLength(turns.flat().length);
    expect(lab.said(chat).some(({ kind }) => kind === "approval")).toBe(asks);
  });

  test("of an earlier run counts while the conversation remembers it, and no longer after /new", async () => {
    const chat = lab.conversation();
    lab.model.when("read the page", call(READ), say("Read."));
    await lab.answerTo(chat, (await lab.send(chat, "read the page")).id);
    lab.model.when("send it on", call({ name: "note", args: { n: "later" } }), say("Sent."));
    await lab.send(chat, "send it on");
    expect((await cardOf(chat)).tool).toBe("note");
    await ask(chat, "/new");
    lab.model.when("send it anew", call({ name: "note", args: { n: "anew" } }), say("Sent."));
    expect(await ask(chat, "send it anew")).toBe("Sent.");
    expect(did("anew")).toHaveLength(1);
  });

  test("of other people in a group counts as well, the person's own words do not", async () => {
    const chat = lab.conversation();
    const bob = { workspaceId: parseWorkspaceId("bob"), authorName: "Bob" };
    lab.model.when("bob says", say("Noted, Bob."));
    await lab.answerTo(chat, (await lab.send(chat, "bob says", bob)).id);
    lab.model.when("ann says", call({ name: "note", args: { n: "ann" } }), say("Sent, Ann."));
    const asked = await lab.send(chat, "ann says", { workspaceId: parseWorkspaceId("ann"), authorName: "Ann" });
    expect(await cardOf(chat)).toMatchObject({ askedOf: "ann", reason: expect.stringContaining("other people") });
    expect(await ask(chat, "/approve", "bob")).toMatch(/^Only ann or an administrator/);
    expect(await ask(chat, "/approve", "ann")).toBe("Approved: note.");
    expect((await lab.answerTo(chat, asked.id)).text).toBe("Sent, Ann.");
  });
});

test("private memory never enters the prompt of a conversation in which several people speak", async () => {
  const ann = { workspaceId: parseWorkspaceId("ann-m") };
  await lab.runtime().memory.set(ann.workspaceId, { key: "pin", value: "fond of llamas", at: 1 });
  const alone = lab.conversation();
  lab.model.when("alone with you", say("Yes."));
  await lab.answerTo(alone, (await lab.send(alone, "alone with you", ann)).id);
  expect(lab.model.request("alone with you").raw).toContain("fond of llamas");
  const group = lab.conversation();
  lab.model.when("hi from bob", say("Hi."));
  await lab.answerTo(group, (await lab.send(group, "hi from bob", { workspaceId: parseWorkspaceId("bob-m") })).id);
  // Nor by a tool: what it gave back would stand in everybody's history.
  lab.model.when(
    "in company",
    call({ name: "memory_get", args: { key: "pin" } }, { name: "memory_list" }),
    say("Yes."),
  );
  await lab.answerTo(group, (await lab.send(group, "in company", ann)).id);
  for (const { raw } of lab.model.about("in company")) expect(raw).not.toContain("llamas");
  expect(resultFor("in company")).toContain("unknown tool");
  const offered = (word: string) => lab.model.request(word).tools?.map((tool) => tool.function.name);
  expect(offered("alone with you")).toContain("memory_get");
  expect(offered("in company")).not.toContain("memory_get");
  expect(offered("in company")).toContain("memory_set");
});
