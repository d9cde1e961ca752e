import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testRedis } from "../../test/setup/redis.ts";
import { OutsideError, type OutsideCode, type Retry } from "../kernel/errors.ts";
import { parseRunId } from "../kernel/ids.ts";
import { silentLog, systemClock } from "../kernel/ports.ts";
import { createBreaker, type BreakerSettings } from "../store/breaker.ts";
import { createModelClient } from "./client.ts";
import type { ModelRequest } from "./contract.ts";
import { createModelPool, type ModelPoolOptions, type ModelSpec } from "./failover.ts";

let redis: Redis;

beforeAll(async () => {
  redis = new Redis(await testRedis());
});
afterAll(() => redis.disconnect());
beforeEach(() => redis.flushdb());

type Answer = (response: ServerResponse) => void;

interface Provider {
  readonly url: string;
  /** The models it was asked for, in order. */
  readonly asked: string[];
  answer: Answer;
}

const servers: Server[] = [];
let calls = 0;

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function provider(answer: Answer = says("hello")): Promise<Provider> {
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { model } = JSON.parse(body) as { readonly model: string };
      made.asked.push(model);
      made.answer(response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  servers.push(server);
  const made: Provider = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, asked: [], answer };
  return made;
}

function says(words: string): Answer {
  return (response) => {
    response.setHeader("content-type", "text/event-stream");
    const choice = { index: 0, delta: { content: words }, finish_reason: "stop" };
    const usage = { prompt_tokens: 12, completion_tokens: 5 };
    response.end(`data: ${JSON.stringify({ choices: [choice], usage })}\n\ndata: [DONE]\n\n`);
  };
}

function refuses(status: number, body: unknown = {}, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}

function waits(seconds: number): Answer {
  return refuses(429, {}, { "retry-after": String(seconds) });
}

