import { Redis } from "ioredis";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { Secret } from "../../src/kernel/secret.ts";
import { createCredentialStore } from "../../src/store/credentials.ts";
import { testRedis } from "../setup/redis.ts";
import { signInServers } from "./authorization-server.ts";
import { ADA, BOB, callContext, everythingOverHttp, mcpLab } from "./lab.ts";
import { sendJson, webServer } from "./web-server.ts";

const redis = new Redis(await testRedis());
const credentials = createCredentialStore(redis, { masterKey: new Secret("a master key for tests") });
afterAll(() => redis.disconnect());
beforeEach(() => redis.flushdb());

const oauth = { redirectUrl: "http://127.0.0.1:8300/mcp/callback" };

/** A bot in which people may add servers at these addresses, although they are on this machine. */
function labFor(allow: readonly string[], servers: object = {}, more: Parameters<typeof mcpLab>[2] = {}) {
  return mcpLab(redis, servers, { credentials, oauth, guard: { allow }, ...more });
}

function pageIn(text: string): string {
  const page = /^http\S+$/m.exec(text)?.[0];
  if (page === undefined) throw new Error(`no page in: ${text}`);
  return page;
}

describe("adding a server", () => {
  test("lends its tools to the person alone", async () => {
    const { url, port } = await everythingOverHttp();
    const lab = await labFor([`127.0.0.1:${port}`]);
    expect(await lab.mcp.add(ADA, url, { name: "mine" })).toMatch(
      /^Added the MCP server "mine"\. \d+ tools: mine\.echo, .* and \d+ more\.$/,
    );
    expect(await lab.call("mine.echo", { message: "hi" })).toBe("Echo: hi");
    expect(await lab.mcp.toolsFor(BOB)).toEqual([]);
    expect(await lab.mcp.list(BOB)).toBe("You have added no MCP servers.");
    expect(await lab.mcp.list(ADA)).toMatch(
      /^Your MCP servers:\n- mine \(http:\/\/127\.0\.0\.1:\d+\/mcp\): running, \d+ tools$/,
    );
    expect(await lab.mcp.tools(ADA, "mine")).toContain("- mine.echo (changes things): Echoes back the input");
    await expect(lab.mcp.tools(BOB, "mine")).rejects.toThrow('There is no MCP server named "mine"; there is none');
  });

  test("is kept in Redis under the person, without the token, which is encrypted and sent", async () => {
    const { url, host, seen } = await webServer();
    const lab = await labFor([host]);
    await lab.mcp.add(ADA, url, { name: "mine", token: "my-own-token", headers: { "X-Team": "blue" } });
    expect(await lab.call("mine.echo")).toBe("echoed");
    expect(seen.at(-1)?.headers).toMatchObject({ authorization: "Bearer my-own-token", "x-team": "blue" });
    expect((await redis.keys("*")).toSorted()).toEqual(["{ws:slack:U1}:credentials", "{ws:slack:U1}:mcp"]);
    expect(await redis.hgetall("{ws:slack:U1}:mcp")).toEqual({
      mine: expect.stringMatching(/^\{"url":"http:\/\/127\.0\.0\.1:\d+\/mcp","secrets":true,"at":\d+\}$/),
    });
    expect(JSON.stringify(await redis.hgetall("{ws:slack:U1}:credentials"))).not.toContain("my-own-token");
  });

  test("is known to every other process, and so is removing it", async () => {
    const { url, host } = await webServer();
    const one = await labFor([host]);
    const other = await labFor([host]);
    await one.mcp.add(ADA, url, { name: "mine" });
    expect(await other.call("mine.echo")).toBe("echoed");
    expect(await other.mcp.remove(ADA, "mine")).toContain('Removed the MCP server "mine"');
    expect(await one.mcp.toolsFor(ADA)).toEqual([]);
    expect(await redis.keys("*")).toEqual([]);
  });

  test.each([
    { address: "ftp://example.com/mcp", says: "only http and https" },
    { address: "not an address", says: "by its address" },
    { address: "http://127.0.0.1:8300/mcp", says: "loopback" },
    { address: "http://2130706433/mcp", says: "loopback" },
    { address: "http://[::ffff:169.254.169.254]/mcp", says: "metadata" },
    { address: "http://10.0.0.7/mcp", says: "private" },
    { address: "http://localhost/mcp", says: "loopback" },
    { address: "http://me:secret@example.com/mcp", says: "user name or password" },
    { address: "https://example.com:6379/mcp", says: "port 6379" },
  ])("at $address is refused before anything is asked", async ({ address, says }) => {
    const lab = await labFor([]);
    await expect(lab.mcp.add(ADA, address)).rejects.toMatchObject({
      name: "InvalidInput",
      message: expect.stringContaining(says),
    });
    expect(await redis.keys("*")).toEqual([]);
  });

  test("under a name that leads to this machine is refused, and not kept", async () => {
    const { host } = await webServer();
    const resolve = () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
    const lab = await mcpLab(redis, {}, { credentials, oauth, guard: { resolve } });
    const address = `http://tools.example.com:${host.split(":")[1]}/mcp`;
    await expect(lab.mcp.add(ADA, address)).rejects.toThrow(/resolves to a loopback address/);
    expect(await redis.keys("*")).toEqual([]);
  });

  test("that does not answer is not kept", async () => {
    const { url, host } = await webServer((_request, response) => sendJson(response, 404, {}));
    const lab = await labFor([host]);
    await expect(lab.mcp.add(ADA, url)).rejects.toThrow(/^Not added: http:.*no such MCP session or address/);
    expect(await redis.keys("*")).toEqual([]);
  });

  test("that wants a token, where nobody can sign in, says so and is not kept", async () => {
    const { url, host } = await webServer((_request, response) => sendJson(response, 401, {}));
    const lab = await mcpLab(redis, {}, { guard: { allow: [host] } });
    await expect(lab.mcp.add(ADA, url)).rejects.toThrow("it wants a token: /mcp add <address> token <token>");
    await expect(lab.mcp.add(ADA, url, { token: "t" })).rejects.toThrow("PARLEY_MASTER_KEY");
    expect(await redis.keys("*")).toEqual([]);
  });

  test("is named after its address, twice is refused, and twenty are enough", async () => {
    const { host, origin } = await webServer((request, response) => {
      if (!request.path.startsWith("/mcp")) return false;
      return request.method === "POST" ? speak(request.body, response) : Boolean(response.writeHead(405).end());
    });
    const lab = await labFor([host]);
    expect(await lab.mcp.add(ADA, `${origin}/mcp/0`)).toContain('"server"');
    await expect(lab.mcp.add(ADA, `${origin}/mcp/0`)).rejects.toThrow('named "server"');
    await expect(lab.mcp.add(ADA, `${origin}/mcp/1`, { name: "server" })).rejects.toThrow("already");
    await expect(lab.mcp.add(ADA, `${origin}/mcp/1`, { name: "My Server" })).rejects.toThrow("cannot be its name");
    for (let n = 1; n < 20; n += 1) await lab.mcp.add(ADA, `${origin}/mcp/${n}`);
    expect(await lab.mcp.list(ADA)).toContain("- server-20 (");
    await expect(lab.mcp.add(ADA, `${origin}/mcp/20`)).rejects.toThrow("There are 20 MCP servers already");
    expect(await lab.mcp.add(BOB, `${origin}/mcp/20`)).toContain("Added");
    await lab.mcp.erase(ADA);
    expect(await redis.keys("*")).toEqual(["{ws:slack:U2}:mcp"]);
  });

  test("can be forbidden, and an administrator's servers cannot be removed or hidden", async () => {
    const { url, host } = await webServer();
    const lab = await labFor([host], { web: { url } }, { file: { people_may_add: false } });
    await expect(lab.mcp.add(ADA, url)).rejects.toThrow("may not add");
    await expect(lab.mcp.remove(ADA, "web")).rejects.toThrow("only an administrator");
    expect(await lab.mcp.list(ADA)).toBe(
      `You have added no MCP servers.\nFor everybody:\n- web (${url}): started when it is needed`,
    );
    await lab.rewrite({ servers: { web: { url } }, people_may_add: true });
    await expect(lab.mcp.add(ADA, url, { name: "web" })).rejects.toThrow("already");
  });

  test("that cannot be read any more is shown, and can be removed", async () => {
    await redis.hset("{ws:slack:U1}:mcp", "broken", "{}");
    const lab = await labFor([]);
    expect(await lab.mcp.toolsFor(ADA)).toEqual([]);
    expect(await lab.mcp.list(ADA)).toContain("- broken: damaged; remove it and add it anew");
    await lab.mcp.remove(ADA, "broken");
    expect(await redis.keys("*")).toEqual([]);
  });
});

