import { expect, test } from "vitest";
import { ADMIN_KEY, createTestParts } from "../../test/api/test-parts.ts";

const parts = await createTestParts();

test("only an administrator sees or changes who may talk to the bot", async () => {
  const { api, keys } = parts.create({ adminKey: ADMIN_KEY });
  const { key } = await keys.create({ name: "chat", scopes: ["chat"] });
  for (const [method, path, body] of [
    ["GET", "/v1/pairings", undefined],
    ["POST", "/v1/pairings", '{"code":"AAAAAAAA"}'],
    ["DELETE", "/v1/pairings/slack:U1", undefined],
  ] as const) {
    const response = await api.request(`http://127.0.0.1:8300${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body }),
    });
    expect([method, response.status]).toEqual([method, 403]);
  }
});

test("a webhook is served before keys and browsers' rules count, takes POST only, and no more than a megabyte", async () => {
  const { api } = parts.create({
    adminKey: ADMIN_KEY,
    webhooks: [{ path: "/slack/events", handle: async (request) => new Response(`got ${await request.text()}`) }],
  });
  const post = (body: string) =>
    api.request("https://bot.example.com/slack/events", {
      method: "POST",
      body,
      headers: { origin: "https://elsewhere.example", "content-length": String(body.length) },
    });
  expect(await (await post("an event")).text()).toBe("got an event");
  expect((await post("x".repeat(1024 * 1024 + 1))).status).toBe(413);
  const read = await api.request("http://127.0.0.1:8300/slack/events");
  expect(read.status).toBe(404);
});
