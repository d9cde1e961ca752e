import { beforeEach, describe, expect, test } from "vitest";
import { createTestParts } from "../../test/api/test-parts.ts";
import type { Api } from "./parts.ts";

const parts = await createTestParts();
beforeEach(async () => {
  await parts.redis.flushdb();
});

interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown> & { error?: { code: string; message: string; choices?: string[] } };
}

async function ask(api: Api, method: string, path: string, body?: object, key?: string): Promise<Answer> {
  const response = await api.request(`http://127.0.0.1:8300${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, json: text === "" ? {} : (JSON.parse(text) as Answer["json"]) };
}

const daily = { user_id: "alice", when: "every day at 9:00", tz: "Europe/Madrid", description: "water the plants" };

describe("POST /v1/schedules/preview", () => {
  test("says what a phrase means, with the next five fires and clock changes marked", async () => {
    const { api } = parts.create();
    const request = { when: "every day at 2:30", tz: "Europe/Berlin", from: "2026-03-27T12:00:00Z" };
    const { status, json } = await ask(api, "POST", "/v1/schedules/preview", request);
    expect(status).toBe(200);
    expect(json).toEqual({
      kind: "cron",
      rule: "30 2 * * *",
      words: "At 02:30",
      tz: "Europe/Berlin",
      next: [
        "2026-03-28T01:30:00.000Z",
        "2026-03-29T01:00:00.000Z",
        "2026-03-30T00:30:00.000Z",
        "2026-03-31T00:30:00.000Z",
        "2026-04-01T00:30:00.000Z",
      ],
      local: [
        "Sat 28 Mar 2026, 02:30",
        "Sun 29 Mar 2026, 03:00 (after the clock change: 1 h forward)",
        "Mon 30 Mar 2026, 02:30",
        "Tue 31 Mar 2026, 02:30",
        "Wed 1 Apr 2026, 02:30",
      ],
    });
  });

  test.each([
    ["every day at 25:00", "UTC", "invalid_schedule", '"25:00" is not a time of day'],
    ["every day at 9:00", "Madrid", "invalid_schedule", "did you mean Europe/Madrid?"],
    ["0 9 31 2 *", "UTC", "invalid_schedule", "never fires"],
    ["every day at 5", "UTC", "ambiguous_schedule", "morning or in the afternoon"],
  ])("refuses %s in %s as %s", async (when, tz, code, message) => {
    const { api } = parts.create();
    const { status, json } = await ask(api, "POST", "/v1/schedules/preview", { when, tz });
    expect([status, json.error?.code]).toEqual([400, code]);
    expect(json.error?.message).toContain(message);
    expect(json.error?.choices).toEqual(
      code === "ambiguous_schedule" ? ["every day at 5am", "every day at 5pm"] : undefined,
    );
  });
});

describe("a schedule", () => {
  test("is made, shown, listed, changed, paused and deleted", async () => {
    const { api } = parts.create();
    const made = await ask(api, "POST", "/v1/schedules", { ...daily, catch_up: "all", max_lateness_s: 600 });
    expect(made.status).toBe(201);
    const { confirmation, ...schedule } = made.json;
    expect(confirmation).toContain("When: At 09:00 (Europe/Madrid)");
    expect(schedule).toEqual({
      id: expect.stringMatching(/^s0-\w+$/),
      user_id: "alice",
      conversation_id: "api:alice",
      description: "water the plants",
      kind: "cron",
      rule: "0 9 * * *",
      words: "At 09:00",
      tz: "Europe/Madrid",
      status: "active",
      catch_up: "all",
      max_lateness_s: 600,
      spread_s: 0,
      failures: 0,
      next: Array.from({ length: 5 }, () => expect.stringMatching(/T0[78]:00:00\.000Z$/)),
      created_at: expect.any(String),
    });
    const path = `/v1/schedules/${String(schedule["id"])}`;
    await expect(ask(api, "GET", path)).resolves.toEqual({ status: 200, json: schedule });
    const list = await ask(api, "GET", "/v1/schedules?user_id=alice");
    expect(list.json).toEqual({ data: [schedule], has_more: false, next_cursor: null });
    const changed = await ask(api, "PATCH", path, { when: "weekdays at 8:00", max_lateness_s: null, paused: true });
    expect(changed.json).toMatchObject({ rule: "0 8 * * 1-5", status: "paused", next: [], max_lateness_s: null });
    const resumed = await ask(api, "PATCH", path, { paused: false });
    expect(resumed.json).toMatchObject({ status: "active", next: { length: 5 } });
    await expect(ask(api, "GET", `${path}/history`)).resolves.toMatchObject({ json: { data: [] } });
    await expect(ask(api, "DELETE", path)).resolves.toEqual({ status: 204, json: {} });
    await expect(ask(api, "GET", path)).resolves.toMatchObject({ status: 404, json: { error: { code: "not_found" } } });
    await expect(ask(api, "DELETE", path)).resolves.toMatchObject({ status: 404 });
  });

  test("takes the person's own zone when none is given, and UTC when there is none", async () => {
    const { api, memory } = parts.create();
    const { tz: _tz, ...without } = daily;
    expect((await ask(api, "POST", "/v1/schedules", without)).json).toMatchObject({ tz: "UTC" });
    await memory.set("alice" as never, { key: "time_zone", value: "Asia/Tokyo", at: 1 });
    expect((await ask(api, "POST", "/v1/schedules", without)).json).toMatchObject({ tz: "Asia/Tokyo" });
  });

  test("is rehearsed in its own conversation", async () => {
    const { api, door } = parts.create();
    const { json } = await ask(api, "POST", "/v1/schedules", daily);
    const ran = await ask(api, "POST", `/v1/schedules/${String(json["id"])}/run`, {});
    expect(ran).toMatchObject({ status: 202, json: { conversation_id: "api:alice" } });
    expect(ran.json["message_id"]).toMatch(/^sched:s0-\w+:run:/);
    void door;
  });

  test("is nobody else's: a key bound to another person neither sees nor changes it", async () => {
    const { api, keys } = parts.create({ adminKey: "the-admin-key-of-this-test" });
    const { key } = await keys.create({ name: "bob", scopes: ["chat"], userId: "bob" as never });
    const { json } = await ask(api, "POST", "/v1/schedules", daily, "the-admin-key-of-this-test");
    const path = `/v1/schedules/${String(json["id"])}`;
    for (const [method, where, body] of [
      ["GET", path],
      ["GET", `${path}/history`],
      ["PATCH", path, { paused: true }],
      ["POST", `${path}/run`, {}],
      ["DELETE", path],
    ] as const)
      expect((await ask(api, method, where, body, key)).status).toBe(404);
    expect((await ask(api, "GET", "/v1/schedules?user_id=alice", undefined, key)).status).toBe(403);
    expect((await ask(api, "POST", "/v1/schedules", daily, key)).status).toBe(403);
    const elsewhere = { ...daily, user_id: "bob", conversation_id: "api:alice" };
    expect((await ask(api, "POST", "/v1/schedules", elsewhere, key)).status).toBe(403);
    expect((await ask(api, "GET", "/v1/schedules", undefined, key)).json).toMatchObject({ data: [] });
  });

  test("cannot be forestalled by a message that bears the id of its slot", async () => {
    const { api } = parts.create();
    const message = { user_id: "alice", text: "hi", message_id: "sched:s0-1:1764061200000" };
    const { status, json } = await ask(api, "POST", "/v1/messages", message);
    expect([status, json.error?.code]).toEqual([400, "invalid_request"]);
  });
});