test("people's servers that cannot be read keep nobody from everybody's", async () => {
  const { url } = await webServer();
  const gone = redis.duplicate();
  gone.disconnect();
  const lab = await mcpLab(gone, { web: { url } });
  expect((await lab.mcp.toolsFor(ADA)).map(({ name }) => name)).toContain("web.echo");
});

test("a tool whose name something else has gets another", async () => {
  const { url } = await webServer();
  const lab = await mcpLab(redis, { web: { url, only: ["echo", "cut"] } }, { taken: (name) => name === "web_echo" });
  expect((await lab.mcp.toolsFor(ADA)).map(({ name }) => name)).toEqual([
    expect.stringMatching(/^web\.echo_[0-9a-f]{6}$/),
    "web.cut",
  ]);
});

describe("signing in", () => {
  test("hands the page to the person, and what they bring back opens the server to them alone", async () => {
    const servers = await signInServers();
    const lab = await labFor(servers.hosts);
    const text = await lab.mcp.add(ADA, servers.url, { name: "mine" });
    expect(text).toMatch(/^Added the MCP server "mine"\.\n"mine" wants you to sign in\./);
    const page = pageIn(text);
    expect(await lab.mcp.toolsFor(ADA)).toEqual([]);
    expect(await lab.mcp.list(ADA)).toContain(`sign in first: ${page}`);
    expect(await lab.mcp.finishSignIn(ADA, servers.agree(page))).toContain('You are signed in. The tools of "mine":');
    expect(await lab.call("mine.echo")).toBe("echoed");
    expect(JSON.stringify(await redis.hgetall("{ws:slack:U1}:credentials"))).not.toMatch(/access-|refresh-/);
  });

  test("asks the server nothing more until the person is back, in this process or another", async () => {
    const servers = await signInServers();
    const lab = await labFor(servers.hosts);
    const page = pageIn(await lab.mcp.add(ADA, servers.url, { name: "mine" }));
    const asked = servers.seen().length;
    const other = await labFor(servers.hosts);
    await lab.mcp.toolsFor(ADA);
    await other.mcp.toolsFor(ADA);
    expect(servers.seen()).toHaveLength(asked);
    expect(await other.mcp.list(ADA)).toContain(page);
    await other.mcp.finishSignIn(ADA, servers.agree(page));
    expect(await lab.call("mine.echo")).toBe("echoed");
    expect(servers.registrations()).toBe(1);
  });

  test("is bound to the person who began it and to what was sent", async () => {
    const servers = await signInServers();
    const lab = await labFor(servers.hosts);
    const page = pageIn(await lab.mcp.add(ADA, servers.url, { name: "mine" }));
    await lab.mcp.add(BOB, servers.url, { name: "mine" });
    const back = servers.agree(page);
    await expect(lab.mcp.finishSignIn(BOB, back)).rejects.toThrow("not one of yours");
    await expect(lab.mcp.finishSignIn(ADA, back.replace(/state=[^&]*/, "state=mine.id99"))).rejects.toThrow(
      "not one of",
    );
    await expect(lab.mcp.finishSignIn(ADA, "hello")).rejects.toThrow("not the address a sign-in ends at");
    await expect(lab.mcp.finishSignIn(ADA, servers.decline(page))).rejects.toThrow(
      "The sign-in was refused: access_denied",
    );
    await lab.mcp.finishSignIn(ADA, back);
    await expect(lab.mcp.finishSignIn(ADA, back)).rejects.toThrow("not one of yours, or it is over");
  });

  test("lasts: tokens are refreshed once when they expire, however many calls need it", async () => {
    const servers = await signInServers();
    const lab = await labFor(servers.hosts);
    const page = pageIn(await lab.mcp.add(ADA, servers.url, { name: "mine" }));
    await lab.mcp.finishSignIn(ADA, servers.agree(page));
    const echo = await lab.find("mine.echo");
    servers.expireTokens();
    const before = servers.asked.length;
    const outcomes = await Promise.all([1, 2, 3].map(() => echo.run({}, callContext())));
    expect(outcomes).toEqual([1, 2, 3].map(() => ({ kind: "result", value: "echoed" })));
    expect(servers.asked.slice(before).filter(({ path }) => path === "/token")).toHaveLength(1);
    const other = await labFor(servers.hosts);
    expect(await other.call("mine.echo")).toBe("echoed");
  });

  test("that was taken back is asked for again, with a new page", async () => {
    const servers = await signInServers();
    const lab = await labFor(servers.hosts);
    const page = pageIn(await lab.mcp.add(ADA, servers.url, { name: "mine" }));
    await lab.mcp.finishSignIn(ADA, servers.agree(page));
    const echo = await lab.find("mine.echo");
    servers.revoke();
    await expect(echo.run({}, callContext())).rejects.toMatchObject({
      code: "unauthorized",
      message: expect.stringContaining("sign-in"),
    });
    const again = pageIn(await lab.mcp.tools(ADA, "mine"));
    expect(again).not.toBe(page);
    await lab.mcp.finishSignIn(ADA, servers.agree(again));
    expect(await lab.call("mine.echo")).toBe("echoed");
  });

  test("to an administrator's server is each person's own", async () => {
    const servers = await signInServers();
    const lab = await labFor([], {
      team: {
        url: servers.url,
        auth: { type: "oauth", client: { id: "registered", issuer: servers.issuer } },
        allow: servers.hosts,
      },
    });
    expect(await lab.mcp.toolsFor(ADA)).toEqual([]);
    const page = pageIn((await lab.mcp.list(ADA)).replace("sign in first: ", "\n"));
    expect(new URL(page).searchParams.get("client_id")).toBe("registered");
    await lab.mcp.finishSignIn(ADA, servers.agree(page));
    expect(await lab.call("team.echo")).toBe("echoed");
    expect(await lab.mcp.toolsFor(BOB)).toEqual([]);
    expect(servers.registrations()).toBe(0);
    expect(lab.mcp.status().map(({ workspaceId, is }) => ({ workspaceId, is }))).toEqual([
      { workspaceId: ADA, is: "running" },
      { workspaceId: BOB, is: "sign-in" },
    ]);
  });

  test("of the bot itself needs nobody", async () => {
    const servers = await signInServers();
    const client = { id: "bot", secret: "${SECRET}", issuer: servers.issuer };
    const auth = { type: "client_credentials", client };
    const lab = await labFor(
      [],
      { team: { url: servers.url, auth, allow: servers.hosts } },
      { env: { SECRET: "s-e-c" } },
    );
    expect(await lab.call("team.echo")).toBe("echoed");
    expect(await lab.call("team.echo", {}, { workspaceId: BOB })).toBe("echoed");
  });

  test("of the bot itself is shown to the authorization server it was made for, and to no other", async () => {
    const servers = await signInServers();
    const client = { id: "bot", secret: "s-e-c-r-e-t", issuer: "https://accounts.example.com" };
    const auth = { type: "client_credentials", client };
    const lab = await labFor([], { team: { url: servers.url, auth, allow: servers.hosts } });
    expect(await lab.mcp.toolsFor(ADA)).toEqual([]);
    expect(JSON.stringify(servers.seen())).not.toContain("s-e-c-r-e-t");
  });

  test("does not lead to an address that may not be reached", async () => {
    const servers = await signInServers();
    const lab = await labFor(servers.hosts.slice(0, 1));
    await expect(lab.mcp.add(ADA, servers.url)).rejects.toThrow(/loopback/);
    expect(servers.asked).toEqual([]);
    expect(await redis.keys("*")).toEqual([]);
  });
});

