import { expect, test } from "vitest";
import { OutsideError } from "../../../src/kernel/errors.ts";
import type { DeliveryId } from "../../../src/kernel/ids.ts";
import type { OutboundMessage } from "../../../src/kernel/messages.ts";
import { firstTry, part, slackLab } from "./lab.ts";

const failure = async (work: Promise<unknown>): Promise<OutsideError> => {
  const error: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof OutsideError)) throw new Error("it did not fail with an OutsideError", { cause: error });
  return error;
};

test("an answer is posted into its thread, marked with its delivery id, and its id is what Slack names it", async () => {
  const { world, adapter } = await slackLab();
  const chat = world.group("team");
  const root = await world.say(chat, "Ana", { text: "hi", mention: true });

  const { postedId } = await adapter.send(part(chat.conversation(root), "*hello*"), firstTry());

  expect(world.shown(world.thread(chat, root))).toEqual([{ id: postedId, text: "*hello*", buttons: [], files: [] }]);
  const [message] = world.server.space.messages.slice(-1);
  expect(message?.metadata).toEqual({ event_type: "parley_delivery", event_payload: { id: "run1:final:0" } });
  expect(world.server.calls.at(-1)?.args).toMatchObject({ unfurl_links: "false", unfurl_media: "false" });
});

test("when the reply was lost, the repeated send finds the message and posts nothing", async () => {
  const { world, adapter } = await slackLab();
  const chat = world.group("team");
  const root = await world.say(chat, "Ana", { text: "hi", mention: true });
  const answer = part(chat.conversation(root), "once");
  const since = Date.now();
  world.fault({ kind: "reply-lost" });

  const error = await failure(adapter.send(answer, firstTry()));
  const { postedId } = await adapter.send(answer, firstTry({ repeatSince: since }));

  expect(error).toMatchObject({ code: "unavailable", retry: { kind: "after" } });
  expect(world.shown(chat)).toEqual([{ id: postedId, text: "once", buttons: [], files: [] }]);
});

test("a repeated send of what never arrived posts it, also beside other parts of the same answer", async () => {
  const { world, adapter } = await slackLab();
  const chat = world.direct("Ana");
  const where = chat.conversation("1.1");
  await adapter.send(part(where, "first"), firstTry());
  const second = part(where, "second", { id: "run1:final:1" as DeliveryId });
  world.fault({ kind: "failing", status: 503 });
  await failure(adapter.send(second, firstTry()));

  await adapter.send(second, firstTry({ repeatSince: Date.now() }));

  expect(world.shown(chat).map(({ text }) => text)).toEqual(["first", "second"]);
});

test("the message is found again in a busy channel, page after page", async () => {
  const { world, adapter } = await slackLab();
  const chat = world.direct("Ana");
  const since = Date.now();
  const answer = part(chat.conversation("1.1"), "there");
  const { postedId } = await adapter.send(answer, firstTry());
  for (let count = 0; count < 450; count++) await world.say(chat, "Ana", { text: `word ${count}` });

  expect(await adapter.send(answer, firstTry({ repeatSince: since }))).toEqual({ postedId });
  expect(world.server.calls.filter(({ method }) => method === "conversations.history")).toHaveLength(3);
});

const FAULTS = [
  {
    fault: { kind: "rate-limited", seconds: 7 },
    is: { code: "rate-limited", retry: { kind: "after", ms: 7_000 } },
    says: "Slack asks to wait 7 s before chat.postMessage in",
  },
  {
    fault: { kind: "failing", status: 500 },
    is: { code: "unavailable", retry: { kind: "after" } },
    says: "Slack answered chat.postMessage in",
  },
  {
    fault: { kind: "unauthorized" },
    is: { code: "unauthorized", retry: { kind: "never" } },
    says: "check SLACK_BOT_TOKEN",
  },
  {
    fault: { kind: "forbidden" },
    is: { code: "forbidden", retry: { kind: "never" } },
    says: "invite the bot to the channel with /invite",
  },
] as const;

test.each(FAULTS)("$fault.kind is told as $is.code, in words that help", async ({ fault, is, says }) => {
  const { world, adapter } = await slackLab();
  const chat = world.direct("Ana");
  world.fault(fault);

  const error = await failure(adapter.send(part(chat.conversation("1.1"), "hi"), firstTry()));

  expect(error).toMatchObject(is);
  expect(error.message).toContain(says);
  expect(error.message).toContain(world.channelOf(chat).id);
  expect(error.message).not.toContain("xoxb");
  // Tried once: the outbox owns waiting and repeating.
  expect(world.server.calls.filter(({ method }) => method === "chat.postMessage")).toHaveLength(1);
});

test("a scope that is missing is named", async () => {
  const { world, adapter } = await slackLab();
  world.server.rules.scopes = ["im:history"];

  const error = await failure(adapter.send(part(world.direct("Ana").conversation("1.1"), "hi"), firstTry()));

  expect(error).toMatchObject({ code: "forbidden", retry: { kind: "never" } });
  expect(error.message).toContain("missing_scope (chat:write): add the scope under OAuth & Permissions");
});

