import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { inspect } from "node:util";
import { fetch as undiciFetch } from "undici";
import { afterEach, describe, expect, test, vi } from "vitest";
import { InvalidInput, OutsideError, type OutsideCode, type Retry } from "../kernel/errors.ts";
import { parseRunId } from "../kernel/ids.ts";
import { silentLog, systemClock, type Log } from "../kernel/ports.ts";
import { createModelClient, type ModelClientOptions } from "./client.ts";
import type { ModelRequest } from "./contract.ts";

const KEY = "sk-Very/Secret+Key==";

interface Served {
  readonly url: string;
  readonly requests: {
    readonly method: string;
    readonly path: string;
    readonly headers: NodeJS.Dict<string | string[]>;
    readonly body: unknown;
  }[];
}

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  vi.unstubAllEnvs();
});

async function serve(answer: (response: ServerResponse, request: IncomingMessage) => void): Promise<Served> {
  const requests: Served["requests"] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      requests.push({
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        body: JSON.parse(body),
      });
      answer(response, request);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  servers.push(server);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, requests };
}

function client(url: string, more: Partial<ModelClientOptions> = {}) {
  return createModelClient({
    url,
    apiKey: KEY,
    model: "test-model",
    timeoutMs: 5000,
    log: silentLog,
    clock: systemClock,
    ...more,
  });
}

function ask(more: Partial<ModelRequest> = {}): ModelRequest {
  return {
    runId: parseRunId("run-1"),
    purpose: "chat",
    messages: [{ role: "user", content: "hello there" }],
    tools: [],
    signal: new AbortController().signal,
    ...more,
  };
}

const chunk = (delta: object, finish: string | null = null, more: object = {}) => ({
  id: "c1",
  object: "chat.completion.chunk",
  created: 1,
  model: "served-model",
  choices: [{ index: 0, delta, finish_reason: finish }],
  ...more,
});
const sse = (...events: readonly (object | string)[]) =>
  events.map((event) => `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`).join("");

function streamed(response: ServerResponse, body: string): void {
  response.writeHead(200, { "content-type": "text/event-stream" }).end(body);
}

async function failureOf(promise: Promise<unknown>): Promise<OutsideError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(OutsideError);
  return error as OutsideError;
}

