import { once } from "node:events";
import { Agent, get, request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { listen } from "./server.ts";
import { createTestParts } from "../../test/api/test-parts.ts";

const parts = await createTestParts();
beforeEach(async () => {
  await parts.redis.flushdb();
});

async function serve(over: Parameters<typeof parts.create>[0] = {}, drainMs?: number) {
  const { api, door } = parts.create(over);
  const server = await listen(api, { host: "127.0.0.1", port: 0, ...(drainMs === undefined ? {} : { drainMs }) });
  onTestFinished(() => server.close());
  return { ...server, door, port: Number(new URL(server.url).port) };
}

/** Writes these bytes to the server and returns what comes back until it closes the connection. */
async function raw(port: number, sent: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(sent);
  return text(socket);
}

const hello = JSON.stringify({ user_id: "alice", text: "hello" });
const json = { "content-type": "application/json" };

describe("a body over HTTP", () => {
  test("is read whether its length was announced or not", async () => {
    const { url, door } = await serve();
    await fetch(`${url}/v1/messages`, { method: "POST", headers: json, body: hello });
    const chunked = request(`${url}/v1/messages`, { method: "POST", headers: json });
    chunked.write(hello.slice(0, 10));
    chunked.end(hello.slice(10));
    const [response] = await once(chunked, "response");
    expect(response.statusCode).toBe(202);
    expect(door.admitted.map((message) => message.text)).toEqual(["hello", "hello"]);
  });

  test("that announces 10 MB is refused before it is sent", async () => {
    const { url, door } = await serve();
    const sending = request(`${url}/v1/messages`, {
      method: "POST",
      headers: { ...json, "content-length": 10_000_000 },
    });
    sending.write("{");
    const [response] = await once(sending, "response");
    expect(response.statusCode).toBe(413);
    expect(JSON.parse(await text(response))).toEqual({
      error: { code: "payload_too_large", message: "The body is larger than 2000000 bytes" },
    });
    sending.destroy();
    expect(door.admitted).toHaveLength(0);
  });

  test("that announces nothing is refused after 2 MB, however much follows", async () => {
    const { url } = await serve();
    const sending = request(`${url}/v1/messages`, { method: "POST", headers: json });
    sending.on("error", () => undefined);
    const chunk = Buffer.alloc(64 * 1024, " ");
    const pump = () => {
      while (!sending.destroyed && sending.write(chunk));
    };
    sending.on("drain", pump);
    pump();
    const [response] = await once(sending, "response");
    expect(response.statusCode).toBe(413);
    sending.destroy();
  });

  test("of 10 MB from an ordinary client gets its answer, not a broken connection", async () => {
    const { url } = await serve();
    const response = await fetch(`${url}/v1/messages`, { method: "POST", headers: json, body: " ".repeat(10_000_000) });
    expect(response.status).toBe(413);
  });

  test("whose sender goes away in the middle does nothing", async () => {
    const { url, door } = await serve();
    const sending = request(`${url}/v1/messages`, {
      method: "POST",
      headers: { ...json, "content-length": hello.length },
    });
    sending.on("error", () => undefined);
    await new Promise<void>((sent) => sending.write(hello.slice(0, 10), () => sent()));
    sending.destroy();
    expect((await fetch(`${url}/v1/messages`, { method: "POST", headers: json, body: hello })).status).toBe(202);
    expect(door.admitted).toHaveLength(1);
  });
});

describe("what is hardly HTTP", () => {
  test.each([
    { name: "a foreign protocol", sent: "SSH-2.0-OpenSSH_9.2\r\n\r\n", status: "400" },
    { name: "no host", sent: "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", status: "400" },
    {
      name: "a malformed host",
      sent: "GET /healthz HTTP/1.1\r\nHost: a b/c\r\nConnection: close\r\n\r\n",
      status: "400",
    },
    { name: "a backslash", sent: "GET /v1\\x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", status: "400" },
    {
      name: "huge headers",
      sent: `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
      status: "431",
    },
  ])("$name gets $status", async ({ sent, status }) => {
    const { port } = await serve();
    const reply = await raw(port, sent);
    expect(reply).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(reply).not.toMatch(/node_modules|at .*\.ts:/);
  });

  test("a malformed request gets the same shape of error as any other", async () => {
    const { port } = await serve();
    expect(await raw(port, "nonsense\r\n\r\n")).toContain(
      '{"error":{"code":"invalid_request","message":"The request is malformed"}}',
    );
  });
});

describe("listening", () => {
  test("a port in use is named", async () => {
    const { port } = await serve();
    const { api } = parts.create();
    await expect(listen(api, { host: "127.0.0.1", port })).rejects.toThrow(
      `Cannot listen on 127.0.0.1, port ${port}: the port is in use`,
    );
  });

  test("works over IPv6", async () => {
    const { api } = parts.create({ config: { host: "::1", hasAdminKey: false } });
    const server = await listen(api, { host: "::1", port: 0 });
    onTestFinished(() => server.close());
    expect(server.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });
});

describe("closing", () => {
  test("waits for a request under way, refuses new ones, and is not held up by idle connections", async () => {
    const begun = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const { api, door } = parts.create();
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
    const server = await listen(slow.api, { host: "127.0.0.1", port: 0 });
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    const idle = get(`${server.url}/healthz`, { agent });
    const [healthy] = await once(idle, "response");
    await text(healthy);

    const answer = fetch(`${server.url}/v1/messages`, { method: "POST", headers: json, body: hello });
    await begun.promise;
    const closed = server.close();
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
    held.resolve();
    expect((await answer).status).toBe(202);
    await closed;
    expect(api).toBeDefined();
  });

  test("cuts what does not end in time", async () => {
    const begun = Promise.withResolvers<void>();
    const server = await serve(
      {
        ready: () => {
          begun.resolve();
          return new Promise<never>(() => {});
        },
        limits: { readyMs: 60_000 },
      },
      20,
    );
    const answer = fetch(`${server.url}/readyz`).catch((error: unknown) => error);
    await begun.promise;
    await server.close();
    expect(await answer).toBeInstanceOf(Error);
  });

  test("may be asked for twice", async () => {
    const server = await serve();
    await Promise.all([server.close(), server.close()]);
  });
});
