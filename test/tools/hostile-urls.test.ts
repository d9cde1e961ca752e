import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { parseConversationId, parseRunId, parseWorkspaceId } from "../../src/kernel/ids.ts";
import { silentLog, systemClock } from "../../src/kernel/ports.ts";
import { webFetchTool } from "../../src/tools/builtin/web-fetch.ts";
import { createSafeFetch, type SafeFetchOptions } from "../../src/tools/safe-fetch.ts";
import { openLab } from "../agent/lab.ts";
import { call, say } from "../agent/model-server.ts";
import { testRedis } from "../setup/redis.ts";
import { hostileUrls } from "./hostile-urls.ts";

/** What only this machine should reach: whoever gets here got through. */
const inside = await serve((_request, response) => response.end("the inside"));
/** A site of a stranger, which this test may reach, and which sends everyone where the path says. */
const outside = await serve((request, response) => {
  const to = decodeURIComponent((request.url ?? "").slice(1));
  // A header has no other letters; a browser decodes these to the same host.
  response.writeHead(302, { location: /^[ -~]*$/.test(to) ? to : encodeURI(to) }).end();
});
const lab = await openLab({ database: await testRedis() });
afterAll(() => lab.close());
afterEach(() => expect(inside.requests()).toBe(0));

const urls = hostileUrls(inside.port);
const loopback = async () => [{ address: "127.0.0.1", family: 4 }];

/** The built-in tool over the guarded fetch, as the agent calls it. */
function fetchUrl(url: string, options: SafeFetchOptions = {}): Promise<unknown> {
  const tool = webFetchTool(createSafeFetch({ resolve: loopback, ...options }));
  return tool.run(
    { url },
    {
      workspaceId: parseWorkspaceId("ada"),
      conversationId: parseConversationId("web:1"),
      runId: parseRunId("r"),
      idempotencyKey: "r:1",
      attempt: 1,
      signal: new AbortController().signal,
      clock: systemClock,
      log: silentLog,
    },
  );
}

describe("web_fetch refuses", () => {
  test.each(urls)("$kind", async ({ url }) => {
    await expect(fetchUrl(url)).rejects.toMatchObject({ code: "refused" });
  });

  test.each(urls)("a redirect to $kind", async ({ url }) => {
    const options = { allow: [`127.0.0.1:${outside.port}`] };
    await expect(
      fetchUrl(`http://127.0.0.1:${outside.port}/${encodeURIComponent(url)}`, options),
    ).rejects.toMatchObject({ code: "refused" });
  });

  test.each([
    { kind: "loopback", address: "127.0.0.1", family: 4 },
    { kind: "a private address", address: "10.1.2.3", family: 4 },
    { kind: "cloud metadata", address: "169.254.169.254", family: 4 },
    { kind: "IPv6 loopback", address: "::1", family: 6 },
    { kind: "IPv4 mapped into IPv6", address: "::ffff:127.0.0.1", family: 6 },
    { kind: "something that is no address", address: "inside", family: 4 },
  ])("a name that leads to $kind, also next to a public address", async ({ address, family }) => {
    const bad = { address, family };
    const good = { address: "93.184.216.34", family: 4 };
    for (const answers of [[bad], [good, bad], [bad, good]])
      await expect(
        fetchUrl(`http://rebind.test:${inside.port}/`, { resolve: async () => answers }),
      ).rejects.toMatchObject({ code: "refused" });
  });

  test("a name whose second answer leads inside, after a redirect to itself", async () => {
    const answers = [[{ address: "127.0.0.1", family: 4 }], [{ address: "127.0.0.1", family: 4 }]];
    let asked = 0;
    const options = {
      // The first hop is allowed by name and port; the second has another port, and is judged by its address.
      allow: [`rebind.test:${outside.port}`],
      resolve: async () => answers[asked++] ?? [],
    };
    const inner = encodeURIComponent(`http://rebind.test:${inside.port}/`);
    await expect(fetchUrl(`http://rebind.test:${outside.port}/${inner}`, options)).rejects.toMatchObject({
      code: "refused",
      message: expect.stringContaining("resolves to a loopback address"),
    });
    expect(asked).toBe(2);
  });

  test("an answer that changes between the check and the connection", async () => {
    let looks = 0;
    // Public when it is checked, inside whenever it is read again: the socket itself has the last word.
    const shifty = {
      get address() {
        looks += 1;
        return looks === 1 ? "93.184.216.34" : "127.0.0.1";
      },
      family: 4,
    };
    await expect(
      fetchUrl(`http://rebind.test:${inside.port}/`, { resolve: async () => [shifty] }),
    ).rejects.toMatchObject({ code: "refused" });
    expect(looks).toBeGreaterThan(1);
  });
});

test("a model that asks for them reads why not, and the person gets an answer", async () => {
  const perTurn = 16;
  const turns = Math.ceil(urls.length / perTurn);
  const batches = Array.from({ length: turns }, (_, turn) => urls.slice(turn * perTurn, (turn + 1) * perTurn));
  lab.model.when(
    "fetch all that",
    ...batches.map((batch) => call(...batch.map(({ url }) => ({ name: "web_fetch", args: { url } })))),
    say("None of these may be read."),
  );
  const chat = lab.conversation();
  expect((await lab.answerTo(chat, (await lab.send(chat, "fetch all that")).id)).text).toBe(
    "None of these may be read.",
  );
  const results = lab.model.requests.at(-1)?.messages.filter(({ role }) => role === "tool") ?? [];
  expect(results).toHaveLength(urls.length);
  expect(results.filter(({ content }) => !/"code":"refused"/.test(content ?? ""))).toEqual([]);
  expect(JSON.stringify(results)).not.toContain("hush");
});

async function serve(answer: RequestListener) {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, requests: () => requests };
}