describe("a request", () => {
  test("goes to {url}/chat/completions with the key, the purpose and the run", async () => {
    const server = await serve((response) => streamed(response, sse(chunk({ content: "hi" }, "stop"), "[DONE]")));
    await client(`${server.url}/`).ask(ask({ purpose: "plan", model: "other" }));
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({
      method: "POST",
      path: "/v1/chat/completions",
      headers: { authorization: `Bearer ${KEY}`, "x-parley-purpose": "plan", "x-parley-run": "run-1" },
      body: { model: "other", stream: true, stream_options: { include_usage: true } },
    });
  });

  test("without a key carries no authorization, and nothing of the environment's", async () => {
    vi.stubEnv("OPENAI_API_KEY", "sk-environment");
    vi.stubEnv("OPENAI_ORG_ID", "org-environment");
    vi.stubEnv("OPENAI_PROJECT_ID", "project-environment");
    vi.stubEnv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1");
    const server = await serve((response) => streamed(response, sse(chunk({ content: "hi" }, "stop"), "[DONE]")));
    await client(server.url, { apiKey: "" }).ask(ask());
    expect(server.requests[0]?.headers).not.toHaveProperty("authorization");
    expect(JSON.stringify(server.requests[0]?.headers)).not.toContain("environment");
  });

  test("a run id with letters a header cannot carry arrives URL-encoded", async () => {
    const server = await serve((response) => streamed(response, sse(chunk({ content: "hi" }, "stop"), "[DONE]")));
    await client(server.url).ask(ask({ runId: parseRunId("läuft") }));
    expect(server.requests[0]?.headers["x-parley-run"]).toBe("l%C3%A4uft");
  });

  test("a query in the address stays on every call", async () => {
    const server = await serve((response) => streamed(response, sse(chunk({ content: "hi" }, "stop"), "[DONE]")));
    await client(`${server.url}?api-version=2026-01-01`).ask(ask());
    expect(server.requests[0]?.path).toBe("/v1/chat/completions?api-version=2026-01-01");
  });

  test.each([
    { url: "not a url", apiKey: KEY },
    { url: "ftp://127.0.0.1/v1", apiKey: KEY },
    { url: `http://me:${encodeURIComponent(KEY)}@127.0.0.1/v1`, apiKey: "" },
    { url: "http://127.0.0.1/v1", apiKey: `${KEY}\nX: y` },
    { url: "http://127.0.0.1/v1", apiKey: `${KEY}ü` },
  ])("unusable settings are refused when the client is made, without quoting a secret: $url", ({ url, apiKey }) => {
    let refusal: unknown;
    try {
      client(url, { apiKey });
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(InvalidInput);
    expect(inspect(refusal)).not.toContain("Very");
  });
});

describe("a reply", () => {
  test("is put together from its pieces, which are shown as they come", async () => {
    const usage = { prompt_tokens: 11, completion_tokens: 2, total_tokens: 13 };
    const server = await serve((response) =>
      streamed(
        response,
        sse(
          chunk({ role: "assistant", content: "" }),
          chunk({ content: "Hello " }),
          chunk({ content: "Ana" }),
          chunk({}, "stop"),
          {
            ...chunk({}),
            choices: [],
            usage,
          },
        ) + sse("[DONE]"),
      ),
    );
    const pieces: string[] = [];
    const reply = await client(server.url).ask(ask({ onText: (delta) => pieces.push(delta) }));
    expect(reply).toEqual({
      text: "Hello Ana",
      toolCalls: [],
      usage: { inputTokens: 11, outputTokens: 2 },
      model: "served-model",
    });
    expect(pieces).toEqual(["Hello ", "Ana"]);
  });

  const whole = {
    id: "c1",
    object: "chat.completion",
    model: "served-model",
    choices: [{ index: 0, message: { role: "assistant", content: "whole" }, finish_reason: "stop" }],
    usage: { prompt_tokens: 3, completion_tokens: 1 },
  };
  test.each([
    { given: "as JSON", type: "application/json", body: JSON.stringify(whole) },
    { given: "as JSON called a stream", type: "text/event-stream", body: JSON.stringify(whole, undefined, 2) },
    {
      given: "as JSON after blank lines that kept the line open",
      type: "application/json",
      body: `\n\n  ${JSON.stringify(whole)}`,
    },
    {
      given: "as a stream called JSON",
      type: "application/json",
      body: sse(chunk({ content: "whole" }, "stop", { usage: whole.usage })),
    },
    { given: "as one streamed event with a message", type: "text/event-stream", body: sse(whole, "[DONE]") },
    {
      given: "as a stream without its last blank line",
      type: "text/event-stream",
      body: sse(chunk({ content: "whole" }, "stop", { usage: whole.usage })).trimEnd(),
    },
    {
      given: "among comments and pings",
      type: "text/event-stream",
      body: `: PROCESSING\n\nevent: ping\ndata: {"type":"ping"}\n\n${sse(chunk({ content: "whole" }, "stop", { usage: whole.usage }), "[DONE]")}`,
    },
    {
      given: "in typed parts",
      type: "text/event-stream",
      body: sse(
        chunk(
          {
            content: [
              { type: "thinking", thinking: [] },
              { type: "text", text: "whole" },
            ],
          },
          "stop",
          { usage: whole.usage },
        ),
        "[DONE]",
      ),
    },
    {
      given: "in the refusal field",
      type: "text/event-stream",
      body: sse(chunk({ content: null, refusal: "whole" }, "stop", { usage: whole.usage }), "[DONE]"),
    },
    {
      given: "without a finish reason but with the end mark",
      type: "text/event-stream",
      body: sse(chunk({ content: "whole" }, null, { usage: whole.usage }), "[DONE]"),
    },
  ])("$given is read all the same", async ({ type, body }) => {
    const server = await serve((response) => response.writeHead(200, { "content-type": type }).end(body));
    const pieces: string[] = [];
    const reply = await client(server.url).ask(ask({ onText: (delta) => pieces.push(delta) }));
    expect(reply).toEqual({
      text: "whole",
      toolCalls: [],
      usage: { inputTokens: 3, outputTokens: 1 },
      model: "served-model",
    });
    expect(pieces.join("")).toMatch(/^(whole)?$/);
  });

  test("letters cut apart between two packets arrive whole", async () => {
    const bytes = Buffer.from(sse(chunk({ content: "señal 🙂" }, "stop"), "[DONE]"));
    const server = await serve((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const place = bytes.indexOf("🙂") + 2;
      response.write(bytes.subarray(0, place), () => response.end(bytes.subarray(place)));
    });
    expect((await client(server.url).ask(ask())).text).toBe("señal 🙂");
  });

  test("without usage is counted by an estimate", async () => {
    const server = await serve((response) =>
      streamed(response, sse(chunk({ content: "twelve chars" }, "stop"), "[DONE]")),
    );
    const { usage } = await client(server.url).ask(ask({ messages: [{ role: "user", content: "x".repeat(400) }] }));
    expect(usage.outputTokens).toBe(3);
    expect(usage.inputTokens).toBeGreaterThanOrEqual(100);
    expect(usage.inputTokens).toBeLessThan(130);
  });

  test("with parallel tool calls in pieces keeps them apart and gives them our names", async () => {
    const call = (index: number, more: object) => chunk({ tool_calls: [{ index, ...more }] });
    const server = await serve((response) =>
      streamed(
        response,
        sse(
          chunk({ content: "One moment." }),
          call(0, { id: "a", type: "function", function: { name: "mail_send", arguments: "" } }),
          call(1, { id: "b", type: "function", function: { name: "time_now", arguments: "{}" } }),
          call(0, { function: { arguments: '{"to":' } }),
          call(0, { function: { arguments: '"x"}' } }),
          chunk({}, "tool_calls"),
          "[DONE]",
        ),
      ),
    );
    const tools = [
      { name: "mail.send", description: "", parameters: {} },
      { name: "time_now", description: "", parameters: {} },
    ];
    const reply = await client(server.url).ask(ask({ tools }));
    expect(reply.text).toBe("One moment.");
    expect(reply.toolCalls).toEqual([
      { id: "a", name: "mail.send", args: '{"to":"x"}' },
      { id: "b", name: "time_now", args: "{}" },
    ]);
  });

  test("whose tool calls have no ids, or ids the transcript already has, gets new ones, the same on every try", async () => {
    const calls = [
      { function: { name: "now", arguments: { tz: "UTC" } } },
      { id: "old", function: { name: "now", arguments: "{}" } },
    ];
    const server = await serve((response) =>
      response.end(
        JSON.stringify({ choices: [{ message: { content: null, tool_calls: calls }, finish_reason: "tool_calls" }] }),
      ),
    );
    const request = ask({
      messages: [
        { role: "user", content: "time?" },
        { role: "assistant", content: "", toolCalls: [{ id: "old", name: "now", args: "{}" }] },
        { role: "tool", callId: "old", content: "noon" },
      ],
    });
    const first = await client(server.url).ask(request);
    const second = await client(server.url).ask(request);
    const ids = first.toolCalls.map((call) => call.id);
    expect(new Set([...ids, "old", ""]).size).toBe(4);
    expect(ids.every((id) => /^[\w-]{1,40}$/.test(id))).toBe(true);
    expect(second.toolCalls).toEqual(first.toolCalls);
    expect(first.toolCalls[0]?.args).toBe('{"tz":"UTC"}');
  });

  test("that stopped at the length limit is given with that mark", async () => {
    const server = await serve((response) =>
      streamed(response, sse(chunk({ content: "Once upon" }, "length"), "[DONE]")),
    );
    expect(await client(server.url).ask(ask())).toMatchObject({ text: "Once upon", lengthLimited: true });
  });

  test("that is complete is given even when the server never hangs up", async () => {
    const server = await serve((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" }).write(sse(chunk({ content: "done" }, "stop")));
    });
    expect((await client(server.url, { idleMs: 50 }).ask(ask())).text).toBe("done");
  });

  test("that is complete is given even when the connection breaks right after it", async () => {
    const server = await serve((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(sse(chunk({ content: "done" }, "stop")), () => response.destroy());
    });
    expect((await client(server.url).ask(ask())).text).toBe("done");
  });
});

describe("a failure", () => {
  const again: Retry = { kind: "after" };
  const never: Retry = { kind: "never" };
  const cases: readonly {
    given: string;
    answer: (response: ServerResponse) => void;
    code: OutsideCode;
    retry: Retry;
  }[] = [
    {
      given: "a stream that ends in the middle",
      answer: (r) => streamed(r, sse(chunk({ content: "Hel" }))),
      code: "cut-short",
      retry: again,
    },
    {
      given: "a stream that ends inside an event",
      answer: (r) => streamed(r, `${sse(chunk({ content: "Hel" }))}data: {"choi`),
      code: "cut-short",
      retry: again,
    },
    {
      given: "a connection that breaks in the middle",
      answer: (r) => {
        r.writeHead(200, { "content-type": "text/event-stream" });
        r.write(sse(chunk({ content: "Hel" })), () => r.destroy());
      },
      code: "cut-short",
      retry: again,
    },
    {
      given: "a connection that breaks after the headers",
      answer: (r) => {
        r.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
        r.socket?.end();
      },
      code: "cut-short",
      retry: again,
    },
    {
      given: "a JSON body that is shorter than announced",
      answer: (r) => {
        r.writeHead(200, { "content-type": "application/json", "content-length": "500" });
        r.write('{"choices":[', () => r.destroy());
      },
      code: "cut-short",
      retry: again,
    },
    { given: "an empty body", answer: (r) => streamed(r, ""), code: "cut-short", retry: again },
    { given: "a connection closed without a word", answer: (r) => r.destroy(), code: "unavailable", retry: again },
    {
      given: "an event that is not JSON",
      answer: (r) => streamed(r, `${sse(chunk({ content: "a" }))}data: {oops}\n\n${sse("[DONE]")}`),
      code: "garbled",
      retry: again,
    },
    { given: "a body that is not JSON", answer: (r) => r.end("{malformed json: <<<"), code: "garbled", retry: again },
    {
      given: "a page in place of a reply",
      answer: (r) => r.writeHead(200, { "content-type": "text/html" }).end("<html><body>Sign in</body></html>"),
      code: "garbled",
      retry: again,
    },
    {
      given: "JSON of another kind",
      answer: (r) => streamed(r, sse({ choices: "none" }, "[DONE]")),
      code: "garbled",
      retry: again,
    },
    {
      given: "a tool call without a name",
      answer: (r) =>
        streamed(
          r,
          sse(chunk({ tool_calls: [{ index: 0, id: "a", function: { arguments: "{}" } }] }, "tool_calls"), "[DONE]"),
        ),
      code: "garbled",
      retry: again,
    },
    {
      given: "neither text nor tool calls",
      answer: (r) => streamed(r, sse(chunk({ role: "assistant", content: "" }), chunk({}, "stop"), "[DONE]")),
      code: "empty-answer",
      retry: again,
    },
    {
      given: "only white space",
      answer: (r) => streamed(r, sse(chunk({ content: " \n" }, "stop"), "[DONE]")),
      code: "empty-answer",
      retry: again,
    },
    {
      given: "no choices at all",
      answer: (r) => r.end(JSON.stringify({ object: "chat.completion", choices: [] })),
      code: "empty-answer",
      retry: again,
    },
    {
      given: "only reasoning",
      answer: (r) => streamed(r, sse(chunk({ reasoning_content: "Hmm, let me think" }), chunk({}, "stop"), "[DONE]")),
      code: "empty-answer",
      retry: again,
    },
    {
      given: "only reasoning up to the length limit",
      answer: (r) => streamed(r, sse(chunk({ reasoning: "Hmm" }), chunk({ content: null }, "length"), "[DONE]")),
      code: "empty-answer",
      retry: again,
    },
    {
      given: "a filtered answer",
      answer: (r) => streamed(r, sse(chunk({ content: "Well, " }), chunk({}, "content_filter"), "[DONE]")),
      code: "refused",
      retry: never,
    },
    {
      given: "a tool call cut by the length limit",
      answer: (r) =>
        streamed(
          r,
          sse(
            chunk({ tool_calls: [{ index: 0, id: "a", function: { name: "now", arguments: '{"tz":' } }] }, "length"),
            "[DONE]",
          ),
        ),
      code: "cut-short",
      retry: again,
    },
    {
      given: "an answer that ends with an error",
      answer: (r) => streamed(r, sse(chunk({ content: "We" }, "error"), "[DONE]")),
      code: "unavailable",
      retry: again,
    },
    {
      given: "an error inside the stream",
      answer: (r) =>
        streamed(r, sse(chunk({ content: "We" }), { error: { type: "overloaded_error", message: "Overloaded" } })),
      code: "overloaded",
      retry: again,
    },
    {
      given: "an event named error",
      answer: (r) => streamed(r, 'event: error\ndata: {"message":"no","type":"server_error"}\n\n'),
      code: "unavailable",
      retry: again,
    },
    {
      given: "an error in place of a reply, with status 200",
      answer: (r) => r.end(JSON.stringify({ error: { message: "No such model", code: "model_not_found" } })),
      code: "not-found",
      retry: never,
    },
    {
      given: "429 with a wait",
      answer: (r) => r.writeHead(429, { "retry-after": "7" }).end('{"error":{"message":"slow down"}}'),
      code: "rate-limited",
      retry: { kind: "after", ms: 7000 },
    },
    {
      given: "500",
      answer: (r) => r.writeHead(500).end('{"error":{"message":"oops","type":"server_error"}}'),
      code: "unavailable",
      retry: again,
    },
    {
      given: "502 with a page",
      answer: (r) => r.writeHead(502, { "content-type": "text/html" }).end("<html>Bad Gateway</html>"),
      code: "unavailable",
      retry: again,
    },
    {
      given: "400 in a body without the usual wrapper",
      answer: (r) => r.writeHead(400).end('[{"error":{"code":400,"message":"prompt is too long"}}]'),
      code: "context-too-long",
      retry: never,
    },
    {
      given: "401",
      answer: (r) => r.writeHead(401).end('{"error":{"message":"no"}}'),
      code: "unauthorized",
      retry: never,
    },
  ];

  test.each(cases)("$given -> $code", async ({ answer, code, retry }) => {
    const server = await serve(answer);
    const failure = await failureOf(client(server.url).ask(ask()));
    expect({ code: failure.code, retry: failure.retry }).toEqual({ code, retry });
    expect(failure.message).toContain("test-model at http://127.0.0.1:");
    expect(failure.cause === undefined || failure.cause instanceof Error).toBe(true);
    expect(server.requests).toHaveLength(1);
  });

  test("a server that is not there is unavailable and worth another try", async () => {
    const failure = await failureOf(client("http://127.0.0.1:9/v1").ask(ask()));
    expect(failure).toMatchObject({ code: "unavailable", retry: again });
    expect(failure.message).toMatch(/could not be reached/);
  });

  test("an endless reply is given up before it fills the memory", async () => {
    const server = await serve((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const more = () => {
        if (!response.destroyed) response.write(`: ${"x".repeat(1_000_000)}\n`, more);
      };
      more();
    });
    expect(await failureOf(client(server.url).ask(ask()))).toMatchObject({ code: "garbled", retry: never });
  });
});

test("calls one after the other share a connection", async () => {
  const sockets = new Set<unknown>();
  const server = await serve((response, request) => {
    sockets.add(request.socket);
    streamed(response, sse(chunk({ content: "hi" }, "stop"), "[DONE]"));
  });
  const model = client(server.url);
  for (let call = 0; call < 8; call += 1) await model.ask(ask());
  expect(sockets.size).toBeLessThanOrEqual(2);
});

describe("a deadline", () => {
  const drip = (response: ServerResponse): void => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const timer = setInterval(() => response.write(sse(chunk({ content: "." }))), 10);
    response.on("close", () => clearInterval(timer));
  };
  test.each<{
    given: string;
    answer: (response: ServerResponse) => void;
    limits: Partial<ModelClientOptions>;
    says: RegExp;
  }>([
    { given: "no answer at all", answer: () => {}, limits: { firstByteMs: 60 }, says: /sent nothing for 60 ms/ },
    {
      given: "headers and then nothing",
      answer: (r) => r.writeHead(200).flushHeaders(),
      limits: { firstByteMs: 60 },
      says: /sent nothing for 60 ms/,
    },
    {
      given: "silence in the middle",
      answer: (r) => r.writeHead(200).write(sse(chunk({ content: "a" }))),
      limits: { idleMs: 60 },
      says: /was silent in the middle of its answer for 60 ms/,
    },
    { given: "a drip that never ends", answer: drip, limits: { timeoutMs: 150 }, says: /took longer than 150 ms/ },
    {
      given: "an error whose body hangs",
      answer: (r) => r.writeHead(400).write("{"),
      limits: { firstByteMs: 60 },
      says: /./,
    },
  ])("passes: $given", async ({ answer, limits, says }) => {
    const server = await serve(answer);
    const failure = await failureOf(client(server.url, limits).ask(ask()));
    expect(failure.message).toMatch(says);
    expect(["timeout", "bad-request"]).toContain(failure.code);
    if (failure.code === "timeout") expect(failure.retry).toEqual({ kind: "after" });
  });
});

