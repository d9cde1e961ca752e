import { createHmac } from "node:crypto";
import { verifySlackRequest } from "@slack/bolt";
import { expect, test } from "vitest";
import type { Clock } from "../../../src/kernel/ports.ts";
import type { Webhook } from "../../../src/platforms/listening.ts";
import { firstTry, type Lab, part, slackLab } from "./lab.ts";
import type { Envelope } from "./server.ts";

const SECRET = "8f742231b10e8888abcd99yyyzzz85a5";

const sign = (body: string, at: number, secret = SECRET) =>
  `v0=${createHmac("sha256", secret).update(`v0:${at}:${body}`).digest("hex")}`;

function request(body: string, more: { at?: number; signature?: string; type?: string; retry?: number } = {}): Request {
  const at = more.at ?? Math.floor(Date.now() / 1_000);
  return new Request("http://127.0.0.1/slack/events", {
    method: "POST",
    body,
    headers: {
      "content-type": more.type ?? "application/json",
      "x-slack-request-timestamp": String(at),
      "x-slack-signature": more.signature ?? sign(body, at),
      ...(more.retry === undefined
        ? {}
        : { "x-slack-retry-num": String(more.retry), "x-slack-retry-reason": "http_timeout" }),
    },
  });
}

/** A lab whose Slack calls the adapter over HTTP, the way the API's server hands requests on. */
async function httpLab(clock?: Clock): Promise<Lab & { readonly webhook: Webhook; readonly statuses: number[] }> {
  const lab = await slackLab({
    options: { appToken: undefined, signingSecret: SECRET },
    ...(clock === undefined ? {} : { clock }),
  });
  const webhook = lab.adapter.listener?.webhooks?.({ gateway: lab.gateway, report() {}, heard() {} })[0];
  if (webhook === undefined) throw new Error("no webhook");
  const statuses: number[] = [];
  lab.world.server.useHttp(async ({ type, payload, tries }: Envelope) => {
    const isJson = type === "events_api";
    const body = isJson
      ? JSON.stringify(payload)
      : type === "interactive"
        ? new URLSearchParams({ payload: JSON.stringify(payload) }).toString()
        : new URLSearchParams(payload as Record<string, string>).toString();
    const kind = isJson ? "application/json" : "application/x-www-form-urlencoded";
    const response = await webhook.handle(request(body, { type: kind, ...(tries > 1 ? { retry: tries - 1 } : {}) }));
    statuses.push(response.status);
    const text = await response.text();
    if (response.status !== 200) return undefined;
    return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
  });
  return { ...lab, webhook, statuses };
}

test("the address is proven to Slack by its challenge, when the signature is right", async () => {
  const { webhook } = await httpLab();
  const body = JSON.stringify({ type: "url_verification", token: "t", challenge: "3eZbrw1a" });

  const right = await webhook.handle(request(body));
  const wrong = await webhook.handle(request(body, { signature: sign(body, Math.floor(Date.now() / 1_000), "other") }));

  expect(webhook.path).toBe("/slack/events");
  expect(await right.json()).toEqual({ challenge: "3eZbrw1a" });
  expect(wrong.status).toBe(401);
  expect(await wrong.text()).not.toContain("3eZbrw1a");
});

const NOW = 1_800_000_000;
const BODY = JSON.stringify({ type: "event_callback", event: { type: "message" } });
test.each([
  { what: "right", with: {}, status: 200 },
  { what: "of another secret", with: { signature: sign(BODY, NOW, "other") }, status: 401 },
  { what: "of another body", with: { signature: sign(`${BODY} `, NOW) }, status: 401 },
  { what: "of another version", with: { signature: sign(BODY, NOW).replace("v0", "v1") }, status: 401 },
  { what: "empty", with: { signature: "" }, status: 401 },
  { what: "without its sign", with: { signature: "v0" }, status: 401 },
  { what: "five minutes old", with: { at: NOW - 299 }, status: 200 },
  { what: "older than five minutes", with: { at: NOW - 301 }, status: 401 },
  { what: "from the future", with: { at: NOW + 301 }, status: 401 },
])("a signature $what gives $status", async ({ with: more, status }) => {
  const { webhook } = await httpLab({ now: () => NOW * 1_000, monotonic: () => 0 });

  const response = await webhook.handle(request(BODY, { at: NOW, ...more }));

  expect(response.status).toBe(status);
});

