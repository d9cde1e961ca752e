import { beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { InvalidInput, OutsideError } from "../kernel/errors.ts";
import type { Log } from "../kernel/ports.ts";
import { silentLog } from "../kernel/ports.ts";
import type { Api } from "./parts.ts";
import { ADMIN_KEY, ALICE, createTestParts } from "../../test/api/test-parts.ts";

const parts = await createTestParts();
beforeEach(async () => {
  await parts.redis.flushdb();
});

const errorShape = z.strictObject({ error: z.strictObject({ code: z.string(), message: z.string() }) });
type Headers = Readonly<Record<string, string>>;

async function ask(api: Api, method: string, path: string, body?: unknown, headers: Headers = {}) {
  const response = await api.request(`http://127.0.0.1:8300${path}`, {
    method,
    headers: body === undefined ? headers : { "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json: unknown = response.headers.get("content-type")?.startsWith("application/json") ? JSON.parse(text) : text;
  return { status: response.status, headers: response.headers, json, text };
}

/** The status and the code of a failure, whose shape is checked on the way. */
async function failureOf(api: Api, method: string, path: string, body?: unknown, headers: Headers = {}) {
  const { status, json } = await ask(api, method, path, body, headers);
  const { error } = errorShape.parse(json);
  return { status, ...error };
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const hello = { user_id: "alice", text: "hello" };

describe("the routes", () => {
  test("are these", () => {
    const { api } = parts.create();
    const routes = new Set(
      api.routes.filter(({ method }) => method !== "ALL").map(({ method, path }) => `${method} ${path}`),
    );
    expect([...routes].toSorted()).toEqual([
      "DELETE /v1/keys/:id",
      "DELETE /v1/messages/:id",
      "DELETE /v1/pairings/:user_id",
      "DELETE /v1/schedules/:id",
      "DELETE /v1/workspaces/:user_id",
      "DELETE /v1/workspaces/:user_id/artifacts/:id",
      "DELETE /v1/workspaces/:user_id/credentials/:name",
      "GET /healthz",
      "GET /metrics",
      "GET /once/:token",
      "GET /openapi.json",
      "GET /readyz",
      "GET /v1/approvals/:id",
      "GET /v1/artifacts/:id/content",
      "GET /v1/conversations",
      "GET /v1/conversations/:id",
      "GET /v1/conversations/:id/approvals",
      "GET /v1/conversations/:id/events",
      "GET /v1/conversations/:id/messages",
      "GET /v1/keys",
      "GET /v1/messages/:id",
      "GET /v1/pairings",
      "GET /v1/runs/:id",
      "GET /v1/schedules",
      "GET /v1/schedules/:id",
      "GET /v1/schedules/:id/history",
      "GET /v1/tools",
      "GET /v1/workspaces/:user_id/artifacts",
      "GET /v1/workspaces/:user_id/artifacts/:id",
      "GET /v1/workspaces/:user_id/artifacts/:id/content",
      "GET /v1/workspaces/:user_id/credentials",
      "GET /v1/workspaces/:user_id/export",
      "GET /v1/workspaces/:user_id/memory",
      "PATCH /v1/messages/:id",
      "PATCH /v1/schedules/:id",
      "POST /once/:token",
      "POST /v1/approvals/:id",
      "POST /v1/conversations/:id/reset",
      "POST /v1/conversations/:id/stop",
      "POST /v1/keys",
      "POST /v1/messages",
      "POST /v1/pairings",
      "POST /v1/schedules",
      "POST /v1/schedules/:id/run",
      "POST /v1/schedules/preview",
      "PUT /v1/workspaces/:user_id/credentials/:name",
    ]);
  });

  test("are all described at /openapi.json, and every reference there leads somewhere", async () => {
    const { api } = parts.create();
    const { status, json, text } = await ask(api, "GET", "/openapi.json");
    expect(status).toBe(200);
    const document = z
      .object({
        openapi: z.literal("3.1.0"),
        info: z.object({ title: z.literal("Parley"), version: z.string() }),
        paths: z.record(z.string(), z.record(z.string(), z.unknown())),
        components: z.object({ schemas: z.record(z.string(), z.unknown()), securitySchemes: z.unknown() }),
      })
      .parse(json);
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`),
    );
    // What is behind a link is a page for people.
    const undescribed = new Set(["/openapi.json", "/once/:token"]);
    const served = api.routes.filter(({ method, path }) => method !== "ALL" && !undescribed.has(path));
    expect(new Set(described)).toEqual(new Set(served.map(({ method, path }) => `${method} ${path}`)));
    const referred = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name);
    expect(referred.length).toBeGreaterThan(20);
    for (const name of referred) expect(Object.keys(document.components.schemas)).toContain(name);
    expect(document.components.schemas["SendMessage"]).toMatchObject({
      required: ["user_id", "text"],
      additionalProperties: false,
      properties: { text: { type: "string", maxLength: 32_000 } },
    });
  });
});

describe("POST /v1/messages", () => {
  test("keeps a message in the person's own conversation and says where it is in line", async () => {
    const { api, door } = parts.create();
    const first = await ask(api, "POST", "/v1/messages", { ...hello, message_id: "m1" });
    expect(first).toMatchObject({
      status: 202,
      json: { id: "m1", conversation_id: "api:alice", status: "started", position: 0 },
    });
    const second = await ask(api, "POST", "/v1/messages", { ...hello, message_id: "m2" });
    expect(second.json).toEqual({ id: "m2", conversation_id: "api:alice", status: "queued", position: 1 });
    expect(door.admitted[0]).toMatchObject({
      id: "m1",
      conversationId: "api:alice",
      workspaceId: "alice",
      text: "hello",
    });
  });

  test("makes an id when the caller has none", async () => {
    const { api } = parts.create();
    const { json } = await ask(api, "POST", "/v1/messages", { ...hello, conversation_id: "plans" });
    expect(json).toMatchObject({ id: expect.stringMatching(/^msg_./), conversation_id: "plans" });
  });

  test("answers a repeated message_id with the same id and keeps one message", async () => {
    const { api, door } = parts.create();
    await ask(api, "POST", "/v1/messages", { ...hello, message_id: "m1" });
    const again = await ask(api, "POST", "/v1/messages", { ...hello, message_id: "m1" });
    expect(again).toMatchObject({ status: 202, json: { id: "m1", status: "duplicate" } });
    expect(door.admitted).toHaveLength(1);
  });

  test("refuses a message_id that was used in another conversation, and names it", async () => {
    const { api, door } = parts.create();
    await ask(api, "POST", "/v1/messages", { ...hello, message_id: "m1" });
    const other = await failureOf(api, "POST", "/v1/messages", {
      ...hello,
      message_id: "m1",
      conversation_id: "plans",
    });
    expect(other).toMatchObject({ status: 409, code: "message_id_conflict", message: expect.stringContaining('"m1"') });
    expect(door.admitted).toHaveLength(1);
  });

  test("goes on after a crash between the pointer and the door", async () => {
    const { api, door } = parts.create();
    door.failNext(new Error("crash"));
    await ask(api, "POST", "/v1/messages", { ...hello, message_id: "m1" });
    expect(await failureOf(api, "GET", "/v1/messages/m1")).toMatchObject({ status: 404, code: "not_found" });
    const again = await ask(api, "POST", "/v1/messages", { ...hello, message_id: "m1" });
    expect(again).toMatchObject({ status: 202, json: { status: "started" } });
  });

  test("keeps the files of a message before the message, and says what became of each", async () => {
    const { api, door } = parts.create();
    const attachments = [
      { name: "a.txt", text: "hellö" },
      { name: "a.png", media_type: "image/png", content_base64: Buffer.from("png").toString("base64") },
      { name: "far.pdf", url: "https://files.example/far.pdf" },
      { name: "fourth.txt", text: "x" },
    ];
    const { status, json } = await ask(api, "POST", "/v1/messages", { ...hello, attachments });
    expect(status).toBe(202);
    expect(json).toMatchObject({
      attachments: [
        { name: "a.txt", media_type: "text/plain", bytes: 6, state: "received" },
        { name: "a.png", media_type: "image/png", bytes: 3, state: "received" },
        { name: "far.pdf", media_type: "application/pdf", bytes: 0, state: "received" },
        { name: "fourth.txt", state: "failed", reason: "at most 3 files are taken with a message" },
      ],
    });
    const [text, image, far] = door.admitted[0]?.attachments ?? [];
    expect(String(await parts.uploads.read(ALICE, text?.upload ?? ""))).toBe("hellö");
    expect(String(await parts.uploads.read(ALICE, image?.upload ?? ""))).toBe("png");
    expect(far).toEqual({
      name: "far.pdf",
      mimeType: "application/pdf",
      bytes: 0,
      url: "https://files.example/far.pdf",
      state: "received",
    });
  });

  test("takes a message of files alone, and one file too large is said, not refused", async () => {
    const { api } = parts.create();
    const attachments = [{ name: "a.txt", text: "x".repeat(10_001) }];
    const { status, json } = await ask(api, "POST", "/v1/messages", { ...hello, text: "", attachments });
    expect(status).toBe(202);
    expect(json).toMatchObject({
      attachments: [{ state: "too-large", reason: "10001 bytes; at most 10000 are taken" }],
    });
  });

  test("refuses a message that claims 100 MB, without reading it", async () => {
    const { api } = parts.create();
    const response = await api.request("/v1/messages", {
      method: "POST",
      headers: { "content-type": "application/json", "content-length": "104857600" },
      body: "{",
    });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ error: { code: "payload_too_large" } });
  });

  test("takes longer bodies for messages alone", async () => {
    const { api } = parts.create();
    const long = { ...hello, attachments: [{ name: "a.txt", text: "x".repeat(1_500_000) }] };
    expect((await ask(api, "POST", "/v1/messages", long)).status).toBe(202);
    expect(await failureOf(api, "POST", "/v1/keys", { name: "x".repeat(1_500_000) })).toMatchObject({ status: 413 });
  });

  test("takes 32,000 characters and no more", async () => {
    const { api } = parts.create();
    expect((await ask(api, "POST", "/v1/messages", { ...hello, text: "x".repeat(32_000) })).status).toBe(202);
    expect(await failureOf(api, "POST", "/v1/messages", { ...hello, text: "x".repeat(32_001) })).toEqual({
      status: 400,
      code: "invalid_request",
      message: "text: must have at most 32000 characters",
    });
  });

  test("says that the conversation is full", async () => {
    const { api, door } = parts.create();
    door.failNext(new InvalidInput("1000 messages wait already", { code: "conversation_full" }));
    expect(await failureOf(api, "POST", "/v1/messages", hello)).toEqual({
      status: 429,
      code: "conversation_full",
      message: "1000 messages wait already",
    });
  });

  test.each([
    { body: {}, message: "user_id: is required; text: is required" },
    { body: { ...hello, text: "" }, message: "text: must not be empty" },
    { body: { ...hello, text: 1 }, message: "text: must be a string" },
    {
      body: { ...hello, conversation: "x", typo: 1 },
      message: "conversation: is not a known field; typo: is not a known field",
    },
    {
      body: { ...hello, user_id: "a b" },
      message: "user_id: must not contain white space, control characters or braces",
    },
    { body: { ...hello, message_id: "x".repeat(201) }, message: "message_id: must have at most 200 characters" },
    {
      body: { ...hello, conversation_id: "{x}" },
      message: "conversation_id: must not contain white space, control characters or braces",
    },
    {
      body: { ...hello, attachments: [{ name: "a" }] },
      message: "attachments[0]: needs exactly one of content_base64, text and url",
    },
    {
      body: { ...hello, attachments: [{ name: "a", text: "x", url: "https://a.test/" }] },
      message: "attachments[0]: needs exactly one of content_base64, text and url",
    },
    {
      body: { ...hello, attachments: [{ name: "a", content_base64: "a*b" }] },
      message: "attachments[0].content_base64: must be base64",
    },
    { body: [], message: "the body: must be an object" },
  ])("refuses $body", async ({ body, message }) => {
    const { api } = parts.create();
    expect(await failureOf(api, "POST", "/v1/messages", body)).toEqual({
      status: 400,
      code: "invalid_request",
      message,
    });
  });

  test("stores a lone surrogate as the replacement character", async () => {
    const { api, door } = parts.create();
    await ask(api, "POST", "/v1/messages", '{"user_id":"alice","text":"a\\ud800b"}');
    expect(door.admitted[0]?.text).toBe("a\ufffdb");
  });
});

describe("bodies", () => {
  const post = (api: Api, body: string | Uint8Array<ArrayBuffer> | undefined, type?: string) =>
    api.request("http://127.0.0.1:8300/v1/messages", {
      method: "POST",
      ...(body === undefined ? {} : { body }),
      headers: type === undefined ? {} : { "content-type": type },
    });

  test.each([
    {
      name: "malformed JSON",
      body: '{"user_id": "alice",\n "text": }',
      type: "application/json",
      status: 400,
      code: "invalid_json",
      message: 'The body is not JSON: unexpected "}" at line 2, column 10',
    },
    {
      name: "bytes that are no UTF-8",
      body: new Uint8Array([0x22, 0xff, 0x22]),
      type: "application/json",
      status: 400,
      code: "invalid_utf8",
      message: "The body is not valid UTF-8",
    },
    {
      name: "a form",
      body: "user_id=alice",
      type: "application/x-www-form-urlencoded",
      status: 415,
      code: "unsupported_media_type",
      message: "A body must be JSON, with the header Content-Type: application/json",
    },
    {
      name: "text without a type",
      body: new TextEncoder().encode("{}"),
      type: undefined,
      status: 415,
      code: "unsupported_media_type",
      message: "A body must be JSON, with the header Content-Type: application/json",
    },
    {
      name: "nothing, called JSON",
      body: undefined,
      type: "application/json",
      status: 400,
      code: "invalid_json",
      message: "The request needs a JSON body",
    },
    {
      name: "nothing",
      body: undefined,
      type: undefined,
      status: 400,
      code: "invalid_request",
      message: "user_id: is required; text: is required",
    },
    {
      name: "more than is allowed with files",
      body: `{"text":"${"x".repeat(2_000_000)}"}`,
      type: "application/json",
      status: 413,
      code: "payload_too_large",
      message: "The body is larger than 2000000 bytes",
    },
  ])("$name -> $status $code", async ({ body, type, status, code, message }) => {
    const { api } = parts.create();
    const response = await post(api, body, type);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ error: { code, message } });
  });

  test("the charset may be named", async () => {
    const { api } = parts.create();
    expect((await post(api, JSON.stringify(hello), "application/json; charset=utf-8")).status).toBe(202);
  });
});

describe("a message", () => {
  test("is shown with its answers", async () => {
    const { api, door } = parts.create();
    await ask(api, "POST", "/v1/messages", { ...hello, message_id: "m1" });
    const waiting = await ask(api, "GET", "/v1/messages/m1");
    expect(waiting).toMatchObject({
      status: 200,
      json: {
        id: "m1",
        conversation_id: "api:alice",
        status: "queued",
        position: 0,
        run_id: null,
        steps: 0,
        answers: [],
        error: null,
      },
    });
    const delivery = door.answer("api:alice", "hi");
    expect((await ask(api, "GET", "/v1/messages/m1")).json).toEqual({
      id: "m1",
      conversation_id: "api:alice",
      status: "answered",
      position: null,
      run_id: "run_1",
      steps: 1,
      answers: [{ delivery_id: delivery, text: "hi", posted_id: "posted_1", delivered_at: "2026-01-01T00:00:01.001Z" }],
      error: null,
    });
  });

  test("that waits can be changed and withdrawn, one that is answered cannot", async () => {
    const { api, door } = parts.create();
    await ask(api, "POST", "/v1/messages", { ...hello, message_id: "m1" });
    expect(await ask(api, "PATCH", "/v1/messages/m1", { text: "better" })).toMatchObject({
      status: 200,
      json: { id: "m1" },
    });
    await ask(api, "POST", "/v1/messages", { ...hello, message_id: "m2" });
    expect(await ask(api, "DELETE", "/v1/messages/m2")).toMatchObject({ status: 200, json: { status: "withdrawn" } });
    door.answer("api:alice", "hi");
    expect(await failureOf(api, "PATCH", "/v1/messages/m1", { text: "late" })).toMatchObject({
      status: 409,
      code: "message_taken",
    });
    expect(await failureOf(api, "DELETE", "/v1/messages/m1")).toMatchObject({ status: 409, code: "message_taken" });
  });

  test.each(["GET", "PATCH", "DELETE"])("that is not known is not found by %s", async (method) => {
    const { api } = parts.create();
    const failure = await failureOf(api, method, "/v1/messages/none", method === "PATCH" ? { text: "x" } : undefined);
    expect(failure).toEqual({ status: 404, code: "not_found", message: 'There is no message "none"' });
  });

  test("is found by an id that needs escaping in an address", async () => {
    const { api } = parts.create();
    await ask(api, "POST", "/v1/messages", { ...hello, message_id: "a/b?ü:%41" });
    const { status, json } = await ask(api, "GET", `/v1/messages/${encodeURIComponent("a/b?ü:%41")}`);
    expect({ status, json }).toMatchObject({ status: 200, json: { id: "a/b?ü:%41" } });
  });
});

describe("conversations", () => {
  test("are listed with the last used first, page by page", async () => {
    const { api, door } = parts.create();
    for (const id of ["a", "b", "c"]) {
      await ask(api, "POST", "/v1/messages", { ...hello, conversation_id: id });
      door.answer(id, "hi");
    }
    const first = await ask(api, "GET", "/v1/conversations?limit=2");
    expect(first.json).toMatchObject({
      data: [{ id: "c", platform: "api", last_activity_at: "2026-01-01T00:00:03.000Z" }, { id: "b" }],
      has_more: true,
    });
    const cursor = z.object({ next_cursor: z.string() }).parse(first.json).next_cursor;
    const second = await ask(api, "GET", `/v1/conversations?limit=2&cursor=${cursor}`);
    expect(second.json).toMatchObject({ data: [{ id: "a" }], has_more: false, next_cursor: null });
  });

  test("can be asked for by person", async () => {
    const { api } = parts.create();
    await ask(api, "POST", "/v1/messages", hello);
    await ask(api, "POST", "/v1/messages", { ...hello, user_id: "bob" });
    expect((await ask(api, "GET", "/v1/conversations?user_id=bob")).json).toMatchObject({ data: [{ id: "api:bob" }] });
  });

  test.each([
    { query: "limit=0", message: "limit: must be at least 1" },
    { query: "limit=201", message: "limit: must be at most 200" },
    { query: "limit=x", message: "limit: must be a whole number" },
    { query: "limit=1.5", message: "limit: must be a whole number" },
    { query: "cursor=zz", message: "cursor: is not a next_cursor of this list" },
    { query: "page=2", message: "page: is not a known field" },
  ])("are not listed for ?$query", async ({ query, message }) => {
    const { api } = parts.create();
    expect(await failureOf(api, "GET", `/v1/conversations?${query}`)).toEqual({
      status: 400,
      code: "invalid_request",
      message,
    });
  });

  test("show what they are doing", async () => {
    const { api } = parts.create();
    await ask(api, "POST", "/v1/messages", { ...hello, message_id: "m1" });
    expect((await ask(api, "GET", "/v1/conversations/api:alice")).json).toEqual({
      id: "api:alice",
      platform: "api",
      user_id: "alice",
      last_activity_at: expect.stringMatching(/^20.*Z$/),
      state: "idle",
      run_id: null,
      queue_mode: "queue",
      waiting: [{ id: "m1", user_id: "alice", text: "hello", at: expect.stringMatching(/^20.*Z$/) }],
    });
  });

  test("show their messages, oldest first, page by page", async () => {
    const { api, door } = parts.create();
    for (const id of ["m1", "m2"]) {
      await ask(api, "POST", "/v1/messages", { ...hello, message_id: id, text: `hello ${id}` });
      door.answer("api:alice", `hi ${id}`);
    }
    const first = await ask(api, "GET", "/v1/conversations/api:alice/messages?limit=3");
    expect(first.json).toMatchObject({
      data: [
        { id: "m1", role: "user", text: "hello m1", at: "2026-01-01T00:00:01.000Z", run_id: "run_1" },
        { id: "run_1:reply:0", role: "assistant", text: "hi m1", run_id: "run_1" },
        { id: "m2", role: "user" },
      ],
      has_more: true,
    });
    const cursor = z.object({ next_cursor: z.string() }).parse(first.json).next_cursor;
    const second = await ask(api, "GET", `/v1/conversations/api:alice/messages?cursor=${cursor}`);
    expect(second.json).toMatchObject({ data: [{ text: "hi m2" }], has_more: false, next_cursor: null });
  });

  test("are stopped and reset", async () => {
    const { api } = parts.create();
    await ask(api, "POST", "/v1/messages", hello);
    expect(await ask(api, "POST", "/v1/conversations/api:alice/stop")).toMatchObject({
      status: 200,
      json: { stopped: true, run_id: "run_now" },
    });
    expect(await ask(api, "POST", "/v1/conversations/api:alice/reset", {})).toMatchObject({
      status: 200,
      json: { id: "api:alice", reset: true },
    });
  });

  test("take no fields where none count", async () => {
    const { api } = parts.create();
    await ask(api, "POST", "/v1/messages", hello);
    expect(await failureOf(api, "POST", "/v1/conversations/api:alice/reset", { memory: true })).toEqual({
      status: 400,
      code: "invalid_request",
      message: "memory: is not a known field",
    });
  });

  test.each([
    ["GET", "/v1/conversations/none"],
    ["GET", "/v1/conversations/none/messages"],
    ["POST", "/v1/conversations/none/stop"],
    ["POST", "/v1/conversations/none/reset"],
  ])("that are not known are not found: %s %s", async (method, path) => {
    const { api } = parts.create();
    expect(await failureOf(api, method, path)).toEqual({
      status: 404,
      code: "not_found",
      message: 'There is no conversation "none"',
    });
  });
});

describe("other things to read", () => {
  test("a run", async () => {
    const { api, door } = parts.create();
    await ask(api, "POST", "/v1/messages", { ...hello, message_id: "m1" });
    door.answer("api:alice", "hi");
    expect((await ask(api, "GET", "/v1/runs/run_1")).json).toEqual({
      id: "run_1",
      conversation_id: "api:alice",
      status: "done",
      started_at: "2026-01-01T00:00:01.000Z",
      ended_at: "2026-01-01T00:00:01.001Z",
      attempt: null,
      message_ids: ["m1"],
      steps: [
        {
          name: "ai_call_1",
          what: "model",
          status: "done",
          at: "2026-01-01T00:00:01.000Z",
          duration_ms: 1,
          tries: 1,
          error: null,
        },
      ],
      input_tokens: 10,
      output_tokens: 2,
    });
    expect(await failureOf(api, "GET", "/v1/runs/none")).toMatchObject({ status: 404, code: "not_found" });
  });

  test("a person's memory, without the values of secrets", async () => {
    const { api, memory } = parts.create();
    await memory.set(ALICE, { key: "colour", value: "green", at: 1 });
    await memory.set(ALICE, { key: "pin", value: "1234", secret: true, at: 1 });
    const { json, text } = await ask(api, "GET", "/v1/workspaces/alice/memory");
    expect(json).toEqual({
      data: [
        { key: "colour", value: "green" },
        { key: "pin", value: "(secret)" },
      ],
    });
    expect(text).not.toContain("1234");
    expect((await ask(api, "GET", "/v1/workspaces/bob/memory")).json).toEqual({ data: [] });
  });

  test("the tools", async () => {
    const tool = {
      name: "calculate",
      description: "Computes.",
      effect: "read" as const,
      parameters: { type: "object" },
    };
    const { api } = parts.create({ tools: () => Promise.resolve([tool]) });
    expect((await ask(api, "GET", "/v1/tools")).json).toEqual({ data: [tool], has_more: false, next_cursor: null });
  });

  test("health and readiness", async () => {
    const { api } = parts.create({ ready: async () => ({ redis: true, worker: true }) });
    expect(await ask(api, "GET", "/healthz")).toMatchObject({ status: 200, json: { status: "ok" } });
    expect(await ask(api, "GET", "/readyz")).toMatchObject({
      status: 200,
      json: { status: "ready", checks: { redis: "ok", worker: "ok" } },
    });
  });

  test.each([
    {
      name: "a part is not ready",
      ready: async () => ({ redis: true, worker: "not registered" }) as const,
      message: "worker: not registered",
    },
    { name: "a check fails", ready: () => Promise.reject(new Error("no Redis")), message: "checks: no Redis" },
    { name: "a check hangs", ready: () => new Promise<never>(() => {}), message: "checks: no answer within 20 ms" },
  ])("not ready when $name", async ({ ready, message }) => {
    const { api } = parts.create({ ready, limits: { readyMs: 20 } });
    const { status, json } = await ask(api, "GET", "/readyz");
    expect({ status, json }).toMatchObject({ status: 503, json: { error: { code: "not_ready", message } } });
  });

  test("metrics in Prometheus' format", async () => {
    const { api } = parts.create();
    const { status, headers, text } = await ask(api, "GET", "/metrics");
    expect(status).toBe(200);
    expect(headers.get("content-type")).toMatch(/^text\/plain; version=/);
    expect(text).toContain("parley_messages_admitted_total");
  });

  test("the page, for every path that is not the API's", async () => {
    const page = (request: Request) =>
      new URL(request.url).pathname === "/"
        ? new Response("<p>", { headers: { "content-type": "text/html" } })
        : undefined;
    const { api } = parts.create({ page, adminKey: ADMIN_KEY });
    const { status, headers, text } = await ask(api, "GET", "/");
    expect({ status, text }).toEqual({ status: 200, text: "<p>" });
    expect(headers.get("content-security-policy")).toBe(
      "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    );
    expect(await failureOf(api, "GET", "/other.js")).toMatchObject({ status: 404, code: "not_found" });
    expect(await failureOf(api, "POST", "/")).toMatchObject({ status: 404, code: "not_found" });
  });
});

describe("failures", () => {
  test("paths and methods that do not exist", async () => {
    const { api } = parts.create();
    expect(await failureOf(api, "GET", "/v1/nothing")).toMatchObject({ status: 404, code: "not_found" });
    expect(await failureOf(api, "PUT", "/v1/messages", hello)).toEqual({
      status: 405,
      code: "method_not_allowed",
      message: "Only POST can be used here",
    });
    expect((await ask(api, "POST", "/v1/runs/x")).headers.get("allow")).toBe("GET, HEAD");
    expect(await failureOf(api, "POST", "/healthz")).toMatchObject({ status: 405 });
  });

  test("the unexpected shows nothing of itself but an id that the log has", async () => {
    const lines: object[] = [];
    const log: Log = { ...silentLog, error: (fields, message) => void lines.push({ ...fields, message }) };
    const { api, door } = parts.create({ log });
    const error = new Error("password hunter2 at /srv/secret");
    door.failNext(error);
    const failure = await failureOf(api, "POST", "/v1/messages", hello);
    expect(failure).toMatchObject({ status: 500, code: "internal" });
    expect(JSON.stringify(failure)).not.toMatch(/hunter2|srv|at .*:\d+/);
    const id = /err_\w+/.exec(failure.message)?.[0];
    expect(lines).toEqual([expect.objectContaining({ id, error, path: "/v1/messages" })]);
  });

  test("something outside that is away for a while", async () => {
    const { api, door } = parts.create();
    door.failNext(
      new OutsideError("redis-7.internal refused", { code: "unavailable", retry: { kind: "after", ms: 2500 } }),
    );
    const { status, headers, json } = await ask(api, "POST", "/v1/messages", hello);
    expect({ status, json }).toMatchObject({ status: 503, json: { error: { code: "unavailable" } } });
    expect(headers.get("retry-after")).toBe("3");
    expect(JSON.stringify(json)).not.toContain("redis-7");
  });

  test("every answer is kept out of caches, frames and guesses about its type, and allows no other site", async () => {
    const { api } = parts.create();
    const { headers } = await ask(api, "POST", "/v1/messages", {});
    expect(Object.fromEntries(headers)).toMatchObject({
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
    });
    expect(headers.get("access-control-allow-origin")).toBeNull();
    expect(headers.get("strict-transport-security")).toBeNull();
  });

  test("other sites are refused before anything else", async () => {
    const { api, door } = parts.create();
    expect(await failureOf(api, "POST", "/v1/messages", hello, { origin: "https://evil.example" })).toMatchObject({
      status: 403,
      code: "origin_not_allowed",
    });
    const rebound = await api.request("http://evil.example/v1/tools");
    expect(rebound.status).toBe(403);
    expect(await rebound.json()).toMatchObject({ error: { code: "host_not_allowed" } });
    expect(door.admitted).toHaveLength(0);
  });
});

describe("keys", () => {
  const protectedPaths = [
    ["GET", "/v1/tools"],
    ["GET", "/v1/nothing"],
    ["GET", "/v1/conversations"],
    ["GET", "/v1/conversations/api:alice/events"],
    ["POST", "/v1/messages"],
    ["POST", "/v1/keys"],
    ["GET", "/metrics"],
    ["GET", "/openapi.json"],
  ] as const;

  test.each(protectedPaths)("with an admin key configured, %s %s needs a key", async (method, path) => {
    const { api } = parts.create({ adminKey: ADMIN_KEY });
    for (const headers of [{}, bearer("wrong"), bearer(`${ADMIN_KEY}x`), { authorization: `Basic ${ADMIN_KEY}` }]) {
      const { status, headers: answered, json } = await ask(api, method, path, undefined, headers);
      expect(status).toBe(401);
      expect(errorShape.parse(json).error.code).toBe("unauthorized");
      expect(answered.get("www-authenticate")).toBe("Bearer");
    }
    const accepted = await api.request(path, { method, headers: { host: "localhost", ...bearer(ADMIN_KEY) } });
    await accepted.body?.cancel();
    expect(accepted.status).not.toBe(401);
  });

  test("health needs none", async () => {
    const { api } = parts.create({ adminKey: ADMIN_KEY });
    expect((await ask(api, "GET", "/healthz")).status).toBe(200);
    expect((await ask(api, "GET", "/readyz")).status).toBe(200);
  });

  test("are made, listed without themselves, used and taken back; the first one closes an open API", async () => {
    const { api } = parts.create();
    expect((await ask(api, "GET", "/v1/tools")).status).toBe(200);
    const made = await ask(api, "POST", "/v1/keys", { name: "ci", scopes: ["admin"] });
    expect(made.status).toBe(201);
    const { id, key } = z.strictObject({ id: z.string(), key: z.string() }).parse(made.json);
    expect(await failureOf(api, "GET", "/v1/tools")).toMatchObject({ status: 401 });

    const listed = await ask(api, "GET", "/v1/keys", undefined, bearer(key));
    expect(listed.json).toEqual({
      data: [{ id, name: "ci", scopes: ["admin"], user_id: null, created_at: expect.stringMatching(/Z$/) }],
      has_more: false,
      next_cursor: null,
    });
    expect(listed.text).not.toContain(key);

    expect((await ask(api, "DELETE", `/v1/keys/${id}`, undefined, bearer(key))).status).toBe(204);
    expect(await failureOf(api, "GET", "/v1/tools", undefined, bearer(key))).toMatchObject({ status: 401 });
  });

  test("that do not exist cannot be taken back", async () => {
    const { api } = parts.create();
    expect(await failureOf(api, "DELETE", "/v1/keys/none")).toMatchObject({ status: 404, code: "not_found" });
  });

  test("without a key, a server others can reach is closed to everyone", async () => {
    const { api } = parts.create({ config: { host: "0.0.0.0", hasAdminKey: false } });
    expect(await failureOf(api, "GET", "/v1/tools")).toMatchObject({ status: 401 });
  });

  test.each([
    { scopes: ["read"], reads: true, speaks: false, administers: false },
    { scopes: ["chat"], reads: true, speaks: true, administers: false },
    { scopes: ["admin"], reads: true, speaks: true, administers: true },
  ] as const)("with scope $scopes", async ({ scopes, reads, speaks, administers }) => {
    const { api, keys } = parts.create({ adminKey: ADMIN_KEY });
    const { key } = await keys.create({ name: "k", scopes });
    await ask(api, "POST", "/v1/messages", { ...hello, message_id: "m1" }, bearer(ADMIN_KEY));
    const allowed = async (method: string, path: string, body?: unknown) => {
      const { status, json } = await ask(api, method, path, body, bearer(key));
      if (status === 403) expect(errorShape.parse(json).error.code).toBe("forbidden");
      return status !== 403;
    };
    for (const path of [
      "/v1/conversations",
      "/v1/messages/m1",
      "/v1/runs/x",
      "/v1/tools",
      "/v1/workspaces/alice/memory",
      "/metrics",
      "/openapi.json",
    ])
      expect(await allowed("GET", path)).toBe(reads);
    for (const [method, path] of [
      ["POST", "/v1/messages"],
      ["PATCH", "/v1/messages/m1"],
      ["DELETE", "/v1/messages/m1"],
      ["POST", "/v1/conversations/api:alice/stop"],
      ["POST", "/v1/conversations/api:alice/reset"],
    ] as const)
      expect(await allowed(method, path, {})).toBe(speaks);
    for (const [method, path] of [
      ["GET", "/v1/keys"],
      ["POST", "/v1/keys"],
      ["DELETE", "/v1/keys/x"],
    ] as const)
      expect(await allowed(method, path)).toBe(administers);
  });

  test("bound to a person act for that person only", async () => {
    const { api, keys, door } = parts.create({ adminKey: ADMIN_KEY });
    const alice = bearer((await keys.create({ name: "alice", scopes: ["admin"], userId: ALICE })).key);
    const admin = bearer(ADMIN_KEY);
    await ask(api, "POST", "/v1/messages", { user_id: "bob", text: "private", message_id: "b1" }, admin);
    await ask(api, "POST", "/v1/messages", { ...hello, message_id: "a1" }, alice);
    door.answer("api:bob", "for bob");
    door.answer("api:alice", "for alice");

    expect((await ask(api, "GET", "/v1/messages/a1", undefined, alice)).status).toBe(200);
    expect((await ask(api, "GET", "/v1/runs/run_2", undefined, alice)).status).toBe(200);
    expect((await ask(api, "GET", "/v1/conversations/api:alice/messages", undefined, alice)).status).toBe(200);
    expect((await ask(api, "GET", "/v1/conversations", undefined, alice)).json).toMatchObject({
      data: [{ id: "api:alice" }],
    });

    const refused: [string, string, unknown, number][] = [
      ["POST", "/v1/messages", { user_id: "bob", text: "x" }, 403],
      ["POST", "/v1/messages", { ...hello, conversation_id: "api:bob" }, 403],
      ["POST", "/v1/messages", { ...hello, conversation_id: "api:carol" }, 403],
      ["POST", "/v1/messages", { ...hello, conversation_id: "slack:C1" }, 403],
      ["GET", "/v1/messages/b1", undefined, 404],
      ["PATCH", "/v1/messages/b1", { text: "x" }, 404],
      ["DELETE", "/v1/messages/b1", undefined, 404],
      ["GET", "/v1/conversations?user_id=bob", undefined, 403],
      ["GET", "/v1/conversations/api:bob", undefined, 404],
      ["GET", "/v1/conversations/api:bob/messages", undefined, 404],
      ["GET", "/v1/conversations/api:bob/events", undefined, 404],
      ["GET", "/v1/conversations/not-yet/events", undefined, 404],
      ["POST", "/v1/conversations/api:bob/stop", undefined, 404],
      ["POST", "/v1/conversations/api:bob/reset", undefined, 404],
      ["GET", "/v1/runs/run_1", undefined, 404],
      ["GET", "/v1/workspaces/bob/memory", undefined, 403],
      ["GET", "/v1/keys", undefined, 403],
      ["POST", "/v1/keys", { name: "more", scopes: ["admin"] }, 403],
    ];
    for (const [method, path, body, status] of refused) {
      const failure = await failureOf(api, method, path, body, alice);
      expect({ method, path, status: failure.status }).toEqual({ method, path, status });
      expect(failure.message).not.toContain("private");
    }
    expect(door.admitted).toHaveLength(2);
  });
});

describe("Idempotency-Key", () => {
  const once = (key: string, more: Headers = {}) => ({ "idempotency-key": key, ...more });

  test("a repeated request gets the same answer and is done once", async () => {
    const { api, door } = parts.create();
    const first = await ask(api, "POST", "/v1/messages", hello, once("k1"));
    const again = await ask(api, "POST", "/v1/messages", hello, once("k1"));
    expect(first.headers.get("idempotency-replayed")).toBeNull();
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect({ status: again.status, text: again.text }).toEqual({ status: first.status, text: first.text });
    expect(door.admitted).toHaveLength(1);
  });

  test.each([
    { name: "body", path: "/v1/messages", body: { ...hello, text: "other" } },
    { name: "path", path: "/v1/conversations/api:alice/stop", body: hello },
  ])("another $name under the same key is refused", async ({ path, body }) => {
    const { api } = parts.create();
    await ask(api, "POST", "/v1/messages", hello, once("k1"));
    expect(await failureOf(api, "POST", path, body, once("k1"))).toMatchObject({
      status: 422,
      code: "idempotency_key_reused",
    });
  });

  test("a request that is under way is not done a second time", async () => {
    const { api, door } = parts.create();
    const held = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const slow = parts.create({
      door: {
        ...door,
        async admit(message) {
          begun.resolve();
          await held.promise;
          return door.admit(message);
        },
      },
    });
    const first = ask(slow.api, "POST", "/v1/messages", hello, once("k1"));
    await begun.promise;
    const second = await ask(api, "POST", "/v1/messages", hello, once("k1"));
    expect(second).toMatchObject({ status: 409, json: { error: { code: "idempotency_in_progress" } } });
    expect(second.headers.get("retry-after")).toBe("1");
    held.resolve();
    expect((await first).status).toBe(202);
    expect(door.admitted).toHaveLength(1);
  });

  test("a request that failed is tried again as the same message", async () => {
    const { api, door } = parts.create();
    const broken = parts.create({
      door: {
        ...door,
        async admit(message) {
          await door.admit(message);
          throw new Error("the reply was lost");
        },
      },
    });
    expect((await ask(broken.api, "POST", "/v1/messages", hello, once("k1"))).status).toBe(500);
    const again = await ask(api, "POST", "/v1/messages", hello, once("k1"));
    expect(again).toMatchObject({ status: 202, json: { id: door.admitted[0]?.id, status: "duplicate" } });
    expect(door.admitted).toHaveLength(1);
  });

  test("a refused request does not use the key up", async () => {
    const { api } = parts.create();
    expect(await failureOf(api, "POST", "/v1/messages", {}, once("k1"))).toMatchObject({ status: 400 });
    expect((await ask(api, "POST", "/v1/messages", hello, once("k1"))).status).toBe(202);
  });

  test("callers who choose the same key do not meet", async () => {
    const { api, keys, door } = parts.create({ adminKey: ADMIN_KEY });
    const { key } = await keys.create({ name: "k", scopes: ["chat"] });
    await ask(api, "POST", "/v1/messages", hello, once("k1", bearer(ADMIN_KEY)));
    const other = await ask(api, "POST", "/v1/messages", { ...hello, user_id: "bob" }, once("k1", bearer(key)));
    expect(other.status).toBe(202);
    expect(door.admitted).toHaveLength(2);
  });

  test("a new API key is repeated to its maker, and Redis does not hold it readably", async () => {
    const { api, keys } = parts.create({ adminKey: ADMIN_KEY });
    const request = [{ name: "ci", scopes: ["read"] }, once("k1", bearer(ADMIN_KEY))] as const;
    const first = await ask(api, "POST", "/v1/keys", ...request);
    const again = await ask(api, "POST", "/v1/keys", ...request);
    expect(again.json).toEqual(first.json);
    expect(await keys.list()).toHaveLength(1);
    const { key } = z.object({ key: z.string() }).parse(first.json);
    for (const name of await parts.redis.keys("idem:*"))
      expect(JSON.stringify(await parts.redis.hgetall(name))).not.toContain(key);
  });

  test.each(["", "a b", "ü", "x".repeat(256)])("%j is no usable key", async (key) => {
    const { api } = parts.create();
    const failure = await failureOf(api, "POST", "/v1/messages", hello, once(key));
    expect(failure).toMatchObject({
      status: 400,
      code: "invalid_request",
      message: expect.stringMatching(/^Idempotency-Key: /),
    });
  });
});
