import { beforeEach, describe, expect, test } from "vitest";
import { createTestParts, ADMIN_KEY, ALICE } from "../../test/api/test-parts.ts";
import { parseConversationId, parseRunId, parseWorkspaceId } from "../kernel/ids.ts";
import type { Log } from "../kernel/ports.ts";
import { openLinkSigner } from "../store/artifact-links.ts";
import type { Api } from "./parts.ts";

const parts = await createTestParts();
const BOB = parseWorkspaceId("bob");
const HTML = "<script>alert(1)</script>";

beforeEach(async () => {
  await parts.artifacts.eraseArtifacts(ALICE);
});

const make = (name: string, content = HTML, key = name) =>
  parts.artifacts.create(ALICE, {
    key,
    name,
    content: Buffer.from(content),
    runId: parseRunId("run_1"),
    conversationId: parseConversationId("web:1"),
  });

async function get(api: Api, path: string, init: RequestInit = {}) {
  const response = await api.request(`http://127.0.0.1:8300${path}`, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text };
}

const json = (text: string): unknown => JSON.parse(text);
const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });

describe("a person's files", () => {
  test("are listed page by page, with a link each", async () => {
    const { api } = parts.create();
    const made = await make("page.html");
    await make("b.txt");
    const first = await get(api, "/v1/workspaces/alice/artifacts?limit=1");
    expect(json(first.text)).toMatchObject({ has_more: true, data: [{ id: expect.stringMatching(/^art_/) }] });
    const all = await get(api, "/v1/workspaces/alice/artifacts");
    expect(json(all.text)).toMatchObject({ has_more: false, data: expect.objectContaining({ length: 2 }) });
    expect(json((await get(api, `/v1/workspaces/alice/artifacts/${made.id}`)).text)).toEqual({
      id: made.id,
      name: "page.html",
      media_type: "text/html",
      bytes: HTML.length,
      created_at: new Date(made.createdAt).toISOString(),
      expires_at: new Date(made.endsAt).toISOString(),
      run_id: "run_1",
      conversation_id: "web:1",
      url: `/v1/artifacts/${made.id}/content?token=${parts.fileLinks.sign(ALICE, made.id)}`,
    });
  });

  test("are given as they are, to be kept and never run", async () => {
    const { api } = parts.create();
    const { id } = await make("Übersicht 'x'.html");
    const { status, headers, text } = await get(api, `/v1/workspaces/alice/artifacts/${id}/content`);
    expect({ status, text }).toEqual({ status: 200, text: HTML });
    expect(headers.get("content-type")).toBe("text/html");
    expect(headers.get("content-length")).toBe(String(HTML.length));
    expect(headers.get("content-disposition")).toBe(
      `attachment; filename="U_bersicht 'x'.html"; filename*=UTF-8''%C3%9Cbersicht%20%27x%27.html`,
    );
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toBe("default-src 'none'; sandbox");
    expect(headers.get("cache-control")).toContain("no-store");
  });

  test("are deleted", async () => {
    const { api } = parts.create();
    const { id } = await make("a.txt");
    expect((await get(api, `/v1/workspaces/alice/artifacts/${id}`, { method: "DELETE" })).status).toBe(204);
    expect((await get(api, `/v1/workspaces/alice/artifacts/${id}`, { method: "DELETE" })).status).toBe(404);
    expect((await get(api, `/v1/workspaces/alice/artifacts/${id}`)).status).toBe(404);
    expect((await get(api, `/v1/workspaces/alice/artifacts/${id}/content`)).status).toBe(404);
  });

  test("are nothing to a key of another person, and a reading key deletes none", async () => {
    const { api, keys } = parts.create({ adminKey: ADMIN_KEY });
    const { id } = await make("a.txt");
    const bobs = await keys.create({ name: "bob", scopes: ["chat"], userId: BOB });
    const reads = await keys.create({ name: "reads", scopes: ["read"] });
    for (const path of ["", `/${id}`, `/${id}/content`])
      expect((await get(api, `/v1/workspaces/alice/artifacts${path}`, bearer(bobs.key))).status).toBe(403);
    expect((await get(api, `/v1/workspaces/bob/artifacts/${id}/content`, bearer(bobs.key))).status).toBe(404);
    expect((await get(api, `/v1/workspaces/alice/artifacts/${id}`)).status).toBe(401);
    const deletion = { method: "DELETE", ...bearer(reads.key) };
    expect((await get(api, `/v1/workspaces/alice/artifacts/${id}`, deletion)).status).toBe(403);
  });
});

describe("a link to a file", () => {
  const link = (id: string) => `/v1/artifacts/${id}/content?token=${parts.fileLinks.sign(ALICE, id)}`;

  test("needs no key, and is served like the file itself", async () => {
    const { api } = parts.create({ adminKey: ADMIN_KEY });
    const { id } = await make("page.html");
    const { status, headers, text } = await get(api, link(id));
    expect({ status, text }).toEqual({ status: 200, text: HTML });
    expect(headers.get("content-disposition")).toMatch(/^attachment; /);
    expect(headers.get("content-security-policy")).toContain("sandbox");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });

  test("may be followed from another site, which no other address of the API may", async () => {
    const { api } = parts.create();
    const { id } = await make("a.txt");
    const elsewhere = { headers: { "sec-fetch-site": "cross-site" } };
    expect((await get(api, link(id), elsewhere)).status).toBe(200);
    expect((await get(api, `/v1/workspaces/alice/artifacts/${id}/content`, elsewhere)).status).toBe(403);
  });

  test("that is wrong, over, for another file, or for one that is gone gives the same answer", async () => {
    const { api } = parts.create({ adminKey: ADMIN_KEY });
    const [one, two, gone] = [await make("1.txt"), await make("2.txt"), await make("3.txt")];
    await parts.artifacts.delete(ALICE, gone.id);
    const past = await openLinkSigner(parts.redis, { lifetimeMs: () => 1000, clock: { now: () => 1_000_000 } });
    const token = parts.fileLinks.sign(ALICE, one.id);
    const answers = [
      await get(api, `/v1/artifacts/${two.id}/content?token=${token}`),
      await get(api, `/v1/artifacts/${one.id}/content?token=${past.sign(ALICE, one.id)}`),
      await get(api, `/v1/artifacts/${one.id}/content?token=${parts.fileLinks.sign(BOB, one.id)}`),
      await get(api, `/v1/artifacts/${one.id}/content?token=${token.slice(0, -2)}AA`),
      await get(api, `/v1/artifacts/${one.id}/content?token=x`),
      await get(api, `/v1/artifacts/${one.id}/content`),
      await get(api, link(gone.id)),
      await get(api, link("art_unknown")),
    ];
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(
      new Set(['404 {"error":{"code":"not_found","message":"There is no such file, or the link to it is over"}}']),
    );
  });

  test("never puts its token in a log", async () => {
    const lines: string[] = [];
    const note = (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`);
    const log: Log = { debug: note, info: note, warn: note, error: note, with: () => log };
    const { api } = parts.create({
      log,
      artifacts: { ...parts.artifacts, read: () => Promise.reject(new Error("broken")) },
    });
    const { id } = await make("a.txt");
    expect((await get(api, link(id))).status).toBe(500);
    expect((await get(api, `${link("art_other")}x`)).status).toBe(404);
    expect(lines.join("\n")).toContain(`/v1/artifacts/${id}/content`);
    expect(lines.join("\n")).not.toContain(parts.fileLinks.sign(ALICE, id));
    expect(lines.join("\n")).not.toContain("token");
  });
});