test("our signature is the one Slack's own library checks", () => {
  const headers = { "x-slack-request-timestamp": NOW, "x-slack-signature": sign(BODY, NOW) };
  const check = (body: string) => {
    verifySlackRequest({ signingSecret: SECRET, body, headers, nowMilliseconds: NOW * 1_000 });
  };

  expect(() => {
    check(BODY);
  }).not.toThrow();
  expect(() => {
    check(`${BODY} `);
  }).toThrow("signature mismatch");
});

test("a refused signature tells the operator which variable to look at", async () => {
  const { webhook, gateway, logged } = await httpLab();

  await webhook.handle(request(BODY, { signature: "v0=00" }));

  expect(logged.join("\n")).toContain("check SLACK_SIGNING_SECRET");
  expect(logged.join("\n")).not.toContain(SECRET);
  expect(gateway.calls).toEqual([]);
});

test("an event is answered 200 only when the message is kept; else Slack brings it again, and it is the same message", async () => {
  const { world, gateway, statuses } = await httpLab();
  let tries = 0;
  gateway.keep = () => (++tries < 3 ? Promise.reject(new Error("the store is away")) : Promise.resolve());

  const id = await world.say(world.direct("Ana"), "Ana", { text: "hello" });
  await world.server.space.until(() => (world.unacknowledged() === 0 ? true : undefined));
  await world.redeliver(id, 5);

  expect(statuses.slice(0, 3)).toEqual([500, 500, 200]);
  expect(gateway.messages).toHaveLength(1);
  expect(gateway.messages[0]).toMatchObject({ id, text: "hello" });
});

test("slash commands and presses come to the same address, as forms", async () => {
  const { world, adapter, gateway } = await httpLab();
  const chat = world.direct("Ana");
  const buttons = [{ label: "Yes", token: "t1", style: "plain" }] as const;
  await adapter.send(part(chat.conversation("1.1"), "Well?", { kind: "question", buttons }), firstTry());
  gateway.answer = { notice: "Thanks.", outcome: "Yes" };

  await world.command(chat, "Ana", "/stop now");
  const [message] = world.shown(chat);
  const told = await world.press(chat, "Ana", message ?? (undefined as never), "Yes");
  await world.until(chat, ([one]) => one?.buttons.length === 0);

  expect(gateway.messages).toMatchObject([{ text: "/stop now" }]);
  const slash = world.server.sent.find(({ type }) => type === "slash_commands");
  expect(await slash?.answered).toEqual({ response_type: "ephemeral", text: "Taken: /stop now" });
  expect(told).toBe("Thanks.");
  expect(gateway.presses).toMatchObject([{ token: "t1" }]);
});

test("what is no event is refused, or acknowledged and left", async () => {
  const { webhook, gateway } = await httpLab();
  const form = "application/x-www-form-urlencoded";

  expect((await webhook.handle(request("not json"))).status).toBe(400);
  expect((await webhook.handle(request("payload=not+json", { type: form }))).status).toBe(400);
  expect((await webhook.handle(request("ssl_check=1&token=x", { type: form }))).status).toBe(200);
  expect((await webhook.handle(request(JSON.stringify({ type: "something_new" })))).status).toBe(200);
  expect((await webhook.handle(request("x".repeat(1_000_001)))).status).toBe(413);
  expect(gateway.calls).toEqual([]);
});

test("over HTTP, too, what was missed is fetched and the token is looked after", async () => {
  const { world, gateway, listen, notes, reports } = await httpLab();
  const chat = world.direct("Ana");
  await notes.reach(world.channelOf(chat).id, "1700000000.000001", Date.now());
  world.server.mute(true);
  await world.say(chat, "Ana", { text: "missed" });

  const stop = await listen();
  await gateway.until(() => gateway.messages.length === 1);
  await stop();

  expect(gateway.messages[0]?.text).toBe("missed");
  expect(reports).toEqual([{ connected: true }, { connected: false }]);
  expect(world.server.sockets.size).toBe(0);
});

test("with a bot token alone answers go out, and listening says what to set", async () => {
  const { world, adapter, begin } = await slackLab({ options: { appToken: undefined } });
  const chat = world.direct("Ana");

  await adapter.send(part(chat.conversation("1.1"), "hi"), firstTry());

  expect(world.shown(chat)).toMatchObject([{ text: "hi" }]);
  await expect(begin().ended).rejects.toThrow("set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET");
});
