import { Redis } from "ioredis";
import { afterAll, expect, test } from "vitest";
import { parseWorkspaceId } from "../../src/kernel/ids.ts";
import { systemClock } from "../../src/kernel/ports.ts";
import { createPairingStore } from "../../src/store/pairings.ts";
import { privateRedis } from "../setup/redis.ts";
import { runHere } from "./in-process.ts";
import { startBot, temporaryFolder } from "./processes.ts";

const server = await privateRedis({ until: afterAll });
const bot = await startBot({ REDIS_URL: server.socketPath, PARLEY_DATA: temporaryFolder(afterAll) }, afterAll);
const redis = new Redis({ path: server.socketPath });
afterAll(() => redis.disconnect());
const pairings = createPairingStore(redis, systemClock);
const pair = (...args: string[]) => runHere(["pair", ...args, "--url", bot.url]);

test("parley pair lists who asks, lets in by code, and makes a stranger of somebody again", async () => {
  expect(await pair()).toMatchObject({ code: 0, err: "Nobody was let in, and nobody asks to be.\n" });
  const ada = parseWorkspaceId("telegram:7");
  const code = (await pairings.ask(ada, "Ada")) ?? "";
  expect((await pair()).out).toMatch(new RegExp(`^CODE +WHO ASKS +NAME +UNTIL\n${code} +telegram:7 +Ada `));
  expect(await pair(code)).toMatchObject({ code: 0, out: "Ada (telegram:7) may talk to the bot now.\n" });
  expect((await pair()).out).toMatch(/^USER +NAME +LET IN BY +AT\ntelegram:7 +Ada +an administrator /);
  expect(JSON.parse((await pair("--json")).out)).toMatchObject({ data: [{ user_id: "telegram:7" }], pending: [] });
  expect(await pair("--remove", "telegram:7")).toMatchObject({ code: 0 });
  expect(await pairings.isPaired(ada)).toBe(false);
  expect(await pair("--remove", "telegram:7")).toMatchObject({
    code: 1,
    err: expect.stringContaining("was not let in"),
  });
});

test("a code that nobody has is refused with what may be wrong", async () => {
  expect(await pair("AAAAAAAA")).toMatchObject({
    code: 1,
    err: expect.stringContaining("mistyped or older than an hour"),
  });
});