function breaksOffAfter(words: string): Answer {
  return (response) => {
    response.setHeader("content-type", "text/event-stream");
    response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: words } }] })}\n\n`, () =>
      response.destroy(),
    );
  };
}

interface Entry extends Partial<Omit<ModelSpec, "name">> {
  readonly at: Provider | string;
}

/** A pool of real clients in front of these providers, with the breaker in Redis. */
function poolOf(
  entries: Readonly<Record<string, Entry>>,
  more: Partial<ModelPoolOptions> & { readonly settings?: BreakerSettings } = {},
) {
  const models = Object.entries(entries).map(([name, { at: _at, ...spec }]) => ({
    name,
    model: `${name}-model`,
    timeoutMs: 5000,
    ...spec,
  }));
  const clients = new Map(
    models.map((spec) => {
      const at = entries[spec.name]?.at ?? "";
      const url = typeof at === "string" ? at : at.url;
      const options = { url, model: spec.model, timeoutMs: spec.timeoutMs, log: silentLog, clock: systemClock };
      return [spec.name, createModelClient(options)];
    }),
  );
  return createModelPool({
    models,
    clients,
    breaker: createBreaker(redis, more.settings),
    log: silentLog,
    clock: systemClock,
    newId: () => `call-${++calls}`,
    ...more,
  });
}

function request(more: Partial<ModelRequest> = {}): ModelRequest {
  return {
    runId: parseRunId("run-1"),
    purpose: "chat",
    messages: [{ role: "user", content: "hello there" }],
    tools: [],
    signal: new AbortController().signal,
    ...more,
  };
}

async function failureOf(asking: Promise<unknown>): Promise<OutsideError> {
  const error: unknown = await asking.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof OutsideError)) throw new Error("did not fail as expected", { cause: error });
  return error;
}

const OVERFLOW = { error: { code: "context_length_exceeded", message: "This model's maximum context length is 8192" } };

describe("which failures are left for the next model", () => {
  test.each<{ what: string; answer: Answer; next: boolean; code: string }>([
    { what: "too many requests", answer: refuses(429), next: true, code: "rate-limited" },
    {
      what: "overloaded",
      answer: refuses(529, { error: { type: "overloaded_error" } }),
      next: true,
      code: "overloaded",
    },
    { what: "out of service", answer: refuses(503), next: true, code: "overloaded" },
    { what: "an inner error", answer: refuses(500, { error: { message: "oops" } }), next: true, code: "unavailable" },
    { what: "a bad gateway's page", answer: refuses(502, "<html>Bad Gateway</html>"), next: true, code: "unavailable" },
    { what: "a gateway's timeout", answer: refuses(504), next: true, code: "timeout" },
    { what: "a wrong key", answer: refuses(401), next: true, code: "unauthorized" },
    { what: "a model not allowed", answer: refuses(403), next: true, code: "forbidden" },
    { what: "a model that is not there", answer: refuses(404), next: true, code: "not-found" },
    { what: "an empty account", answer: refuses(402), next: true, code: "quota-exhausted" },
    {
      what: "a used-up quota",
      answer: refuses(429, { error: { code: "insufficient_quota", message: "You exceeded your current quota" } }),
      next: true,
      code: "quota-exhausted",
    },
    { what: "a cut connection", answer: (response) => response.destroy(), next: true, code: "unavailable" },
    { what: "a cut answer", answer: breaksOffAfter("hal"), next: true, code: "cut-short" },
    { what: "an empty answer", answer: says(""), next: true, code: "empty-answer" },
    { what: "nonsense", answer: refuses(200, "what?"), next: true, code: "garbled" },
    { what: "silence", answer: () => {}, next: true, code: "timeout" },
    {
      what: "a bad request",
      answer: refuses(400, { error: { message: "no such field" } }),
      next: false,
      code: "bad-request",
    },
    { what: "a request too large", answer: refuses(413), next: false, code: "too-large" },
    { what: "too long a context", answer: refuses(400, OVERFLOW), next: false, code: "context-too-long" },
    {
      what: "a refusal of the content",
      answer: refuses(400, { error: { code: "content_filter", message: "flagged" } }),
      next: false,
      code: "refused",
    },
  ])("$what ($code): $next", async ({ answer, next, code }) => {
    const [first, second] = [await provider(answer), await provider(says("from the second"))];
    const asking = poolOf({ first: { at: first, timeoutMs: 400 }, second: { at: second } }).ask(request());
    if (next) expect(await asking).toMatchObject({ text: "from the second", model: "second" });
    else expect(await failureOf(asking)).toMatchObject({ code });
    expect(first.asked).toEqual(["first-model"]);
    expect(second.asked).toEqual(next ? ["second-model"] : []);
    const alone = await failureOf(poolOf({ alone: { at: first, timeoutMs: 400 } }).ask(request()));
    expect(alone).toMatchObject({ code });
  });

  test("a server that cannot be reached is one", async () => {
    const second = await provider();
    const reply = await poolOf({ first: { at: "http://127.0.0.1:1/v1" }, second: { at: second } }).ask(request());
    expect(reply.model).toBe("second");
  });

  test("stopping is none: nobody else is asked and the reason comes back as it is", async () => {
    const controller = new AbortController();
    const first = await provider(() => controller.abort(new Error("stopped by hand")));
    const second = await provider();
    const asking = poolOf({ first: { at: first }, second: { at: second } }).ask(request({ signal: controller.signal }));
    await expect(asking).rejects.toThrow("stopped by hand");
    expect(second.asked).toEqual([]);
  });
});

describe("the reply", () => {
  test("names the entry that answered and carries the usage of the stream", async () => {
    const reply = await poolOf({ first: { at: await provider(refuses(503)) }, second: { at: await provider() } }).ask(
      request(),
    );
    expect(reply).toMatchObject({ model: "second", usage: { inputTokens: 12, outputTokens: 5 } });
  });

  test("streams the text of one entry only", async () => {
    const pieces: string[] = [];
    const entries = {
      first: { at: await provider(breaksOffAfter("half an ans")) },
      second: { at: await provider(says("whole")) },
    };
    const reply = await poolOf(entries).ask(request({ onText: (delta) => pieces.push(delta) }));
    expect(reply.text).toBe("whole");
    expect(pieces.join("")).toBe("half an ans");
  });

  test("streams from the second when the first had said nothing", async () => {
    const pieces: string[] = [];
    const entries = { first: { at: await provider(refuses(500)) }, second: { at: await provider(says("whole")) } };
    await poolOf(entries).ask(request({ onText: (delta) => pieces.push(delta) }));
    expect(pieces).toEqual(["whole"]);
  });
});

describe("who is asked first", () => {
  const entries = async () => {
    const at = await provider();
    return { small: { at, contextTokens: 1000 }, big: { at, contextTokens: 100_000 }, local: { at } };
  };

  test.each<{ wish: Parameters<ReturnType<typeof poolOf>["choose"]>[0]; order: string[] }>([
    { wish: { purpose: "chat" }, order: ["small", "big", "local"] },
    { wish: { purpose: "plan" }, order: ["big", "small", "local"] },
    { wish: { purpose: "chat", model: "local" }, order: ["local", "small", "big"] },
    { wish: { purpose: "plan", model: "local" }, order: ["local", "small", "big"] },
    { wish: { purpose: "chat", model: "gone" }, order: ["small", "big", "local"] },
    { wish: { purpose: "chat", tokens: 1000 }, order: ["small", "big", "local"] },
    { wish: { purpose: "chat", tokens: 1001 }, order: ["big", "local"] },
    { wish: { purpose: "chat", tokens: 100_001 }, order: ["local"] },
    { wish: { purpose: "plan", model: "small", tokens: 5000 }, order: ["big", "local"] },
  ])("$wish: $order", async ({ wish, order }) => {
    const pool = poolOf(await entries(), { purposes: { plan: "big" } });
    expect(pool.choose(wish).map(({ name }) => name)).toEqual(order);
  });

  test("a request nobody seems to take is given to all: it was only estimated", async () => {
    const { small } = await entries();
    const pool = poolOf({ small });
    expect(pool.choose({ purpose: "chat", tokens: 5000 }).map(({ name }) => name)).toEqual(["small"]);
    expect(await pool.ask(request({ messages: [{ role: "user", content: "x".repeat(20_000) }] }))).toMatchObject({
      model: "small",
    });
  });

  test("a long request goes past an entry it does not fit", async () => {
    const long = request({ messages: [{ role: "user", content: "x".repeat(20_000) }] });
    expect(await poolOf(await entries()).ask(long)).toMatchObject({ model: "big" });
  });

  test("the conversation's choice is asked, and the others stand in for it", async () => {
    const [first, second] = [await provider(), await provider()];
    const pool = poolOf({ first: { at: first }, second: { at: second } });
    expect(await pool.ask(request({ model: "second" }))).toMatchObject({ model: "second" });
    second.answer = refuses(500);
    expect(await pool.ask(request({ model: "second" }))).toMatchObject({ model: "first" });
  });

  test("a choice that is gone from the list does not keep anybody from an answer", async () => {
    expect(await poolOf({ first: { at: await provider() } }).ask(request({ model: "gone" }))).toMatchObject({
      model: "first",
    });
  });
});

describe("an entry that asked to be left alone", () => {
  test("is skipped until then, in every process", async () => {
    const first = await provider(waits(20));
    const second = await provider();
    const entries = { first: { at: first }, second: { at: second } };
    await poolOf(entries).ask(request());
    await poolOf(entries).ask(request());
    await poolOf(entries).ask(request());
    expect(first.asked).toHaveLength(1);
    expect(second.asked).toHaveLength(3);
    expect(await poolOf(entries).list()).toEqual([
      {
        name: "first",
        model: "first-model",
        state: "waiting",
        code: "rate-limited",
        waitMs: expect.toSatisfy((ms: number) => ms > 15_000 && ms <= 20_000) as number,
      },
      { name: "second", model: "second-model", state: "ready" },
    ]);
  });

  test("is asked again afterwards", async () => {
    const first = await provider(waits(20));
    const entries = { first: { at: first }, second: { at: await provider() } };
    await poolOf(entries).ask(request());
    await redis.hset("breaker:first", "until", 1);
    first.answer = says("back");
    expect(await poolOf(entries).ask(request())).toMatchObject({ text: "back", model: "first" });
  });

  test("leaves the earliest time of all when everybody asked for one", async () => {
    const first = await provider(waits(50));
    const second = await provider(refuses(503, {}, { "retry-after": "20" }));
    const entries = { first: { at: first }, second: { at: second } };
    const refused = await failureOf(poolOf(entries).ask(request()));
    expect(refused).toMatchObject({ code: "rate-limited", retry: { kind: "after", ms: 20_000 } });
    const skipped = await failureOf(poolOf(entries).ask(request()));
    expect(skipped.retry).toEqual({
      kind: "after",
      ms: expect.toSatisfy((ms: number) => ms > 15_000 && ms <= 20_000) as number,
    });
    expect(skipped.message).toMatch(/first is left alone for 50 s \(rate-limited\); second is left alone for 20 s/);
    expect([first.asked, second.asked].map((asked) => asked.length)).toEqual([1, 1]);
  });
});

describe("the error when nobody answered", () => {
  test.each<{ first: Answer; second: Answer; code: OutsideCode; retry: Retry }>([
    { first: refuses(401), second: refuses(503), code: "overloaded", retry: { kind: "after" } },
    { first: refuses(503), second: refuses(401), code: "overloaded", retry: { kind: "after" } },
    { first: refuses(401), second: refuses(404), code: "unauthorized", retry: { kind: "never" } },
    { first: waits(7), second: refuses(500), code: "rate-limited", retry: { kind: "after" } },
    { first: waits(7), second: refuses(401), code: "rate-limited", retry: { kind: "after", ms: 7000 } },
    { first: refuses(503), second: refuses(400, OVERFLOW), code: "overloaded", retry: { kind: "after" } },
    { first: refuses(401), second: refuses(400, OVERFLOW), code: "unauthorized", retry: { kind: "never" } },
  ])("says what may still pass: $code, $retry", async ({ first, second, code, retry }) => {
    const entries = { first: { at: await provider(first) }, second: { at: await provider(second) } };
    const error = await failureOf(poolOf(entries).ask(request()));
    expect({ code: error.code, retry: error.retry }).toEqual({ code, retry });
    expect(error.message).toMatch(/^No model could answer: first failed \(.+\); second failed \(.+\)$/s);
  });
});

describe("a model that fails again and again", () => {
  const settings = { failures: 2, windowMs: 60_000, openMs: 30_000, maxOpenMs: 60_000 };

  test("is not asked for a while, then by one call, then by all", async () => {
    const first = await provider(refuses(500));
    const second = await provider();
    const pool = poolOf({ first: { at: first }, second: { at: second } }, { settings });
    for (let n = 0; n < 5; n++) await pool.ask(request());
    expect(first.asked).toHaveLength(2);
    await redis.hset("breaker:first", "until", 1);
    expect((await pool.list())[0]).toMatchObject({ state: "trying" });

    const entered = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    first.answer = (response) => {
      entered.resolve();
      void released.promise.then(() => says("well again")(response));
    };
    const probe = pool.ask(request());
    await entered.promise;
    expect(await pool.ask(request())).toMatchObject({ model: "second" });
    expect(first.asked).toHaveLength(3);
    released.resolve();
    expect(await probe).toMatchObject({ text: "well again", model: "first" });
    first.answer = says("hello");
    expect(await pool.ask(request())).toMatchObject({ model: "first" });
  });

  test("a probe that is stopped leaves the probe to the next call", async () => {
    const first = await provider(refuses(500));
    const pool = poolOf({ first: { at: first } }, { settings });
    for (let n = 0; n < 2; n++) await failureOf(pool.ask(request()));
    await redis.hset("breaker:first", "until", 1);
    const controller = new AbortController();
    first.answer = () => controller.abort(new Error("stopped by hand"));
    await expect(pool.ask(request({ signal: controller.signal }))).rejects.toThrow("stopped by hand");
    first.answer = says("well again");
    expect(await pool.ask(request())).toMatchObject({ text: "well again" });
    expect((await pool.list())[0]).toMatchObject({ state: "ready" });
  });

  test("a request it declines shows that it is well again", async () => {
    const first = await provider(refuses(500));
    const pool = poolOf({ first: { at: first } }, { settings });
    for (let n = 0; n < 2; n++) await failureOf(pool.ask(request()));
    await redis.hset("breaker:first", "until", 1);
    first.answer = refuses(400, OVERFLOW);
    expect(await failureOf(pool.ask(request()))).toMatchObject({ code: "context-too-long" });
    expect((await pool.list())[0]).toMatchObject({ state: "ready" });
  });
});

test("what is known of the models being out of reach keeps nobody from an answer", async () => {
  const lost = new Redis({ path: "/nowhere/redis.sock", lazyConnect: true, retryStrategy: () => null });
  lost.on("error", () => undefined);
  const entries = { first: { at: await provider(refuses(500)) }, second: { at: await provider() } };
  const pool = poolOf(entries, { breaker: createBreaker(lost) });
  expect(await pool.ask(request())).toMatchObject({ model: "second" });
});

describe("a list that cannot work is refused", () => {
  const client = { ask: () => Promise.reject(new Error("not asked")) };
  const spec = (name: string): ModelSpec => ({ name, model: name, timeoutMs: 1000 });

  test.each<[string, Partial<ModelPoolOptions>, RegExp]>([
    ["an empty one", { models: [] }, /empty/],
    ["a name used twice", { models: [spec("a"), spec("a")] }, /Two models are called a/],
    ["an entry without a client", { models: [spec("a"), spec("b")] }, /b has no client/],
    ["a purpose given to nobody", { purposes: { plan: "z" } }, /model for plan, z,/],
  ])("%s", (_what, more, message) => {
    expect(() =>
      createModelPool({
        models: [spec("a")],
        clients: new Map([["a", client]]),
        breaker: createBreaker(redis),
        log: silentLog,
        clock: systemClock,
        newId: () => "id",
        ...more,
      }),
    ).toThrow(message);
  });
});
