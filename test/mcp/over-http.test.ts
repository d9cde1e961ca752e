import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { Redis } from "ioredis";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { testRedis } from "../setup/redis.ts";
import { ADA, mcpLab } from "./lab.ts";
import { sendJson, webServer } from "./web-server.ts";

const redis = new Redis(await testRedis());
afterAll(() => redis.disconnect());
beforeEach(() => redis.flushdb());

describe("what is sent", () => {
  test("has the configured headers and token, filled in from the environment", async () => {
    const { url, seen } = await webServer();
    const lab = await mcpLab(
      redis,
      { web: { url, headers: { "X-Team": "blue", "X-Key": "${KEY}" }, auth: { type: "bearer", token: "${TOKEN}" } } },
      { env: { KEY: "key-from-outside", TOKEN: "token-from-outside" } },
    );
    expect(await lab.call("web.echo")).toBe("echoed");
    expect(seen.length).toBeGreaterThan(3);
    for (const { headers } of seen)
      expect(headers).toMatchObject({
        "x-team": "blue",
        "x-key": "key-from-outside",
        authorization: "Bearer token-from-outside",
      });
    expect(lab.mcp.secrets()).toEqual(["key-from-outside", "token-from-outside"]);
  });

  test("goes nowhere else: a redirect to another place is not followed", async () => {
    const other = await webServer();
    const { url } = await webServer((request, response) =>
      request.path === "/mcp" ? Boolean(response.writeHead(307, { location: other.url }).end()) : false,
    );
    const lab = await mcpLab(redis, { web: { url, headers: { "X-Key": "mine" } } });
    expect(await lab.mcp.toolsFor(ADA)).toEqual([]);
    expect(lab.statusOf("web")?.trouble).toBe("it sends us to another address");
    expect(other.seen).toEqual([]);
  });

  test("follows a redirect within the server", async () => {
    const { url, origin } = await webServer((request, response) =>
      request.path === "/" ? Boolean(response.writeHead(308, { location: "/mcp" }).end()) : false,
    );
    expect(url).not.toBe(`${origin}/`);
    const lab = await mcpLab(redis, { web: { url: `${origin}/` } });
    expect(await lab.call("web.echo")).toBe("echoed");
  });
});

describe("an answer", () => {
  test.each([
    { tool: "web.cut", why: "its connection breaks", code: "unavailable", says: /the connection|broke off/ },
    { tool: "web.half", why: "its stream ends without it", code: "unavailable", says: /it broke off its answer/ },
    { tool: "web.fail", why: "the server fails", code: "unavailable", says: /it failed \(HTTP 500\)$/ },
    { tool: "web.large", why: "it is too large", code: "too-large", says: /larger than 100000 bytes/ },
  ])("is not waited for when $why", async ({ tool, code, says }) => {
    const { url } = await webServer();
    const lab = await mcpLab(redis, { web: { url } }, { maxMessageBytes: 100_000 });
    const failure = lab.call(tool);
    await expect(failure).rejects.toMatchObject({ code, message: expect.stringMatching(says) });
    await expect(failure).rejects.not.toThrow("hunter2");
    expect(await lab.call("web.echo")).toBe("echoed");
  });

  test("that never comes is given up at the deadline", async () => {
    const { url } = await webServer();
    const lab = await mcpLab(redis, { web: { url, call_timeout_s: 0.3 } });
    await expect(lab.call("web.silent")).rejects.toMatchObject({ code: "timeout", retry: { kind: "after" } });
  });
});

describe("a server that cannot be used", () => {
  test.each([
    { what: "is asked too often", status: 429, says: "it is asked too often" },
    { what: "is overloaded", status: 503, says: "it is overloaded" },
    { what: "denies access", status: 403, says: "it denies access (HTTP 403)" },
    { what: "wants a token", status: 401, says: "it wants a sign-in" },
    { what: "is not there", status: 404, says: "there is no such MCP session or address (HTTP 404)" },
    { what: "fails", status: 502, says: "it failed (HTTP 502)" },
  ])("because it $what is left out, with why", async ({ status, says }) => {
    const { url } = await webServer((_request, response) => sendJson(response, status, { error: "no, hunter2" }));
    const lab = await mcpLab(redis, { web: { url } });
    expect(await lab.mcp.toolsFor(ADA)).toEqual([]);
    expect(lab.mcp.problems()).toEqual([`The MCP server "web" is started again when it is needed: ${says}`]);
  });

  test("because nobody listens, or something else does, is left out with why", async () => {
    const { origin } = await webServer((_request, response) => Boolean(response.end("<h1>Hello</h1>")));
    const lab = await mcpLab(redis, { page: { url: origin }, nobody: { url: await deadAddress() } });
    expect(await lab.mcp.toolsFor(ADA)).toEqual([]);
    expect(lab.statusOf("page")?.trouble).toBe("its answer cannot be understood");
    expect(lab.statusOf("nobody")?.trouble).toBe("it cannot be reached (ECONNREFUSED)");
  });
});

describe("the settings", () => {
  test("take effect when they change; servers that did not change stay connected", async () => {
    const one = await webServer();
    const two = await webServer();
    const lab = await mcpLab(redis, { one: { url: one.url }, two: { url: two.url } });
    await lab.mcp.toolsFor(ADA);
    const before = one.seen.length;
    await lab.rewrite({ servers: { one: { url: one.url }, three: { url: two.url, only: ["echo"] } } });
    const names = (await lab.mcp.toolsFor(ADA)).map(({ name }) => name);
    expect(names.filter((name) => !name.startsWith("one."))).toEqual(["three.echo"]);
    expect(one.seen).toHaveLength(before);
  });

  test("stay as they were when the file is broken, and it is said where", async () => {
    const { url } = await webServer();
    const lab = await mcpLab(redis, { web: { url } });
    await lab.rewrite({ servers: { web: { url, colour: "green" } } });
    expect(lab.mcp.problems()).toEqual([expect.stringMatching(/^mcp\.yaml:1:\d+ servers\.web\.colour: unknown key$/)]);
    expect(await lab.call("web.echo")).toBe("echoed");
    await lab.rewrite({ servers: { web: { url } } });
    expect(lab.mcp.problems()).toEqual([]);
  });

  test("end a server only when its calls are over", async () => {
    const answer = Promise.withResolvers<void>();
    const { url } = await webServer(async (request) => {
      if (request.body.includes('"tools/call"')) await answer.promise;
      return false;
    });
    const lab = await mcpLab(redis, { web: { url } });
    const call = lab.call("web.echo");
    await expect.poll(() => lab.statusOf("web")?.is).toBe("running");
    await expect.poll(async () => (await lab.mcp.toolsFor(ADA)).length).toBeGreaterThan(0);
    await lab.rewrite({ servers: {} });
    expect(await lab.mcp.toolsFor(ADA)).toEqual([]);
    answer.resolve();
    expect(await call).toBe("echoed");
  });

  test("decide which tools there are, what they do and whether the person is asked", async () => {
    const { url } = await webServer();
    const lab = await mcpLab(redis, {
      web: { url, only: ["echo", "cut"], approval: "ask", tools: { echo: { effect: "once", approval: "never" } } },
    });
    expect(await lab.mcp.toolsFor(ADA)).toMatchObject([
      { name: "web.echo", effect: "once", approval: "never" },
      { name: "web.cut", effect: "read", approval: "ask" },
    ]);
  });
});

/** An address where somebody listened a moment ago. */
async function deadAddress(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${port}/mcp`;
}
