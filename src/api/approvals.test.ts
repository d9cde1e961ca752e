import { describe, expect, test } from "vitest";
import { createTestParts } from "../../test/api/test-parts.ts";
import type { ApprovalView } from "../agent/approvals/view.ts";
import { parseConversationId, parseRunId, parseWorkspaceId } from "../kernel/ids.ts";
import { approvalsSchema, approvalSchema } from "./contract.ts";

const parts = await createTestParts();

const CARD: ApprovalView = {
  id: "apr_1",
  tool: "pay",
  arguments: '{\n  "amount": 5\n}',
  reason: "This tool asks before every call.",
  askedOf: parseWorkspaceId("alice"),
  askedAt: Date.UTC(2026, 0, 1),
  expiresAt: Date.UTC(2026, 0, 2),
  state: "open",
  decidedBy: undefined,
  decidedAt: undefined,
  conversationId: parseConversationId("team"),
  runId: parseRunId("run_1"),
};

/** An API with one card put up by alice's run in bob's conversation, and keys of those who may ask about it. */
async function stage() {
  const { api, door, keys } = parts.create({ adminKey: "the-admin-key" });
  await door.admit({
    id: "m1" as never,
    conversationId: CARD.conversationId,
    workspaceId: parseWorkspaceId("bob"),
    text: "hi",
    at: 1,
  });
  door.putUp(CARD);
  const keyOf = async (user: string, scope: "chat" | "read" = "chat") =>
    (await keys.create({ name: user, scopes: [scope], userId: parseWorkspaceId(user) })).key;
  const integration = (await keys.create({ name: "integration", scopes: ["chat"] })).key;
  async function ask(method: "GET" | "POST", path: string, key: string, body?: unknown) {
    const response = await api.request(`http://localhost${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const json = (await response.json()) as { error?: { code: string; message: string } } & Record<string, unknown>;
    return { status: response.status, json };
  }
  const decide = (key: string, body: unknown, id = CARD.id) => ask("POST", `/v1/approvals/${id}`, key, body);
  return { door, ask, decide, keyOf, admin: "the-admin-key", integration };
}

describe("POST /v1/approvals/:id", () => {
  test.each([
    { who: "the person it is for", user: "alice", body: {}, status: 200, by: "alice" },
    { who: "a stranger", user: "mallory", body: {}, status: 403, by: null },
    { who: "the owner of the conversation who did not ask for it", user: "bob", body: {}, status: 403, by: null },
    { who: "a configured administrator", user: "root", body: {}, status: 200, by: "root" },
    { who: "a stranger who says to be the person", user: "mallory", body: { user_id: "alice" }, status: 403, by: null },
    { who: "an admin key", user: "(admin)", body: {}, status: 200, by: "an administrator" },
    { who: "an admin key for the person", user: "(admin)", body: { user_id: "alice" }, status: 200, by: "alice" },
    { who: "an admin key for a stranger", user: "(admin)", body: { user_id: "mallory" }, status: 403, by: null },
    { who: "a chat key for the person", user: "(integration)", body: { user_id: "alice" }, status: 200, by: "alice" },
    { who: "a chat key for nobody", user: "(integration)", body: {}, status: 400, by: null },
  ])("by $who with $body answers $status", async ({ user, body, status, by }) => {
    const { door, decide, keyOf, admin, integration } = await stage();
    const key = user === "(admin)" ? admin : user === "(integration)" ? integration : await keyOf(user);
    const reply = await decide(key, { decision: "approve", ...body });
    expect(reply.status).toBe(status);
    expect(await door.approval(CARD.id)).toMatchObject(
      by === null ? { state: "open" } : { state: "approved", decidedBy: by },
    );
    if (by !== null) expect(approvalSchema.parse(reply.json)).toMatchObject({ state: "approved", decided_by: by });
  });

  test("says what was decided already: the same again is fine, otherwise it is a conflict", async () => {
    const { decide, keyOf } = await stage();
    const key = await keyOf("alice");
    expect((await decide(key, { decision: "deny" })).json).toMatchObject({ state: "denied" });
    expect(await decide(key, { decision: "deny" })).toMatchObject({ status: 200, json: { state: "denied" } });
    expect(await decide(key, { decision: "approve" })).toEqual({
      status: 409,
      json: { error: { code: "approval_decided", message: "Nothing was changed: this is denied by alice" } },
    });
  });

  test("needs the scope chat, a decision it knows, and an approval there is", async () => {
    const { decide, keyOf, admin } = await stage();
    expect((await decide(await keyOf("alice", "read"), { decision: "approve" })).status).toBe(403);
    expect((await decide(admin, { decision: "maybe" })).json.error?.message).toMatch(/^decision: /);
    expect((await decide(admin, { decision: "approve", why: "x" })).status).toBe(400);
    expect((await decide(admin, { decision: "approve" }, "apr_2")).status).toBe(404);
  });
});

describe("GET /v1/approvals/:id", () => {
  test.each([
    { who: "alice", status: 200 },
    { who: "bob", status: 200 },
    { who: "root", status: 200 },
    { who: "mallory", status: 404 },
  ])("by $who answers $status", async ({ who, status }) => {
    const { ask, keyOf } = await stage();
    const reply = await ask("GET", "/v1/approvals/apr_1", await keyOf(who, "read"));
    expect(reply.status).toBe(status);
    if (status === 200)
      expect(approvalSchema.parse(reply.json)).toEqual({
        id: "apr_1",
        tool: "pay",
        arguments: '{\n  "amount": 5\n}',
        reason: "This tool asks before every call.",
        asked_of: "alice",
        asked_at: "2026-01-01T00:00:00.000Z",
        expires_at: "2026-01-02T00:00:00.000Z",
        state: "open",
        decided_by: null,
        decided_at: null,
        conversation_id: "team",
        run_id: "run_1",
      });
  });

  test("the open ones of a conversation are listed to those who may see it", async () => {
    const { ask, keyOf, admin, decide } = await stage();
    const path = "/v1/conversations/team/approvals";
    expect(approvalsSchema.parse((await ask("GET", path, admin)).json).data).toMatchObject([{ id: "apr_1" }]);
    expect((await ask("GET", path, await keyOf("mallory"))).status).toBe(404);
    await decide(admin, { decision: "deny" });
    expect((await ask("GET", path, admin)).json).toEqual({ data: [] });
  });
});