test("another fetch can be given, and its own kind of headers is understood", async () => {
  const server = await serve((r) => r.writeHead(429, { "retry-after": "3" }).end("{}"));
  const fetch = undiciFetch as unknown as typeof globalThis.fetch;
  const failure = await failureOf(client(server.url, { fetch }).ask(ask()));
  expect(failure.retry).toEqual({ kind: "after", ms: 3000 });
});

describe("an abort by the caller", () => {
  test("before the call rejects with its reason and sends nothing", async () => {
    const server = await serve((response) => response.end());
    const reason = new DOMException("stopped", "AbortError");
    await expect(client(server.url).ask(ask({ signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
    expect(server.requests).toHaveLength(0);
  });

  test.each<{ given: string; answer: (response: ServerResponse, stop: () => void) => void }>([
    { given: "before the headers", answer: (_, stop) => stop() },
    // Here the first piece of text stops it.
    { given: "in the middle of the reply", answer: (r) => r.writeHead(200).write(sse(chunk({ content: "a" }))) },
    { given: "in the middle of an error", answer: (r, stop) => r.writeHead(500).write("{", stop) },
  ])("$given rejects with the very reason and frees the connection", async ({ answer }) => {
    const stopper = new AbortController();
    const reason = { why: "the person wrote /stop" };
    const stop = () => stopper.abort(reason);
    let closed: Promise<unknown> | undefined;
    const server = await serve((response) => {
      closed = once(response, "close");
      answer(response, stop);
    });
    await expect(client(server.url).ask(ask({ signal: stopper.signal, onText: stop }))).rejects.toBe(reason);
    await closed;
  });
});

describe("the key", () => {
  const echo = `You sent ${KEY} (${encodeURIComponent(KEY)})`;
  const quoted = JSON.stringify(echo);
  test.each<{ given: string; answer: (response: ServerResponse) => void }>([
    {
      given: "an error body",
      answer: (r) => r.writeHead(401, { "x-request-id": KEY }).end(`{"error":{"message":${quoted},"code":${quoted}}}`),
    },
    { given: "an error page", answer: (r) => r.writeHead(500).end(`<html>${echo}</html>`) },
    {
      given: "an error page where the cut would fall into it",
      answer: (r) => r.writeHead(500).end("x".repeat(480) + KEY),
    },
    {
      given: "an error without a message",
      answer: (r) => r.writeHead(400).end(`{"error":{"headers":{"authorization":${quoted}}}}`),
    },
    { given: "an error in the stream", answer: (r) => streamed(r, `data: {"error":{"message":${quoted}}}\n\n`) },
    { given: "an event that is not JSON", answer: (r) => streamed(r, `data: ${KEY}\n\n`) },
    { given: "a body that is not JSON", answer: (r) => r.end(`{${KEY}`) },
    {
      given: "the middle of a long body that is not JSON",
      answer: (r) => r.end(`{"a":"${"x".repeat(99)}","b":${KEY}${"y".repeat(99)}}`),
    },
    { given: "a finish reason", answer: (r) => streamed(r, sse(chunk({}, KEY), "[DONE]")) },
  ])("never shows in an error or a log, even when the provider echoes it in $given", async ({ answer }) => {
    const lines: unknown[] = [];
    const note = (fields: object, message: string) => void lines.push(fields, message);
    const log: Log = { debug: note, info: note, warn: note, error: note, with: () => log };
    const printed = vi.spyOn(console, "error").mockImplementation(note);
    const server = await serve(answer);
    const failure = await failureOf(client(server.url, { log }).ask(ask()));
    printed.mockRestore();
    const everything = inspect([failure, failure.cause, lines], { depth: 12, showHidden: true });
    expect(everything).not.toContain("Very");
    expect(lines.length).toBeGreaterThan(0);
  });
});
