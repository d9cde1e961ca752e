import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { privateRedis } from "../../test/setup/redis.ts";
import type { TranscriptMessage } from "../agent/door-contract.ts";
import { parseConversationId, parseMessageId, parseRunId } from "../kernel/ids.ts";
import { liveChannel, type LiveEvent } from "../kernel/live.ts";
import { silentLog } from "../kernel/ports.ts";
import { createLiveFeed, type LiveFeed } from "./live-feed.ts";
import { listen } from "./server.ts";
import { missedDeliveries } from "./sse.ts";
import { ADMIN_KEY, ALICE, createTestParts, deliveryEvent } from "../../test/api/test-parts.ts";

const parts = await createTestParts();
beforeEach(async () => {
  await parts.redis.flushdb();
});

let leaving = new AbortController();
beforeEach(() => {
  leaving = new AbortController();
});
afterEach(() => leaving.abort());

async function serve(over: Parameters<typeof parts.create>[0] = {}) {
  const made = parts.create(over);
  const server = await listen(made.api, { host: "127.0.0.1", port: 0 });
  onTestFinished(() => server.close());
  return { ...made, ...server };
}

/** Opens a stream and reads its pieces, which are separated by blank lines. */
async function open(url: string, conversation = "api:alice", headers: Record<string, string> = {}) {
  const address = `${url}/v1/conversations/${conversation}/events`;
  const response = await fetch(address, { headers, signal: leaving.signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let buffered = "";
  /** The next piece, undefined at the end. */
  async function next(): Promise<string | undefined> {
    for (;;) {
      const end = buffered.indexOf("\n\n");
      if (end >= 0) {
        const piece = buffered.slice(0, end);
        buffered = buffered.slice(end + 2);
        return piece;
      }
      const { done = true, value } = (await reader?.read()) ?? {};
      if (done) return undefined;
      buffered += value ?? "";
    }
  }
  /** The next event that is no comment. */
  async function event(): Promise<{ name: string; id: string | undefined; data: unknown } | undefined> {
    for (;;) {
      const piece = await next();
      if (piece === undefined) return undefined;
      const fields = new Map(
        piece.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
      );
      const data = fields.get("data");
      if (data !== undefined) return { name: fields.get("event") ?? "", id: fields.get("id"), data: JSON.parse(data) };
    }
  }
  return { response, next, event };
}

/** A feed that tells when a watch was stopped. */
function observed(feed: LiveFeed) {
  const stopped = Promise.withResolvers<void>();
  const live: LiveFeed = {
    ...feed,
    watch(conversation, listener) {
      const watch = feed.watch(conversation, listener);
      return {
        ...watch,
        stop() {
          watch.stop();
          stopped.resolve();
        },
      };
    },
  };
  return { live, stopped: stopped.promise };
}

function ownFeed(): LiveFeed {
  const feed = createLiveFeed({ connect: () => new Redis(parts.target), log: silentLog });
  onTestFinished(() => feed.close());
  return feed;
}

// Channels are shared with the tests of other files: each test here has a conversation of its own.
let count = 0;
const newConversation = () => `api:sse-${process.pid}-${(count += 1)}`;

describe("an event stream", () => {
  test("shows what happens, by name, with JSON, and deliveries with their id", async () => {
    const { url } = await serve();
    const conversation = newConversation();
    const stream = await open(url, conversation);
    expect(stream.response.status).toBe(200);
    expect(Object.fromEntries(stream.response.headers)).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "content-security-policy": expect.stringContaining("default-src 'self'"),
    });
    expect(await stream.next()).toBe(": open\nretry: 1000");

    const run_id = parseRunId("run_1");
    const events: LiveEvent[] = [
      { type: "message.received", message_id: parseMessageId("m1"), text: "line\nbreak", position: 0 },
      { type: "run.started", run_id, message_ids: [parseMessageId("m1")] },
      { type: "run.progress", run_id, step: "ai_call_1", label: "thinking" },
      { type: "text.delta", run_id, step: "ai_call_1", text: "h", reset: true },
      { type: "run.ended", run_id, end: "done" },
    ];
    for (const event of events) await parts.announce(conversation, event);
    for (const event of events) expect(await stream.event()).toEqual({ name: event.type, id: undefined, data: event });

    await parts.announce(conversation, deliveryEvent("run_1:reply:0", "hi"));
    expect(await stream.event()).toEqual({
      name: "delivery",
      id: "run_1:reply:0",
      data: {
        type: "delivery",
        delivery: { id: "run_1:reply:0", kind: "answer", text: "hi", answers: ["m1"], at: "2026-01-01T00:00:00.000Z" },
      },
    });
  });

  test("shows one conversation only, to everyone who watches it", async () => {
    const { url } = await serve();
    const [here, there] = [newConversation(), newConversation()];
    const streams = await Promise.all([open(url, here), open(url, here), open(url, there)]);
    for (const stream of streams) await stream.next();
    await parts.announce(here, deliveryEvent("d1", "here"));
    await parts.announce(there, deliveryEvent("d2", "there"));
    expect((await Promise.all(streams.map((stream) => stream.event()))).map((event) => event?.id)).toEqual([
      "d1",
      "d1",
      "d2",
    ]);
  });

  test("leaves out what it cannot read", async () => {
    const { url } = await serve();
    const conversation = newConversation();
    const stream = await open(url, conversation);
    await stream.next();
    const channel = liveChannel(parseConversationId(conversation));
    for (const payload of ["not JSON", "{}", '{"type":"later.invention"}']) await parts.redis.publish(channel, payload);
    await parts.announce(conversation, deliveryEvent("d\nid: forged", "x"));
    await parts.announce(conversation, deliveryEvent("d1", "hi"));
    expect((await stream.event())?.id).toBe("d1");
  });

  test("shows a repeated announcement once", async () => {
    const { url } = await serve();
    const conversation = newConversation();
    const stream = await open(url, conversation);
    await stream.next();
    for (const id of ["d1", "d1", "d2"]) await parts.announce(conversation, deliveryEvent(id, id));
    expect((await stream.event())?.id).toBe("d1");
    expect((await stream.event())?.id).toBe("d2");
  });

  test("is not begun for a HEAD request, which nobody would read", async () => {
    const { url } = await serve({ limits: { maxStreams: 1 } });
    for (const _ of [1, 2]) {
      const { status } = await fetch(`${url}/v1/conversations/api:alice/events`, { method: "HEAD" });
      expect(status).toBe(200);
    }
    expect(await (await open(url)).next()).toBe(": open\nretry: 1000");
  });

  test("shows that it is alive while nothing happens", async () => {
    const { url } = await serve({ limits: { heartbeatMs: 10 } });
    const stream = await open(url);
    expect(await stream.next()).toBe(": open\nretry: 1000");
    expect(await stream.next()).toBe(": still here");
    expect(await stream.next()).toBe(": still here");
  });
});

