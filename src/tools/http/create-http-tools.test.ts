import { EventEmitter, once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { stringify } from "yaml";
import { testRedis } from "../../../test/setup/redis.ts";
import { parseYamlFile } from "../../config/yaml-file.ts";
import { InvalidInput, type OutsideError } from "../../kernel/errors.ts";
import { parseConversationId, parseRunId, parseWorkspaceId } from "../../kernel/ids.ts";
import { silentLog, systemClock, type Log } from "../../kernel/ports.ts";
import { Secret } from "../../kernel/secret.ts";
import { createCredentialStore } from "../../store/credentials.ts";
import type { ToolContext } from "../contract.ts";
import { createHttpTools } from "./create-http-tools.ts";

const NEVER_MS = 2 ** 30;
const ADA = parseWorkspaceId("ada");
const BOB = parseWorkspaceId("bob");

const redis = new Redis(await testRedis());
afterAll(() => redis.disconnect());
const credentials = createCredentialStore(redis, { masterKey: new Secret("correct horse battery staple") });

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "parley-http-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
});

describe("a declared call", () => {
  test("becomes a tool that says what it is", async () => {
    await declare("http://127.0.0.1:9", {
      timeout_s: 5,
      capabilities: [
        { name: "get", description: "Gets one.", path: "/{id}", parameters: { id: { description: "Which" } } },
        {
          name: "put",
          description: "Puts one.",
          method: "PUT",
          path: "/",
          effect: "idempotent",
          approval: "ask",
          timeout_s: 0.5,
          parameters: {
            size: { type: "integer", minimum: 1, maximum: 9, default: 3 },
            tags: { type: "array", items: { enum: ["a", "b"] }, max_length: 2, required: false },
            to: { type: "object", properties: { x: { type: "number" }, y: { type: "boolean", required: false } } },
          },
        },
        { name: "post", description: "Posts one.", method: "POST", path: "/" },
      ],
    });
    const source = await start();
    expect(source.problems()).toEqual([]);
    const [get, put, post] = await source.toolsFor(ADA);
    expect(get).toMatchObject({
      name: "shop.get",
      description: "Gets one.\n(shop: A shop.)",
      effect: "read",
      approval: "never",
      timeoutMs: 5000,
      parameters: { type: "object", properties: { id: { type: "string", description: "Which" } }, required: ["id"] },
    });
    expect(put).toMatchObject({ name: "shop.put", effect: "idempotent", approval: "ask", timeoutMs: 500 });
    expect(put?.parameters).toEqual({
      type: "object",
      properties: {
        size: { type: "integer", minimum: 1, maximum: 9, default: 3 },
        tags: { type: "array", items: { type: "string", enum: ["a", "b"] }, maxItems: 2 },
        to: { type: "object", properties: { x: { type: "number" }, y: { type: "boolean" } }, required: ["x"] },
      },
      required: ["to"],
    });
    expect(post).toMatchObject({ effect: "once", parameters: { type: "object", properties: {} } });
  });

  test("is sent as declared, and the answer's data comes back", async () => {
    const { url, requests } = await serve((_request, response) => json(response, 200, { ok: [1, { a: "ü" }] }));
    await declare(`${url}/v1/`, {
      headers: { "X-Version": "7" },
      capabilities: [
        {
          name: "add",
          description: "d",
          method: "POST",
          path: "/lists/{list}/things",
          parameters: { list: {}, title: {}, dry: { type: "boolean", in: "query" } },
          fixed: { body: { source: "bot" } },
        },
      ],
    });
    const outcome = await call(await start(), "shop.add", { list: "a/b", title: "Tea", dry: true, unknown: 1 });
    expect(outcome).toEqual({ kind: "result", value: { ok: [1, { a: "ü" }] } });
    expect(requests).toEqual([
      {
        line: "POST /v1/lists/a%2Fb/things?dry=true",
        headers: expect.objectContaining({
          "x-version": "7",
          "content-type": "application/json",
          "user-agent": "Parley",
        }),
        body: '{"source":"bot","title":"Tea"}',
      },
    ]);
  });

  test("whose arguments do not fit is not sent", async () => {
    const { url, requests } = await serve((_request, response) => json(response, 200, {}));
    await declare(url, {
      capabilities: [
        { name: "x", description: "d", path: "/{id}", parameters: { id: {}, n: { type: "integer", maximum: 3 } } },
      ],
    });
    const source = await start();
    await expect(call(source, "shop.x", { id: "a", n: 4 })).rejects.toThrow(InvalidInput);
    await expect(call(source, "shop.x", { id: "..", n: 1 })).rejects.toThrow(InvalidInput);
    expect(requests).toEqual([]);
  });

  test.each([
    { effect: "read", sent: undefined },
    { effect: "idempotent", sent: "r1:tool_1_1" },
    { effect: "once", sent: undefined },
  ])("carries the idempotency key when its effect is $effect: $sent", async ({ effect, sent }) => {
    const { url, requests } = await serve((_request, response) => json(response, 200, {}));
    await declare(url, {
      idempotency_header: "X-Once-Key",
      capabilities: [{ name: "x", description: "d", method: "POST", path: "/", effect }],
    });
    await call(await start(), "shop.x");
    expect(requests[0]?.headers["x-once-key"]).toBe(sent);
  });
});

