import { expect, test } from "vitest";
import type { Presence } from "../../../src/platforms/contract.ts";
import { firstTry, type Lab, part, slackLab } from "./lab.ts";
import { TEAM } from "./workspace.ts";

const signal = new AbortController().signal;
const look = (text: string, draft?: string) => ({ text, draft, step: "ai_call_1" });

/** A lab in which Ana has addressed the bot in a channel's thread. */
async function inThread(setup: Parameters<typeof slackLab>[0] = {}) {
  const lab = await slackLab(setup);
  await lab.listen();
  const chat = lab.world.group("team");
  const root = await lab.world.say(chat, "Ana", { text: "write a poem", mention: true });
  await lab.world.server.space.until(() => (lab.world.unacknowledged() === 0 ? true : undefined));
  const thread = lab.world.thread(chat, root);
  return { ...lab, chat, thread, where: thread.conversation(root), presence: presenceOf(lab) };
}

function presenceOf({ adapter }: Lab): Required<Presence> {
  const { presence } = adapter;
  if (presence?.preview === undefined) throw new Error("no presence");
  return presence as Required<Presence>;
}

test("an answer in a thread is seen while it is written, and becomes the final message in its place", async () => {
  const { world, adapter, presence, thread, where } = await inThread();

  const draft = await presence.preview(where, look("Roses are **re"), signal);
  expect(await presence.preview(where, look("Roses are **red**, <!here>", draft), signal)).toBe(draft);
  const [start] = world.server.calls.filter(({ method }) => method === "chat.startStream");
  expect(start?.args).toMatchObject({
    recipient_user_id: world.person("Ana").id.slice("slack:".length),
    recipient_team_id: TEAM,
  });
  // It grows, and calls nobody.
  expect(world.shown(thread)).toMatchObject([{ id: draft, text: "Roses are **red**, <\u200b!here>" }]);
  const final = part(where, "Roses are *red*, &lt;!here&gt;");
  const posted = await adapter.send(final, firstTry({ draft }));
  const again = await adapter.send(final, firstTry({ draft, repeatSince: Date.now() }));

  expect([posted, again]).toEqual([{ postedId: draft }, { postedId: draft }]);
  expect(world.shown(thread)).toEqual([{ id: draft, text: "Roses are *red*, &lt;!here&gt;", buttons: [], files: [] }]);
  const [message] = world.server.space.messages.slice(-1);
  expect(message?.metadata?.event_payload).toEqual({ id: "run1:final:0" });
  expect(message?.streaming).toBeUndefined();
  expect(world.server.refusals.filter((line) => !line.includes("not_in_streaming_state"))).toEqual([]);
});

test("when the preview was deleted the answer is a message of its own", async () => {
  const { world, adapter, presence, thread, where } = await inThread();
  const draft = await presence.preview(where, look("Ro"), signal);
  await world.delete(thread, draft ?? "");

  const { postedId } = await adapter.send(part(where, "Roses"), firstTry({ draft }));

  expect(postedId).not.toBe(draft);
  expect(world.shown(thread)).toMatchObject([{ id: postedId, text: "Roses" }]);
});

test("a preview whose stream ended by itself is still completed", async () => {
  const { world, adapter, presence, thread, where } = await inThread();
  const draft = await presence.preview(where, look("Ro"), signal);
  const message = world.server.space.message(world.channelOf(thread).id, draft ?? "");
  delete message?.streaming;

  await presence.preview(where, look("Roses", draft), signal);
  await adapter.send(part(where, "Roses"), firstTry({ draft }));

  expect(world.shown(thread)).toMatchObject([{ id: draft, text: "Roses" }]);
});

test("another step's text is put below, and a text that was begun anew is left to the final message", async () => {
  const { world, presence, thread, where } = await inThread();
  const draft = await presence.preview(where, look("First I look"), signal);
  const second = (text: string) => presence.preview(where, { text, draft, step: "ai_call_2" }, signal);

  await second("The answer");
  await second("The answer is");
  await second("No: it was");

  expect(world.shown(thread)).toMatchObject([{ id: draft, text: "First I look\n\nThe answer is" }]);
});

test("a preview in another process, which showed nothing yet, is left as it is and completed", async () => {
  const first = await inThread();
  const draft = await first.presence.preview(first.where, look("Ro"), signal);
  const second = await slackLab({ world: first.world, notes: first.notes });

  expect(await presenceOf(second).preview(first.where, look("Roses", draft), signal)).toBe(draft);
  await second.adapter.send(part(first.where, "Roses"), firstTry({ draft }));

  expect(first.world.shown(first.thread)).toMatchObject([{ id: draft, text: "Roses" }]);
});

test("where Slack does not stream there is no preview, which is said once and tried no more", async () => {
  const { world, presence, where, logged } = await inThread();
  world.server.rules.unknown.add("chat.startStream");

  expect(await presence.preview(where, look("Ro"), signal)).toBeUndefined();
  expect(await presence.preview(where, look("Roses"), signal)).toBeUndefined();

  expect(world.server.calls.filter(({ method }) => method === "chat.startStream")).toHaveLength(1);
  expect(logged.filter((line) => line.includes("Slack shows no preview"))).toHaveLength(1);
});

test("outside threads there is no preview: Slack has none there", async () => {
  const lab = await slackLab();
  const where = lab.world.direct("Ana").conversation("1.1");

  expect(await presenceOf(lab).preview(where, look("Ro"), signal)).toBeUndefined();
  expect(lab.world.server.calls).toEqual([]);
});

test("in threads the status tells what is done, typing does not wipe it out, and it goes at the end", async () => {
  const { world, presence, where } = await inThread();

  await presence.typing(where, signal);
  expect(await presence.progress(where, "searching the web", undefined, signal)).toBeUndefined();
  await presence.typing(where, signal);
  await presence.clearProgress(where, undefined, signal);

  expect(world.server.rules.statuses.map(({ status }) => status)).toEqual([
    "is thinking…",
    "searching the web",
    "searching the web",
    "",
  ]);
});

test("in a direct chat progress is one edited line, which goes at the end", async () => {
  const lab = await slackLab();
  const chat = lab.world.direct("Ana");
  const where = chat.conversation("1.1");
  const presence = presenceOf(lab);

  await presence.typing(where, signal);
  const first = await presence.progress(where, "searching <here>", undefined, signal);
  const second = await presence.progress(where, "reading", first, signal);
  expect(lab.world.shown(chat)).toMatchObject([{ id: first, text: "_reading_" }]);
  expect(second).toBe(first);
  await presence.clearProgress(where, second, signal);
  await presence.clearProgress(where, second, signal);

  expect(lab.world.shown(chat)).toEqual([]);
});

test("without the scope for a status a thread gets the line instead", async () => {
  const { world, presence, where, thread } = await inThread();
  world.server.rules.scopes = world.server.rules.scopes.filter((scope) => scope !== "assistant:write");
  await presence.typing(where, signal);

  const line = await presence.progress(where, "searching", undefined, signal);

  expect(world.shown(thread)).toMatchObject([{ id: line, text: "_searching_" }]);
});
