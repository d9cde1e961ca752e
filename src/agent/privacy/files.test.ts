import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testRedis } from "../../../test/setup/redis.ts";
import { shelves } from "../../../test/setup/shelves.ts";
import { parseConversationId, parseMessageId, parseWorkspaceId } from "../../kernel/ids.ts";
import { createFileData } from "./files.ts";

const ADA = parseWorkspaceId("ada");
const BOB = parseWorkspaceId("bob");
let redis: Redis;
beforeAll(async () => {
  redis = new Redis(await testRedis());
});
afterAll(() => redis.disconnect());

test("a person's files are exported by name, counted, and deleted with uploads and results, nobody else's", async () => {
  const kept = shelves(redis);
  const data = createFileData(kept);
  for (const person of [ADA, BOB]) {
    await kept.artifacts.create(person, { key: "k", name: "a.txt", content: Buffer.from("x") });
    await kept.results.keep(person, { key: "k", text: "long" });
    await kept.uploads.keep(person, {
      conversationId: parseConversationId("c"),
      messageId: parseMessageId("m"),
      index: 0,
      content: Buffer.from("x"),
    });
  }
  expect(await data.collect(ADA)).toMatchObject([{ name: "a.txt", media_type: "text/plain", bytes: 1 }]);
  expect(await data.count({ persons: [ADA], by: "person" })).toEqual({ files: 1 });
  await data.erase({ persons: [ADA], by: "person" });
  expect(await redis.keys("{ws:ada}*")).toEqual([]);
  expect(await redis.keys("{ws:bob}*")).toHaveLength(6);
});
