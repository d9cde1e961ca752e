import { expect, test } from "vitest";
import { adapterOn, CALM, part, testWorld } from "./rig.ts";

const { signal } = CALM;

async function presenceOn(options: Parameters<typeof adapterOn>[1] = {}) {
  const world = await testWorld();
  const { adapter, waits } = adapterOn(world, options);
  if (adapter.presence === undefined) throw new Error("there is no presence");
  const { presence } = adapter;
  return { world, adapter, presence, waits };
}

test("typing is shown in the chat and in the topic where the run is", async () => {
  const { world, presence } = await presenceOn();
  const topic = world.topic(world.group("team"), 7);
  await presence.typing?.(topic.conversation(""), signal);
  expect(world.api.calls).toEqual([
    {
      method: "sendChatAction",
      args: { chat_id: world.served(topic).id, action: "typing", message_thread_id: 7 },
    },
  ]);
  expect(presence.typingEveryMs).toBeLessThan(5_000);
});

test("progress is one silent line that is changed, the same line twice too, and removed at the end", async () => {
  const { world, presence } = await presenceOn();
  const chat = world.direct("ana");
  const conversation = chat.conversation("");
  const line = await presence.progress?.(conversation, "Searching…", undefined, signal);
  expect(world.kept(chat)).toMatchObject([{ text: "Searching…", silent: true }]);
  expect(await presence.progress?.(conversation, "Reading…", line, signal)).toBe(line);
  expect(await presence.progress?.(conversation, "Reading…", line, signal)).toBe(line);
  expect(world.shown(chat)).toMatchObject([{ id: line, text: "Reading…" }]);
  await presence.clearProgress?.(conversation, line, signal);
  await presence.clearProgress?.(conversation, line, signal);
  expect(world.shown(chat)).toEqual([]);
});

test("a line that somebody deleted is posted anew", async () => {
  const { world, presence } = await presenceOn();
  const chat = world.direct("ana");
  const conversation = chat.conversation("");
  const line = await presence.progress?.(conversation, "Searching…", undefined, signal);
  world.remove(chat, line ?? "");
  const second = await presence.progress?.(conversation, "Reading…", line, signal);
  expect(second).not.toBe(line);
  expect(world.shown(chat)).toMatchObject([{ id: second, text: "Reading…" }]);
});

test("changes of the line keep the distance that Telegram asks for, larger in groups", async () => {
  const clock = { now: () => 0, monotonic: () => 0 };
  const { world, presence, waits } = await presenceOn({ clock });
  for (const chat of [world.direct("ana"), world.group("team")]) {
    const conversation = chat.conversation("");
    const line = await presence.progress?.(conversation, "1", undefined, signal);
    await presence.progress?.(conversation, "2", line, signal);
    await presence.progress?.(conversation, "3", line, signal);
  }
  expect(waits).toEqual([1_000, 2_000, 3_500, 7_000]);
});

test("in a private chat the answer grows in a draft that vanishes when it is posted", async () => {
  const { world, adapter, presence } = await presenceOn();
  const chat = world.direct("ana");
  const show = (text: string) =>
    presence.preview?.(chat.conversation(""), { text, draft: undefined, step: "ai_call_1" }, signal);
  expect(await show("Once **upon")).toBe(undefined);
  expect(await show("Once **upon a** time")).toBe(undefined);
  expect(world.api.drafts).toMatchObject([{ text: "Once upon a time" }]);
  expect(world.api.drafts[0]?.id).toBeGreaterThan(0);
  await adapter.send(part(chat, "Once upon a time."), CALM);
  expect(world.api.drafts).toEqual([]);
  expect(world.shown(chat)).toMatchObject([{ text: "Once upon a time." }]);
});

test("a draft longer than a message shows its end, and one of nothing is not shown", async () => {
  const { world, presence } = await presenceOn();
  const conversation = world.direct("ana").conversation("");
  await presence.preview?.(conversation, { text: " ", draft: undefined, step: "s" }, signal);
  expect(world.api.drafts).toEqual([]);
  await presence.preview?.(conversation, { text: `${"word ".repeat(1_000)}end`, draft: undefined, step: "s" }, signal);
  expect(world.api.drafts[0]?.text.endsWith("end")).toBe(true);
});

test("in groups, and on a server that knows no drafts, nothing is shown and nothing fails", async () => {
  const { world, presence } = await presenceOn();
  const drafts = () => world.api.calls.filter(({ method }) => method === "sendMessageDraft").length;
  const show = (conversation: Parameters<NonNullable<typeof presence.typing>>[0]) =>
    presence.preview?.(conversation, { text: "so far", draft: undefined, step: "s" }, signal);
  await show(world.group("team").conversation(""));
  expect(drafts()).toBe(0);
  world.api.knowsDrafts = false;
  await show(world.direct("ana").conversation(""));
  await show(world.direct("bo").conversation(""));
  expect(drafts()).toBe(1);
});

test("a chat in which drafts are refused is not asked again", async () => {
  const { world, presence } = await presenceOn();
  const chat = world.direct("ana");
  world.served(chat).blocked = true;
  for (const text of ["so", "so far"])
    await presence.preview?.(chat.conversation(""), { text, draft: undefined, step: "s" }, signal);
  expect(world.api.calls).toHaveLength(1);
});