test.each(["token_revoked", "token_expired", "account_inactive"])(
  "a token that is %s can only be replaced",
  async (word) => {
    const { world, adapter } = await slackLab();
    world.server.rules.refuseAll = word;

    const error = await failure(adapter.send(part(world.direct("Ana").conversation("1.1"), "hi"), firstTry()));

    expect(error).toMatchObject({ code: "unauthorized", retry: { kind: "never" } });
    expect(error.message).toContain("SLACK_BOT_TOKEN");
  },
);

test("a channel that is gone or archived is said to be", async () => {
  const { world, adapter } = await slackLab();
  const chat = world.group("old");
  world.channelOf(chat).archived = true;

  const archived = await failure(adapter.send(part(chat.conversation("1.1"), "hi"), firstTry()));
  const gone = await failure(adapter.send(part("slack:C404" as never, "hi"), firstTry()));

  expect(archived).toMatchObject({ code: "not-found", retry: { kind: "never" } });
  expect(archived.message).toContain("the channel is archived");
  expect(gone.message).toContain("chat.postMessage in C404 with channel_not_found");
});

test("a server that cannot be reached is tried again later", async () => {
  const { world, adapter } = await slackLab({ options: { apiUrl: "http://127.0.0.1:9/api" } });

  const error = await failure(adapter.send(part(world.direct("Ana").conversation("1.1"), "hi"), firstTry()));

  expect(error).toMatchObject({ code: "unavailable", retry: { kind: "after" } });
});

test("nobody waits for a send that was given up", async () => {
  const { world, adapter } = await slackLab();
  const sending = adapter.send(
    part(world.direct("Ana").conversation("1.1"), "hi"),
    firstTry({ signal: AbortSignal.abort() }),
  );

  expect(await failure(sending)).toMatchObject({ code: "timeout", retry: { kind: "after" } });
});

test("when Slack refuses the markup every word arrives all the same, with its buttons", async () => {
  const { world, adapter } = await slackLab();
  const chat = world.direct("Ana");
  const buttons = [{ label: "Yes", token: "t1", style: "plain" }] as const;
  world.fault({ kind: "markup-refused" });

  await adapter.send(part(chat.conversation("1.1"), "*bold* words", { buttons }), firstTry());

  expect(world.shown(chat)).toMatchObject([{ text: "*bold* words", buttons: [{ label: "Yes" }] }]);
  const [message] = world.server.space.messages.slice(-1);
  expect(message?.blocks?.[0]?.["text"]).toMatchObject({ type: "plain_text" });
});

const outbound = (text: string): OutboundMessage => ({
  id: "run1:final:0" as DeliveryId,
  conversationId: "slack:C1" as never,
  kind: "answer",
  text,
  answers: [],
  at: 0,
});

test("a long answer with code and a table becomes several messages, none of which Slack refuses, and no word is lost", async () => {
  const { world, adapter } = await slackLab();
  const chat = world.direct("Ana");
  const lines = Array.from({ length: 400 }, (_, line) => `  const value${line} = compute(${line}); // <&>`);
  const table = "| name | value |\n| --- | --- |\n| alpha | 1 |\n| beta | 2 |";
  const text = `Here it is:\n\n\`\`\`ts\n${lines.join("\n")}\n\`\`\`\n\n${table}\n\nDone.`;

  const pieces = adapter.render(outbound(text));
  for (const [index, piece] of pieces.entries()) {
    const id = `run1:final:${index}` as DeliveryId;
    const last = index === pieces.length - 1;
    const buttons = last ? ([{ label: "More", token: "t1", style: "plain" }] as const) : [];
    await adapter.send(part(chat.conversation("1.1"), piece, { id, buttons }), firstTry());
  }

  const shown = world.shown(chat).map(({ text }) => text);
  expect(shown).toEqual(pieces);
  expect(pieces.length).toBeGreaterThan(4);
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(3_000);
  const all = shown.join("\n");
  for (let line = 0; line < 400; line++)
    expect(all).toContain(`const value${line} = compute(${line}); // &lt;&amp;&gt;`);
  for (const piece of shown) expect((piece.match(/```/g) ?? []).length % 2).toBe(0);
  expect(all).toContain("alpha");
  expect(world.server.refusals).toEqual([]);
});

test("nobody is called by what a model writes", async () => {
  const { world, adapter } = await slackLab();
  const [piece = ""] = adapter.render(outbound("<!channel> and <@U042>, hello"));

  await adapter.send(part(world.direct("Ana").conversation("1.1"), piece), firstTry());

  expect(world.server.space.messages.at(-1)?.text).toBe("&lt;!channel&gt; and &lt;@U042&gt;, hello");
});