describe("the answer", () => {
  const things = {
    items: [
      { id: 1, name: "a", more: "x" },
      { id: 2, name: "b" },
    ],
    next: null,
  };
  test.each([
    { result: undefined, value: things },
    { result: { pick: "$.items[0].name" }, value: "a" },
    { result: { pick: "items[*].id" }, value: [1, 2] },
    { result: { pick: { first: "items[0].id", missing: "nothing.here" } }, value: { first: 1, missing: null } },
    {
      result: { each: "items", pick: { id: "id", more: "more" } },
      value: [
        { id: 1, more: "x" },
        { id: 2, more: null },
      ],
    },
    { result: { each: "next" }, value: [] },
    { result: { as: "text" }, value: JSON.stringify(things) },
  ])("is shaped by $result", async ({ result, value }) => {
    expect(await answering((_request, response) => json(response, 200, things), { result })).toEqual(value);
  });

  test.each([
    { type: "text/plain; charset=iso-8859-1", body: Buffer.from("caf\xe9", "latin1"), value: "café" },
    { type: "text/html", body: "<script>x</script><h1>Tea</h1><p>Hot</p>", value: "Tea\n\nHot" },
    { type: "application/vnd.x+json", body: "[1]", value: [1] },
    { type: "text/json", body: '"x"', value: "x" },
    { type: "image/png", body: Buffer.alloc(1234), value: "(1234 bytes of type image/png; not text)" },
    { type: "nonsense", body: "?", value: "(1 bytes of type application/octet-stream; not text)" },
    { type: "application/json", body: "", value: "done (status 200, no content)" },
  ])("of type $type is read as $value", async ({ type, body, value }) => {
    const answer = (_request: unknown, response: ServerResponse) =>
      void response.setHeader("content-type", type).end(body);
    expect(await answering(answer)).toEqual(value);
  });

  test.each([
    { what: "is no JSON although it says so", type: "application/json", body: "<secret-page>", code: "garbled" },
    {
      what: "is no JSON where a part is to be picked",
      type: "text/plain",
      body: "x",
      result: { pick: "a" },
      code: "garbled",
    },
    {
      what: "is too large to be read",
      type: "application/json",
      body: `"${"x".repeat(3_000_000)}"`,
      code: "too-large",
    },
  ])("that $what is a failure which does not quote it", async ({ type, body, result, code }) => {
    const answer = (_request: unknown, response: ServerResponse) =>
      void response.setHeader("content-type", type).end(body);
    const failure: unknown = await answering(answer, { result }).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code,
      message: expect.stringMatching(/^127\.0\.0\.1:\d+ \(GET \/\) answered with /),
    });
    expect(String(failure)).not.toContain("secret-page");
  });

  test("is cut when it is long, as text or as data, with a note", async () => {
    const long = (_request: unknown, response: ServerResponse) => json(response, 200, { text: "x".repeat(500) });
    const cut = await answering(long, { result: { max_chars: 100 } });
    expect(cut).toMatch(/^\{"text":"x+\n\[cut: \d+ of 511 characters are not shown\]$/);
    expect(cut).toHaveLength(100);
  });

  test("that is text without end is cut, and the connection closed", async () => {
    const closed = Promise.withResolvers<void>();
    const value = await answering((_request, response) => {
      response.on("close", () => closed.resolve());
      response.setHeader("content-type", "text/plain");
      const more = (): void => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    });
    await closed.promise;
    expect(value).toHaveLength(16_000);
  });
});