describe("coming back with Last-Event-ID", () => {
  test("shows what was said since, then goes on, with nothing missing or repeated in between", async () => {
    const conversation = newConversation();
    const { api, door, url } = await serveWithPause();
    await speak(api, conversation, "one");
    const seen = door.answer(conversation, "one!");
    await speak(api, conversation, "two");
    const missed = door.answer(conversation, "two!");

    const reading = door.nextTranscript();
    const stream = await open(url, conversation, { "last-event-id": seen });
    await reading.asked;
    // Said while the past is read: once as part of the past that is also announced, once as something new.
    await speak(api, conversation, "three");
    const both = door.answer(conversation, "three!");
    await parts.announce(conversation, deliveryEvent(both, "three!"));
    await parts.announce(conversation, deliveryEvent("new", "four!"));
    reading.goOn();
    await parts.announce(conversation, deliveryEvent(both, "three!"));
    await parts.announce(conversation, deliveryEvent("newer", "five!"));

    const ids: (string | undefined)[] = [];
    do ids.push((await stream.event())?.id);
    while (ids.at(-1) !== "newer" && ids.length < 9);
    expect(ids).toEqual([missed, both, "new", "newer"]);
  });

  async function serveWithPause() {
    const made = parts.create();
    let pause: { asked: () => void; release: Promise<void> } | undefined;
    const door = {
      ...made.door,
      nextTranscript() {
        const asked = Promise.withResolvers<void>();
        const release = Promise.withResolvers<void>();
        pause = { asked: asked.resolve, release: release.promise };
        return { asked: asked.promise, goOn: release.resolve };
      },
      async transcript(id: ReturnType<typeof parseConversationId>) {
        pause?.asked();
        await pause?.release;
        return made.door.transcript(id);
      },
    };
    return { ...(await serve({ door })), door };
  }

  async function speak(
    api: { request: (path: string, init: RequestInit) => Response | Promise<Response> },
    conversation: string,
    text: string,
  ) {
    const body = JSON.stringify({ user_id: "alice", conversation_id: conversation, text });
    const headers = { host: "localhost", "content-type": "application/json" };
    expect((await api.request("/v1/messages", { method: "POST", headers, body })).status).toBe(202);
  }

  const said = (id: string, role: "user" | "assistant", run: string): TranscriptMessage => ({
    id,
    role,
    text: id,
    at: 0,
    runId: parseRunId(run),
  });
  const transcript = [
    said("m1", "user", "r1"),
    said("d1", "assistant", "r1"),
    said("d2", "user", "r2"),
    said("m3", "user", "r2"),
    said("d2", "assistant", "r2"),
    said("d3", "assistant", "r3"),
  ];

  test.each([
    { last: "d1", shown: ["d2", "d3"] },
    { last: "d2", shown: ["d3"] },
    { last: "d3", shown: [] },
    { last: "gone", shown: ["d1", "d2", "d3"] },
    { last: "m1", shown: ["d1", "d2", "d3"] },
  ])("after $last: $shown", ({ last, shown }) => {
    const events = missedDeliveries(transcript, last);
    expect(events.map((event) => event.type === "delivery" && event.delivery.id)).toEqual(shown);
  });

  test("names the messages that each answers", () => {
    expect(missedDeliveries(transcript, "d1")[0]).toMatchObject({ delivery: { id: "d2", answers: ["d2", "m3"] } });
  });
});

