import { beforeEach, describe, expect, test } from "vitest";
import { parseWorkspaceId } from "../kernel/ids.ts";
import { Secret } from "../kernel/secret.ts";
import { createCredentialStore } from "../store/credentials.ts";
import { ADMIN_KEY, ALICE, createTestParts } from "../../test/api/test-parts.ts";
import type { Api } from "./parts.ts";

const parts = await createTestParts();
const credentials = createCredentialStore(parts.redis, { masterKey: new Secret("a master key of the test") });
beforeEach(async () => {
  await parts.redis.flushdb();
});

async function ask(api: Api, method: string, path: string, key?: string, body?: unknown) {
  const response = await api.request(`http://127.0.0.1:8300${path}`, {
    method,
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson ? (JSON.parse(text) as unknown) : undefined,
  };
}

async function send(api: Api, path: string, form: Record<string, string>) {
  return api.request(`http://127.0.0.1:8300${path}`, { method: "POST", body: new URLSearchParams(form) });
}

describe("what is kept of a person", () => {
  test("is exported to an administrator and to a key of the person, not to another's", async () => {
    const { api, keys, memory } = parts.create({ adminKey: ADMIN_KEY });
    await memory.set(ALICE, { key: "city", value: "Turin", at: 1 });
    await memory.set(ALICE, { key: "pin", value: "4711", secret: true, at: 1 });
    const own = (await keys.create({ name: "alice", scopes: ["read"], userId: ALICE })).key;
    const other = (await keys.create({ name: "bob", scopes: ["admin"], userId: parseWorkspaceId("bob") })).key;
    for (const key of [ADMIN_KEY, own]) {
      const { status, json, text } = await ask(api, "GET", "/v1/workspaces/alice/export", key);
      expect(status).toBe(200);
      expect(json).toMatchObject({
        format: 1,
        user_id: "alice",
        workspaces: [{ id: "alice", data: { memory: { entries: [{ key: "city", value: "Turin" }, { key: "pin" }] } } }],
      });
      expect(text).not.toContain("4711");
    }
    expect((await ask(api, "GET", "/v1/workspaces/alice/export", other)).status).toBe(403);
  });

  test("is deleted with a receipt, by an administrator or the person", async () => {
    const { api, keys, memory } = parts.create({ adminKey: ADMIN_KEY });
    const chat = (await keys.create({ name: "chat", scopes: ["chat"] })).key;
    const own = (await keys.create({ name: "alice", scopes: ["chat"], userId: ALICE })).key;
    const reads = (await keys.create({ name: "alice reads", scopes: ["read"], userId: ALICE })).key;
    await memory.set(ALICE, { key: "city", value: "Turin", at: 1 });
    for (const key of [chat, reads]) expect((await ask(api, "DELETE", "/v1/workspaces/alice", key)).status).toBe(403);
    expect((await memory.list(ALICE)).entries).toHaveLength(1);
    for (const key of [own, ADMIN_KEY]) {
      await memory.set(ALICE, { key: "city", value: "Turin", at: 1 });
      const { status, json } = await ask(api, "DELETE", "/v1/workspaces/alice", key);
      expect(status).toBe(200);
      expect(json).toMatchObject({ user_id: "alice", deleted: { "memory entries": 1 }, interrupted: false });
      expect((await memory.list(ALICE)).entries).toEqual([]);
    }
  });
});

describe("a linked account", () => {
  test("sees and uses the workspace it is linked to, and no other account does", async () => {
    const { api, keys, memory, links } = parts.create({ adminKey: ADMIN_KEY });
    const phone = parseWorkspaceId("phone");
    const key = (await keys.create({ name: "phone", scopes: ["read"], userId: phone })).key;
    await memory.set(ALICE, { key: "city", value: "Turin", at: 1 });
    expect((await ask(api, "GET", "/v1/workspaces/alice/memory", key)).status).toBe(403);
    await links.join(phone, await links.issue(ALICE), 1);
    for (const name of ["phone", "alice"])
      expect((await ask(api, "GET", `/v1/workspaces/${name}/memory`, key)).json).toMatchObject({
        data: [{ key: "city", value: "Turin" }],
      });
    const own = (await keys.create({ name: "alice", scopes: ["read"], userId: ALICE })).key;
    expect((await ask(api, "GET", "/v1/workspaces/phone/memory", own)).status).toBe(403);
  });
});

describe("credentials", () => {
  test("are stored, listed by name and deleted; the value never comes back", async () => {
    const { api } = parts.create({ credentials });
    const path = "/v1/workspaces/alice/credentials";
    expect((await ask(api, "PUT", `${path}/shop`, undefined, { value: "hush-hush" })).status).toBe(204);
    const listed = await ask(api, "GET", path);
    expect(listed.json).toMatchObject({ data: [{ name: "shop", at: expect.any(String) }], has_more: false });
    expect(listed.text).not.toContain("hush-hush");
    expect((await credentials.reveal(ALICE, "shop"))?.reveal()).toBe("hush-hush");
    expect((await ask(api, "DELETE", `${path}/shop`)).status).toBe(204);
    expect((await ask(api, "DELETE", `${path}/shop`)).status).toBe(404);
    expect(
      (await ask(api, "PUT", `${path}/${encodeURIComponent("two words")}`, undefined, { value: "x" })).status,
    ).toBe(400);
  });

  test("cannot be stored without a master key, which is said", async () => {
    const { api } = parts.create();
    const { status, json } = await ask(api, "PUT", "/v1/workspaces/alice/credentials/shop", undefined, { value: "x" });
    expect(status).toBe(400);
    expect(json).toMatchObject({ error: { code: "no_master_key" } });
  });
});

describe("the page behind a one-time link", () => {
  test("takes a credential once; opening it uses nothing up", async () => {
    const { api, tickets } = parts.create({ credentials });
    const token = await tickets.issue({ for: "credential", person: ALICE, name: "shop" });
    for (let opened = 0; opened < 2; opened++) {
      const { status, text, headers } = await ask(api, "GET", `/once/${token}`);
      expect(status).toBe(200);
      expect(text).toContain('type="password"');
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
    }
    const empty = await send(api, `/once/${token}`, { value: "" });
    expect(empty.status).toBe(400);
    const stored = await send(api, `/once/${token}`, { value: "hush-hush" });
    expect(stored.status).toBe(200);
    expect(await stored.text()).not.toContain("hush-hush");
    expect((await credentials.reveal(ALICE, "shop"))?.reveal()).toBe("hush-hush");
    expect((await send(api, `/once/${token}`, { value: "again" })).status).toBe(404);
    expect((await ask(api, "GET", `/once/${token}`)).status).toBe(404);
    expect((await credentials.reveal(ALICE, "shop"))?.reveal()).toBe("hush-hush");
  });

  test("gives the export once, as a file", async () => {
    const { api, tickets, memory } = parts.create();
    await memory.set(ALICE, { key: "city", value: "Turin", at: 1 });
    const token = await tickets.issue({ for: "export", person: ALICE });
    expect((await ask(api, "GET", `/once/${token}`)).text).not.toContain("Turin");
    const response = await send(api, `/once/${token}`, {});
    expect(response.headers.get("content-disposition")).toContain("attachment");
    expect(await response.json()).toMatchObject({ user_id: "alice" });
    expect((await send(api, `/once/${token}`, {})).status).toBe(404);
  });

  test("refuses other sites' forms, large ones and guessed tokens", async () => {
    const { api, tickets } = parts.create({ credentials });
    const token = await tickets.issue({ for: "credential", person: ALICE, name: "shop" });
    const foreign = await api.request(`http://127.0.0.1:8300/once/${token}`, {
      method: "POST",
      headers: { origin: "http://evil.example" },
      body: new URLSearchParams({ value: "x" }),
    });
    expect(foreign.status).toBe(403);
    expect((await send(api, `/once/${token}`, { value: "x".repeat(70_000) })).status).toBe(413);
    expect((await ask(api, "GET", "/once/short")).status).toBe(404);
    expect(await credentials.list(ALICE)).toEqual([]);
    expect(await parts.redis.pttl((await parts.redis.keys("ticket:*"))[0] ?? "")).toBeGreaterThan(0);
    expect((await parts.redis.keys("ticket:*")).join()).not.toContain(token);
  });
});

test("/readyz names hooks that are off, and the process is ready all the same", async () => {
  const { api } = parts.create({ notes: () => ({ hooks: "beforeTool of hooks/guard.ts is switched off" }) });
  const { status, json } = await ask(api, "GET", "/readyz");
  expect(status).toBe(200);
  expect(json).toEqual({
    status: "ready",
    checks: { hooks: "beforeTool of hooks/guard.ts is switched off", redis: "ok" },
  });
});
