import { expect, onTestFinished, test } from "vitest";
import type { PlatformNotes } from "../../../src/platforms/notes.ts";
import type { ListenerReport } from "../../../src/platforms/listening.ts";
import { memoryNotes, Recorder } from "./recorder.ts";
import { adapterOn, listenOn } from "./rig.ts";
import { openTelegramWorld, type TelegramWorld } from "./world.ts";

const SECRET = "a-secret_of-ours";

async function webhookWorld() {
  const world = await openTelegramWorld({ webhook: true });
  onTestFinished(() => world.close());
  return world;
}

/** A process that Telegram's calls reach. Time passes in it only by `elapse`. */
function processOn(
  world: TelegramWorld,
  { notes = memoryNotes(), gateway = new Recorder(() => world.api.changed()) } = {},
) {
  let time = 1_000_000;
  const clock = { now: () => time, monotonic: () => time };
  const waiting: { readonly due: number; readonly end: () => void }[] = [];
  const wait = (ms: number) => new Promise<void>((end) => void waiting.push({ due: time + ms, end }));
  const elapse = (ms: number) => {
    time += ms;
    for (const { due, end } of waiting) if (due <= time) end();
  };
  const { adapter, logged } = adapterOn(world, { notes, clock, options: { wait } });
  const reports: ListenerReport[] = [];
  const [webhook] =
    adapter.listener?.webhooks?.({ gateway, report: (report) => void reports.push(report), heard() {} }) ?? [];
  if (webhook === undefined) throw new Error("there is no webhook");
  const post = (body: unknown, headers: Record<string, string> = { "x-telegram-bot-api-secret-token": SECRET }) =>
    webhook.handle(
      new Request(`http://parley.test${webhook.path}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    );
  return { gateway, reports, elapse, post, logged, webhook, notes };
}

let nextUpdate = 1;
const update = (text: string, more: object = {}, id = nextUpdate++) => ({
  update_id: id,
  message: {
    message_id: id,
    date: 1,
    chat: { id: 1_000, type: "private", first_name: "ana" },
    from: { id: 1_000, is_bot: false, first_name: "ana" },
    text,
    ...more,
  },
});

test("an update with the right secret is kept before Telegram hears ok", async () => {
  const { gateway, post, webhook } = processOn(await webhookWorld());
  const response = await post(update("hello"));
  expect(response.status).toBe(200);
  expect(webhook.path).toBe("/telegram/webhook");
  expect(gateway.texts).toEqual(["hello"]);
});

test.each([
  ["no secret", {}],
  ["a wrong secret", { "x-telegram-bot-api-secret-token": "guess" }],
  ["an empty secret", { "x-telegram-bot-api-secret-token": "" }],
  ["the beginning of the secret", { "x-telegram-bot-api-secret-token": SECRET.slice(0, -1) }],
])("%s is refused and nothing of it is read", async (_, headers) => {
  const { gateway, post } = processOn(await webhookWorld());
  expect((await post(update("let me in"), headers)).status).toBe(401);
  expect(gateway.calls).toEqual([]);
});

test("a webhook without a secret is not opened at all", async () => {
  const world = await webhookWorld();
  expect(() => adapterOn(world, { options: { webhook: { url: "https://x.test", secret: "" } } })).toThrow(
    "TELEGRAM_WEBHOOK_SECRET",
  );
});

test("what is no JSON, or far too large, is refused; an unreadable update is passed over so that others can follow", async () => {
  const { gateway, post, logged } = processOn(await webhookWorld());
  expect((await post("hello")).status).toBe(400);
  expect((await post(JSON.stringify({ update_id: 1, x: "x".repeat(1_100_000) }))).status).toBe(400);
  expect((await post({ update_id: 2, message: { message_id: "?" } })).status).toBe(200);
  expect(logged.some((line) => line.startsWith("an update of Telegram could not be read"))).toBe(true);
  expect(gateway.calls).toEqual([]);
});

test("an update that could not be kept is asked for again, and the operator sees why", async () => {
  const { gateway, post, reports } = processOn(await webhookWorld());
  gateway.failing = 1;
  const once = update("do not lose me");
  expect((await post(once)).status).toBe(503);
  expect(reports.at(-1)?.trouble).toContain("cannot be kept (Redis is not there)");
  expect((await post(once)).status).toBe(200);
  expect(gateway.texts).toEqual(["do not lose me"]);
  expect(reports.at(-1)).toEqual({ connected: true });
});

test("the same update five times, and an older one after a newer one: every message once, with its own id", async () => {
  const { gateway, post } = processOn(await webhookWorld());
  const [first, second] = [update("first"), update("second")];
  for (const each of [second, first, second, second, first, second]) expect((await post(each)).status).toBe(200);
  expect(gateway.texts).toEqual(["second", "first"]);
});

test("Telegram is told the address, the secret and what is wanted; what waits there is not dropped", async () => {
  const world = await webhookWorld();
  await world.say(world.direct("ana"), "ana", { text: "waiting" });
  const { reports } = listenOn(world);
  await world.when(() => reports.some(({ connected }) => connected));
  expect(world.api.calls.find(({ method }) => method === "setWebhook")?.args).toEqual({
    url: world.options.webhook?.url,
    secret_token: SECRET,
    allowed_updates: ["message", "edited_message", "callback_query", "my_chat_member"],
    drop_pending_updates: false,
  });
  expect(world.unacknowledged()).toBe(1);
});

test("when Telegram cannot deliver the operator reads why; when somebody else took the webhook it is taken back", async () => {
  const world = await webhookWorld();
  const clock = { now: () => 0, time: 0, monotonic: () => (clock.time += 61_000) };
  const { reports } = listenOn(world, { clock });
  await world.say(world.direct("ana"), "ana", { text: "nobody is behind the proxy" });
  await world.when(() => reports.some(({ trouble }) => trouble?.includes("502 Bad Gateway") === true));
  expect(reports.find(({ trouble }) => trouble?.includes("502"))).toMatchObject({
    connected: false,
    trouble: expect.stringMatching(/^Telegram cannot deliver to http.*1 updates wait/),
  });
  world.api.updates.setWebhook({ url: "http://127.0.0.1:1/other", secret: undefined });
  await world.when(() => reports.some(({ trouble }) => trouble?.includes("Another program had changed") === true));
  expect(world.api.updates.webhook?.url).toBe(world.options.webhook?.url);
});

const album = (name: string) => ({
  text: undefined,
  media_group_id: "77",
  document: { file_id: `id-${name}`, file_unique_id: "x", file_name: name },
});
const names = ({ messages }: Recorder) => messages.map(({ files }) => files.map(({ name }) => name));

test("the parts of an album are answered one by one, kept safely, and become one message when they came to rest", async () => {
  const world = await webhookWorld();
  const { gateway, post, elapse, notes } = processOn(world);
  expect((await post(update("", album("a")))).status).toBe(200);
  elapse(900);
  expect((await post(update("", { ...album("b"), caption: "look" }))).status).toBe(200);
  elapse(900);
  expect(await notes.reached()).toHaveLength(2);
  await post(update("somebody else"));
  expect(gateway.texts).toEqual(["somebody else"]);
  elapse(100);
  await world.when(() => gateway.messages.length === 2);
  expect(names(gateway)).toEqual([[], ["a", "b"]]);
  expect(gateway.texts).toEqual(["somebody else", "look"]);
});

test("an album whose process was killed after it had answered is kept by another one", async () => {
  const world = await webhookWorld();
  const notes: PlatformNotes = memoryNotes();
  const killed = processOn(world, { notes });
  killed.gateway.failing = Number.POSITIVE_INFINITY; // it never gets to keep anything
  await killed.post(update("", album("a")));
  await killed.post(update("", album("b")));
  const { gateway } = listenOn(world, { notes, clock: { now: () => 1_001_000, monotonic: () => 0 } });
  await world.when(() => gateway.messages.length > 0);
  expect(names(gateway)).toEqual([["a", "b"]]);
});

test("an album brought again after it was kept is known, a late part is a message of its own", async () => {
  const world = await webhookWorld();
  const { gateway, post, elapse } = processOn(world);
  const parts = [update("", album("a")), update("", album("b"))];
  for (const each of parts) await post(each);
  elapse(1_000);
  await world.when(() => gateway.messages.length === 1);
  for (const each of [...parts, update("", album("c"))]) await post(each);
  elapse(1_000);
  await world.when(() => gateway.messages.length === 2);
  expect(names(gateway)).toEqual([["a", "b"], ["c"]]);
});