describe("the command", () => {
  test("does it all, and says it when something cannot be done", async () => {
    const { url, host } = await webServer();
    const lab = await labFor([host]);
    const say = (rest: string) => lab.mcp.command(ADA, rest);
    expect(await say("")).toBe("You have added no MCP servers.");
    expect(await say(`add ${url} as mine`)).toBe(
      'Added the MCP server "mine". 6 tools: mine.echo, mine.cut, mine.half, mine.large, mine.silent, mine.fail.',
    );
    expect(await say("list")).toContain("mine");
    expect(await say("tools mine")).toContain("- mine.echo (only reads): echo");
    expect(await say("add http://10.0.0.1/mcp")).toContain("a private address");
    expect(await say("remove nothing")).toBe('You have no MCP server named "nothing"');
    expect(await say("remove mine")).toContain("Removed");
    expect(await say("finish nowhere")).toContain("not the address");
    expect(await say("dance")).toContain("/mcp add <address>");
  });
});

function speak(body: string, response: Parameters<typeof sendJson>[0]): boolean {
  const { id, method } = JSON.parse(body) as { id?: number; method: string };
  if (id === undefined) return Boolean(response.writeHead(202).end());
  const about = { protocolVersion: "2025-06-18", capabilities: { tools: {} }, serverInfo: { name: "n", version: "1" } };
  return sendJson(response, 200, { jsonrpc: "2.0", id, result: method === "initialize" ? about : { tools: [] } });
}
