import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { testRedis } from "../../../test/setup/redis.ts";
import { parseConversationId, parseRunId, parseWorkspaceId } from "../../kernel/ids.ts";
import { silentLog } from "../../kernel/ports.ts";
import { createMemoryStore } from "../../store/memory.ts";
import type { ToolContext } from "../contract.ts";
import { createToolbox, type Toolbox } from "../toolbox.ts";
import { shelves } from "../../../test/setup/shelves.ts";
import { builtinTools } from "./index.ts";

let redis: Redis;
let toolbox: Toolbox;

beforeAll(async () => {
  redis = new Redis(await testRedis());
  const fetchPage = () => Promise.reject(new Error("not used here"));
  toolbox = createToolbox(builtinTools({ ...shelves(redis), memory: createMemoryStore(redis), fetchPage }));
});
afterAll(() => redis.disconnect());
beforeEach(() => redis.flushdb());

test("what is set can be read, listed, found and deleted, by this person alone", async () => {
  expect(await call("memory_set", { key: "pet", value: "a beagle" })).toEqual({ key: "pet", stored: true });
  expect(await call("memory_get", { key: "pet" })).toEqual({ key: "pet", found: true, value: "a beagle" });
  expect(await call("memory_list", {})).toEqual({ entries: [{ key: "pet", value: "a beagle" }] });
  expect(await call("memory_list", { prefix: "x" })).toEqual({ entries: [] });
  expect(await call("memory_search", { query: "BEAGLE" })).toEqual({ entries: [{ key: "pet", value: "a beagle" }] });
  expect(await call("memory_list", {}, { workspaceId: parseWorkspaceId("bob") })).toEqual({ entries: [] });
  expect(await call("memory_delete", { key: "pet" })).toEqual({ key: "pet", deleted: true });
  expect(await call("memory_get", { key: "pet" })).toEqual({ key: "pet", found: false });
});

test("the time of an entry is the context's", async () => {
  await call("memory_set", { key: "pet", value: "x" });
  expect(await redis.hget("{ws:ada}:memory", "pet")).toBe('{"v":"x","at":1234}');
});

test("no tool shows the value of a secret", async () => {
  await call("memory_set", { key: "wifi", value: "hunter2", secret: true });
  const shown = [
    await call("memory_get", { key: "wifi" }),
    await call("memory_list", {}),
    await call("memory_search", { query: "wifi" }),
    await call("memory_search", { query: "hunter2" }),
  ];
  expect(JSON.stringify(shown)).not.toContain("hunter2");
  expect(shown[0]).toEqual({ key: "wifi", found: true, value: "(secret)" });
  expect(shown[3]).toEqual({ entries: [] });
});

test("a deletion that is repeated after a crash says the same as the first time", async () => {
  await call("memory_set", { key: "pet", value: "x" });
  const first = await call("memory_delete", { key: "pet" });
  expect(await call("memory_delete", { key: "pet" }, { attempt: 2 })).toEqual(first);
  expect(await call("memory_delete", { key: "pet" })).toEqual({ key: "pet", deleted: false });
});

test("a long value is shortened in lists and whole in memory_get", async () => {
  const value = "v".repeat(5_000);
  await call("memory_set", { key: "long", value });
  expect(await call("memory_list", {})).toEqual({
    entries: [{ key: "long", value: `${"v".repeat(300)}… (5000 characters; memory_get shows all)` }],
  });
  expect(await call("memory_get", { key: "long" })).toMatchObject({ value });
});

test("a damaged entry is named in lists and refused by memory_get", async () => {
  await redis.hset("{ws:ada}:memory", "bad", "{");
  expect(await call("memory_list", {})).toEqual({ entries: [], unreadable: ["bad"] });
  await expect(call("memory_get", { key: "bad" })).rejects.toMatchObject({ code: "garbled" });
});

test("a limit that is passed is told in plain words", async () => {
  await expect(call("memory_set", { key: "k".repeat(129), value: "x" })).rejects.toThrow("at most 128");
});

async function call(name: string, args: unknown, changes: Partial<ToolContext> = {}): Promise<unknown> {
  const outcome = await toolbox.find(name)?.run(args, {
    workspaceId: parseWorkspaceId("ada"),
    conversationId: parseConversationId("web:1"),
    runId: parseRunId("r1"),
    idempotencyKey: "r1:tool_1_1",
    attempt: 1,
    signal: new AbortController().signal,
    clock: { now: () => 1234, monotonic: () => 0 },
    log: silentLog,
    ...changes,
  });
  return outcome?.kind === "result" ? outcome.value : outcome;
}