describe("who is calling", () => {
  const hello = (_request: unknown, response: ServerResponse) => json(response, 200, {});

  test.each([
    { auth: { type: "none" }, headers: { authorization: undefined } },
    { auth: { type: "bearer", token: "${TOKEN}" }, headers: { authorization: "Bearer hunter2-token" } },
    { auth: { type: "api_key", name: "X-Api-Key", key: "${TOKEN}" }, headers: { "x-api-key": "hunter2-token" } },
    {
      auth: { type: "basic", username: "ada", password: "${TOKEN}" },
      headers: { authorization: `Basic ${btoa("ada:hunter2-token")}` },
    },
  ])("is proved by $auth.type", async ({ auth, headers }) => {
    const { url, requests } = await serve(hello);
    await declare(url, { auth, capabilities: [{ name: "x", description: "d", path: "/" }] });
    await call(await start(), "shop.x");
    expect({ authorization: undefined, ...requests[0]?.headers }).toMatchObject(headers);
  });

  test("is proved by a key in the query", async () => {
    const { url, requests } = await serve(hello);
    await declare(url, {
      auth: { type: "api_key", in: "query", name: "key", key: "a&b" },
      capabilities: [{ name: "x", description: "d", path: "/", fixed: { query: { v: 1 } } }],
    });
    await call(await start(), "shop.x");
    expect(requests[0]?.line).toBe("GET /?v=1&key=a%26b");
  });

  test("can be each person by their own credential, and a person without one is told so", async () => {
    const { url, requests } = await serve(hello);
    await declare(url, {
      auth: { type: "bearer", token: { credential: "shop" } },
      headers: { "X-Team": { credential: "team" } },
      capabilities: [{ name: "x", description: "d", path: "/" }],
    });
    for (const [who, word] of [
      [ADA, "ada"],
      [BOB, "bob"],
    ] as const) {
      await credentials.set(who, { name: "shop", value: new Secret(`${word}-token`), at: 1 });
      await credentials.set(who, { name: "team", value: new Secret(`${word}-team`), at: 1 });
    }
    const source = await start({ credentials });
    await call(source, "shop.x", {}, { workspaceId: ADA });
    await call(source, "shop.x", {}, { workspaceId: BOB });
    expect(requests.map(({ headers }) => [headers.authorization, headers["x-team"]])).toEqual([
      ["Bearer ada-token", "ada-team"],
      ["Bearer bob-token", "bob-team"],
    ]);
    await expect(call(source, "shop.x", {}, { workspaceId: parseWorkspaceId("eve") })).rejects.toMatchObject({
      code: "unauthorized",
      message: expect.stringMatching(/^shop needs the person's own credential "(shop|team)", which is not stored$/),
    });
    const without = await start();
    await expect(call(without, "shop.x")).rejects.toThrow("has not set PARLEY_MASTER_KEY");
    expect(requests).toHaveLength(2);
  });

  test("never shows: a service that repeats what it was sent gives nothing away", async () => {
    const { url } = await serve((request, response) =>
      json(response, request.line.includes("fail") ? 400 : 200, { message: `you sent ${JSON.stringify(request)}` }),
    );
    await declare(url, {
      auth: { type: "basic", username: "ada", password: "${TOKEN}" },
      headers: { "X-Secret-Thing": "abc-${TOKEN}", "X-Session": { credential: "session" } },
      capabilities: [
        { name: "x", description: "d", path: "/" },
        { name: "fail", description: "d", path: "/fail" },
      ],
    });
    await credentials.set(ADA, { name: "session", value: new Secret("my own session"), at: 1 });
    const source = await start({ credentials });
    const shown = [
      JSON.stringify(await call(source, "shop.x")),
      String(await call(source, "shop.fail").catch((error: unknown) => error)),
    ];
    for (const text of shown) {
      expect(text).toContain("you sent");
      expect(text).not.toMatch(/hunter2|abc-|my own session/);
      expect(text).not.toContain(btoa("ada:hunter2-token"));
    }
  });

  test("cannot break a header apart", async () => {
    await declare("http://127.0.0.1:9", {
      auth: { type: "bearer", token: { credential: "broken" } },
      capabilities: [{ name: "x", description: "d", path: "/" }],
    });
    await credentials.set(ADA, { name: "broken", value: new Secret("a\r\nX-Admin: 1"), at: 1 });
    const failure = call(await start({ credentials }), "shop.x");
    await expect(failure).rejects.toThrow("shop: the secret for the header authorization holds a character");
    await expect(failure).rejects.not.toThrow("X-Admin");
  });
});

describe("an OAuth client", () => {
  test("gets one token for all calls that come together, and a new one when it expires", async () => {
    const { url, requests } = await oauthService({ expires_in: 100 });
    await declareOauth(url);
    const source = await start();
    let now = 1_000_000;
    const clock = { ...systemClock, now: () => now };
    await Promise.all(Array.from({ length: 5 }, () => call(source, "shop.x", {}, { clock })));
    expect(tokensOf(requests)).toEqual(["Bearer token-1"]);
    now += 69_000;
    await call(source, "shop.x", {}, { clock });
    expect(tokensOf(requests)).toEqual(["Bearer token-1"]);
    now += 2_000;
    await call(source, "shop.x", {}, { clock });
    expect(tokensOf(requests)).toEqual(["Bearer token-1", "Bearer token-2"]);
    expect(requests.filter(({ line }) => line === "POST /token")).toEqual([
      expect.objectContaining({
        headers: expect.objectContaining({ authorization: `Basic ${btoa("my+client:hunter2-token")}` }),
        body: "grant_type=client_credentials&scope=read+write&audience=shop",
      }),
      expect.anything(),
    ]);
  });

  test("can send its credentials in the form", async () => {
    const { url, requests } = await oauthService({});
    await declareOauth(url, { send_client_in: "body" });
    await call(await start(), "shop.x");
    const [request] = requests;
    expect(request?.headers.authorization).toBeUndefined();
    expect(new URLSearchParams(request?.body).get("client_secret")).toBe("hunter2-token");
  });

  test("whose token is taken back early gets a new one and sends the call once more, whatever its effect", async () => {
    const service = await oauthService({});
    await declareOauth(service.url, {}, { method: "POST", effect: "once" });
    const source = await start();
    await call(source, "shop.x");
    service.revoke();
    expect(await call(source, "shop.x")).toMatchObject({ value: { calls: 2 } });
    expect(tokensOf(service.requests)).toEqual(["Bearer token-1", "Bearer token-2"]);
  });

  test("that is refused with every token is told so after two tries", async () => {
    const service = await oauthService({});
    service.refuseAll();
    await declareOauth(service.url);
    await expect(call(await start(), "shop.x")).rejects.toMatchObject({ code: "unauthorized" });
    expect(service.requests.map(({ line }) => line)).toEqual(["POST /token", "GET /", "POST /token", "GET /"]);
  });

  test.each([
    { status: 400, body: { error: "invalid_client" }, code: "unauthorized", says: "the token service 127.0.0.1:" },
    { status: 401, body: { error: "bad hunter2-token" }, code: "unauthorized", says: "It said: bad [secret]" },
    { status: 503, body: {}, code: "unavailable", says: "answered 503" },
    { status: 200, body: {}, code: "garbled", says: "gave no access token" },
  ])(
    "whose token service answers $status fails with $code and tries again at the next call",
    async ({ status, body, code, says }) => {
      const { url, requests } = await serve((_request, response) => json(response, status, body));
      await declareOauth(url);
      const source = await start();
      for (let n = 0; n < 2; n++)
        await expect(call(source, "shop.x")).rejects.toMatchObject({ code, message: expect.stringContaining(says) });
      expect(requests.map(({ line }) => line)).toEqual(["POST /token", "POST /token"]);
    },
  );

  test("has a token for each person whose own secret it uses", async () => {
    const { url, requests } = await oauthService({});
    await declareOauth(url, { client_secret: { credential: "client" } });
    await credentials.set(ADA, { name: "client", value: new Secret("ada-secret"), at: 1 });
    await credentials.set(BOB, { name: "client", value: new Secret("bob-secret"), at: 1 });
    const source = await start({ credentials });
    for (const workspaceId of [ADA, BOB, ADA]) await call(source, "shop.x", {}, { workspaceId });
    expect(requests.filter(({ line }) => line === "GET /").map(({ headers }) => headers.authorization)).toEqual([
      "Bearer token-1",
      "Bearer token-2",
      "Bearer token-1",
    ]);
  });
});

describe("a failure", () => {
  test("of the service is classified, with its wait", async () => {
    const { url } = await serve((_request, response) => {
      response.setHeader("retry-after", "7");
      json(response, 429, { message: "slow down" });
    });
    await declare(url, { capabilities: [{ name: "x", description: "d", path: "/a/{id}", parameters: { id: {} } }] });
    await expect(call(await start(), "shop.x", { id: "private-id" })).rejects.toMatchObject({
      code: "rate-limited",
      retry: { kind: "after", ms: 7000 },
      message: `${new URL(url).host} (GET /a/{id}) answered 429; to be tried again in 7 s. It said: slow down`,
    });
  });

  test.each([
    { effect: "read", retry: "after", known: true },
    { effect: "idempotent", retry: "after", known: true },
    { effect: "once", retry: "never", known: false },
  ])("in the middle of a $effect call: retry $retry", async ({ effect, retry, known }) => {
    const { url } = await serve((_request, response) => response.destroy());
    await declare(url, { capabilities: [{ name: "x", description: "d", method: "POST", path: "/", effect }] });
    const failure = (await call(await start(), "shop.x").catch((error: unknown) => error)) as OutsideError;
    expect(failure).toMatchObject({ code: "unavailable", retry: { kind: retry } });
    expect(failure.message).toMatch(/^The connection to 127\.0\.0\.1:\d+ broke/);
    expect(failure.message.includes("whether it was carried out is not known")).toBe(!known);
  });

  test("to connect says that nothing was sent", async () => {
    const { url, close } = await serve(() => {});
    await close();
    await declare(url, { capabilities: [{ name: "x", description: "d", method: "POST", path: "/" }] });
    await expect(call(await start(), "shop.x")).rejects.toMatchObject({
      code: "unavailable",
      retry: { kind: "after" },
      message: `${new URL(url).host} cannot be reached (ECONNREFUSED); nothing was sent`,
    });
  });

  test("to answer in time ends the call, and closes the connection", async () => {
    const closed = Promise.withResolvers<void>();
    const { url } = await serve((_request, response) => response.on("close", () => closed.resolve()));
    await declare(url, { timeout_s: 0.1, capabilities: [{ name: "x", description: "d", path: "/" }] });
    await expect(call(await start(), "shop.x")).rejects.toMatchObject({ code: "timeout" });
    await closed.promise;
  });

  test("is not what stopping the run is", async () => {
    const arrived = Promise.withResolvers<void>();
    const { url } = await serve(() => arrived.resolve());
    await declare(url, { capabilities: [{ name: "x", description: "d", path: "/" }] });
    const stop = new AbortController();
    const calling = call(await start(), "shop.x", {}, { signal: stop.signal });
    await arrived.promise;
    const reason = new Error("stopped by the person");
    stop.abort(reason);
    await expect(calling).rejects.toBe(reason);
  });
});

describe("the address guard", () => {
  const simple = { capabilities: [{ name: "x", description: "d", path: "/" }] };

  test.each([
    ["127.0.0.1", [{ address: "127.0.0.1", family: 4 }]],
    ["::1", [{ address: "::1", family: 6 }]],
    [
      "10.0.0.1 behind a public one",
      [
        { address: "93.184.216.34", family: 4 },
        { address: "10.0.0.1", family: 4 },
      ],
    ],
    ["169.254.169.254", [{ address: "169.254.169.254", family: 4 }]],
  ])("refuses a name that leads to %s", async (_what, answers) => {
    await writeFile(join(dir, "shop.yaml"), yaml("http://rebind.test:8080", simple));
    const source = await start({ guard: { resolve: async () => answers } });
    await expect(call(source, "shop.x")).rejects.toMatchObject({
      code: "refused",
      message: expect.stringMatching(/^Not fetched from rebind\.test: the name resolves to /),
    });
  });

  test("lets through what the installation allows", async () => {
    const { url } = await serve((_request, response) => json(response, 200, "hi"));
    await writeFile(join(dir, "shop.yaml"), yaml(url, simple));
    const source = await start({ guard: { allow: [new URL(url).host] } });
    expect(await call(source, "shop.x")).toMatchObject({ value: "hi" });
  });

  test("judges where a redirect leads: what one file may reach is not for another service to ask for", async () => {
    const inner = await serve((_request, response) => json(response, 200, "secret"));
    const { url } = await serve((_request, response) => void response.writeHead(302, { location: inner.url }).end());
    await declare(url, simple);
    await expect(call(await start(), "shop.x")).rejects.toMatchObject({
      code: "refused",
      message: `Not fetched from ${new URL(inner.url).host}: a loopback address`,
    });
    expect(inner.requests).toEqual([]);
  });

  test("follows a redirect of a GET with credentials on the same origin, and without any to another", async () => {
    const other = await serve((_request, response) => json(response, 200, "arrived"));
    const { url, requests } = await serve((request, response) => {
      const location = request.line === "GET /" ? "/second" : `${other.url}/third`;
      response.writeHead(307, { location }).end();
    });
    await writeFile(
      join(dir, "shop.yaml"),
      yaml(url, { ...simple, auth: { type: "bearer", token: "${TOKEN}" }, headers: { "X-Custom": "1" } }),
    );
    const source = await start({ guard: { allow: [new URL(url).host, new URL(other.url).host] } });
    expect(await call(source, "shop.x")).toMatchObject({ value: "arrived" });
    expect(requests.map(({ line, headers }) => [line, headers.authorization])).toEqual([
      ["GET /", "Bearer hunter2-token"],
      ["GET /second", "Bearer hunter2-token"],
    ]);
    expect(other.requests[0]?.headers.authorization).toBeUndefined();
    expect(other.requests[0]?.headers["x-custom"]).toBeUndefined();
  });

  test("leaves a circle of redirects, and follows none of a POST", async () => {
    const { url, requests } = await serve(
      (_request, response) => void response.writeHead(302, { location: "/" }).end(),
    );
    await declare(url, {
      capabilities: [...simple.capabilities, { name: "post", description: "d", method: "POST", path: "/" }],
    });
    const source = await start();
    await expect(call(source, "shop.x")).rejects.toThrow("more than 5 redirects");
    expect(requests).toHaveLength(6);
    await expect(call(source, "shop.post")).rejects.toMatchObject({
      code: "failed",
      message: expect.stringContaining("answered 302"),
    });
    expect(requests).toHaveLength(7);
  });
});

describe("the files", () => {
  test("that are broken are named with line and column, and the others work", async () => {
    await writeFile(join(dir, "a.yaml"), "name: a\nbad: [\n");
    await writeFile(
      join(dir, "b.yml"),
      yaml("https://api.test", { name: "b", capabilities: [{ name: "x", description: "d", path: "x" }] }),
    );
    await writeFile(
      join(dir, "c.yaml"),
      yaml("https://api.test", { name: "c", capabilities: [{ name: "x", description: "d", path: "/x" }] }),
    );
    await writeFile(join(dir, "_off.yaml"), "nonsense");
    await writeFile(join(dir, "http-tool.schema.json"), "{}");
    const source = await start();
    expect(await names(source)).toEqual(["c.x"]);
    expect(source.problems()).toEqual([
      expect.stringMatching(/^parley-http-\w+\/a\.yaml:\d+:\d+: /),
      expect.stringMatching(/^parley-http-\w+\/b\.yml:\d+:\d+: capabilities\.0\.path: expected a path that begins/),
    ]);
  });

  test("of one name are not both used", async () => {
    const text = yaml("https://api.test", { capabilities: [{ name: "x", description: "d", path: "/x" }] });
    await writeFile(join(dir, "a.yaml"), text);
    await writeFile(join(dir, "b.yaml"), text);
    const source = await start();
    expect(await names(source)).toEqual(["shop.x"]);
    expect(source.problems()).toEqual([
      expect.stringMatching(
        /\/b\.yaml: the tool "shop\.x" is left out: parley-http-\w+\/a\.yaml has one of that name$/,
      ),
    ]);
  });

  test("are read again when they change, and a broken one leaves its last good version in use", async () => {
    const { log, line } = listening();
    const text = (name: string) => yaml("https://api.test", { capabilities: [{ name, description: "d", path: "/x" }] });
    await writeFile(join(dir, "a.yaml"), text("one"));
    const source = await start({ log, debounceMs: 20 });
    const reloaded = line("tool files loaded");
    await writeFile(join(dir, "a.yaml"), text("two"));
    await reloaded;
    expect(await names(source)).toEqual(["shop.two"]);
    const broken = line("a tool file cannot be used");
    await writeFile(join(dir, "a.yaml"), "name: [");
    await broken;
    await source.check();
    expect(await names(source)).toEqual(["shop.two"]);
    expect(source.problems()).toEqual([expect.stringMatching(/; the file's last good version stays in use$/)]);
    await rm(join(dir, "a.yaml"));
    await source.check();
    expect(await names(source)).toEqual([]);
    expect(source.problems()).toEqual([]);
  });
});

type Source = Awaited<ReturnType<typeof createHttpTools>>;
type Options = Parameters<typeof createHttpTools>[0];

async function start(options: Partial<Options> = {}): Promise<Source> {
  const source = await createHttpTools({
    dir,
    readYaml: (text) => parseYamlFile(text, { TOKEN: "hunter2-token" }, []),
    log: silentLog,
    debounceMs: 5,
    pollMs: NEVER_MS,
    ...options,
  });
  onTestFinished(() => source.close());
  return source;
}

function yaml(baseUrl: string, rest: object): string {
  return stringify({ name: "shop", description: "A shop.", base_url: baseUrl, ...rest });
}

const declare = (baseUrl: string, rest: object) =>
  writeFile(join(dir, "shop.yaml"), yaml(baseUrl, { allow_private_address: true, ...rest }));

const declareOauth = (url: string, auth: object = {}, capability: object = {}) =>
  declare(url, {
    auth: {
      type: "oauth2",
      token_url: `${url}/token`,
      client_id: "my client",
      client_secret: "${TOKEN}",
      scopes: ["read", "write"],
      audience: "shop",
      ...auth,
    },
    capabilities: [{ name: "x", description: "d", path: "/", ...capability }],
  });

async function names(source: Source): Promise<string[]> {
  return (await source.toolsFor(ADA)).map(({ name }) => name);
}

async function call(source: Source, name: string, args: unknown = {}, context: Partial<ToolContext> = {}) {
  const tool = (await source.toolsFor(ADA)).find((one) => one.name === name);
  if (tool === undefined) throw new Error(`no tool ${name}: ${source.problems().join()}`);
  return tool.run(args, { ...defaultContext(), ...context });
}

/** What a GET of a server that answers like this gives the model. */
async function answering(answer: Answer, capability: object = {}): Promise<unknown> {
  const { url } = await serve(answer);
  await declare(url, { capabilities: [{ name: "x", description: "d", path: "/", ...capability }] });
  const outcome = await call(await start(), "shop.x");
  return outcome.kind === "result" ? outcome.value : outcome;
}

function defaultContext(): ToolContext {
  return {
    workspaceId: ADA,
    conversationId: parseConversationId("web:1"),
    runId: parseRunId("r1"),
    idempotencyKey: "r1:tool_1_1",
    attempt: 1,
    signal: new AbortController().signal,
    clock: systemClock,
    log: silentLog,
  };
}

interface Seen {
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Answer = (request: Seen, response: ServerResponse) => void;

async function serve(answer: Answer) {
  const requests: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const seen = { line: `${request.method} ${request.url}`, headers: request.headers, body };
      requests.push(seen);
      answer(seen, response);
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const close = () => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  };
  onTestFinished(() => void close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, close };
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** A token service and a service that takes its newest token, on one address. */
async function oauthService(token: object) {
  let given = 0;
  let refusing = false;
  let revoked = 0;
  let calls = 0;
  const service = await serve((request, response) => {
    if (request.line === "POST /token") return json(response, 200, { access_token: `token-${++given}`, ...token });
    const number = Number(request.headers.authorization?.replace("Bearer token-", ""));
    if (refusing || !(number > revoked)) return json(response, 401, {});
    return json(response, 200, { calls: ++calls });
  });
  return { ...service, revoke: () => void (revoked = given), refuseAll: () => void (refusing = true) };
}

/** The tokens calls came with, each once. */
function tokensOf(requests: readonly Seen[]): (string | undefined)[] {
  return [
    ...new Set(requests.filter(({ line }) => line !== "POST /token").map(({ headers }) => headers.authorization)),
  ];
}

/** A log whose lines can be waited for. */
function listening(): { log: Log; line: (text: string) => Promise<unknown> } {
  const events = new EventEmitter();
  const say = (_fields: object, message: string) => void events.emit(message);
  const log: Log = { debug: say, info: say, warn: say, error: say, with: () => log };
  return { log, line: (text) => once(events, text) };
}
