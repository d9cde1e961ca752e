import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { privateRedis } from "../setup/redis.ts";
import { runHere } from "./in-process.ts";
import { startBot, temporaryFolder } from "./processes.ts";

const folder = temporaryFolder(afterAll);
mkdirSync(join(folder, "prompts"));
writeFileSync(join(folder, "prompts/system.md"), "You are a bot under test.");
writeFileSync(join(folder, "parley.yaml"), "approvals: { rules: [{ tool: memory_set, decision: ask }] }\n");
const redis = await privateRedis({ until: afterAll });
const env = { REDIS_URL: redis.socketPath, PARLEY_DATA: temporaryFolder(afterAll), PARLEY_CONFIG: folder };
const bot = await startBot(env, afterAll);

describe("chat, between pipes, when a call waits for an approval", () => {
  test("/approve lets it be made, and the answer follows", async () => {
    const input = "remember that my dog is Rex\n/approve\nwhat is my dog?\n";
    const { out, code } = await runHere(["chat", "--url", bot.url, "--user", "ann"], { input });
    expect(out).toMatch(/^May I call \*\*memory_set\*\*\?[\s\S]*"value": "Rex"[\s\S]*\/approve apr_/);
    expect(out).toContain("Approved: memory_set.");
    expect(out).toContain("I will remember that dog is Rex.");
    expect(out).toContain("Your dog is Rex.");
    expect(code).toBe(0);
  });

  test("/deny keeps it from being made", async () => {
    const input = "remember that my cat is Tom\n/deny\n/memory\n";
    const { out, code } = await runHere(["chat", "--url", bot.url, "--user", "bea"], { input });
    expect(out).toContain("Denied: memory_set.");
    expect(out).toContain("I remember nothing about you.");
    expect(code).toBe(0);
  });

  test("what nobody decides is no success, and is still there the next time", async () => {
    const chat = ["chat", "--url", bot.url, "--user", "cy"];
    const first = await runHere(chat, { input: "remember that my fish is Bo\n" });
    expect(first.code).toBe(1);
    expect(first.err).toContain("waits");
    await runHere(chat, { input: "/approve\n" });
    const last = await runHere(chat, { input: "what is my fish?\n" });
    expect(last.out).toContain("Your fish is Bo.");
  });
});