describe("a stream ends", () => {
  test("when its client goes, and makes room for another", async () => {
    const { live, stopped } = observed(ownFeed());
    const { url } = await serve({ live, limits: { maxStreams: 1 } });
    const conversation = newConversation();
    const first = await open(url, conversation);
    await first.next();

    const second = await open(url);
    expect(second.response.status).toBe(503);
    expect(second.response.headers.get("retry-after")).toBe("5");
    expect(await second.next()).toBeUndefined();

    leaving.abort();
    await stopped;
    leaving = new AbortController();
    const third = await open(url, conversation);
    expect(await third.next()).toBe(": open\nretry: 1000");
    expect(await parts.redis.pubsub("NUMSUB", liveChannel(parseConversationId(conversation)))).toEqual([
      expect.anything(),
      1,
    ]);
  });

  test("when the server closes", async () => {
    const server = await serve();
    const stream = await open(server.url);
    await stream.next();
    await server.close();
    expect(await stream.next()).toBeUndefined();
  });

  test("when its key is taken back, at the next heartbeat", async () => {
    const { url, keys } = await serve({ adminKey: ADMIN_KEY, limits: { heartbeatMs: 10 } });
    const { id, key } = await keys.create({ name: "k", scopes: ["read"], userId: ALICE });
    const stream = await open(url, "api:alice", { authorization: `Bearer ${key}` });
    await stream.next();
    await keys.revoke(id);
    while ((await stream.next()) !== undefined);
  });

  test("when Redis was away, because events may have been missed; and another one can begin", async () => {
    const server = await privateRedis();
    const connect = () => {
      const redis = new Redis({ path: server.socketPath, retryStrategy: () => 10, maxRetriesPerRequest: null });
      redis.on("error", () => undefined);
      return redis;
    };
    const live = createLiveFeed({ connect, log: silentLog });
    onTestFinished(() => live.close());
    const { url } = await serve({ live });
    const conversation = newConversation();
    const stream = await open(url, conversation);
    await stream.next();
    await server.kill();
    expect(await stream.next()).toBeUndefined();

    const waiting = await open(url, conversation);
    await server.restart();
    expect(await waiting.next()).toBe(": open\nretry: 1000");
    const publisher = connect();
    onTestFinished(() => publisher.disconnect());
    await publisher.publish(liveChannel(parseConversationId(conversation)), JSON.stringify(deliveryEvent("d1", "hi")));
    expect((await waiting.event())?.id).toBe("d1");
  });

  test("when the past cannot be read", async () => {
    const { door } = parts.create();
    const { url } = await serve({ door: { ...door, transcript: () => Promise.reject(new Error("no Redis")) } });
    const stream = await open(url, newConversation(), { "last-event-id": "d1" });
    expect(await stream.next()).toBe(": open\nretry: 1000");
    expect(await stream.next()).toBeUndefined();
  });
});
