import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { testRedis } from "../../test/setup/redis.ts";
import { parseWorkspaceId } from "../kernel/ids.ts";
import { openLinkSigner } from "./artifact-links.ts";

const ADA = parseWorkspaceId("slack:ädá");
const HOUR = 3_600_000;

let redis: Redis;
let now: number;

beforeAll(async () => {
  redis = new Redis(await testRedis());
});
afterAll(() => redis.disconnect());
beforeEach(async () => {
  now = 1_000 * HOUR;
  await redis.flushdb();
});

const open = () => openLinkSigner(redis, { lifetimeMs: () => HOUR, clock: { now: () => now } });

test("a token names the person, in every process", async () => {
  const token = (await open()).sign(ADA, "art_1");
  expect(token).toMatch(/^[\w.-]+$/);
  expect((await open()).verify(token, "art_1")).toBe(ADA);
});

test("a token is for one artifact alone", async () => {
  expect((await open()).verify((await open()).sign(ADA, "art_1"), "art_2")).toBeUndefined();
});

test("a token ends between one and two lifetimes, and is the same while it is young", async () => {
  const token = (await open()).sign(ADA, "art_1");
  now += HOUR - 1;
  expect((await open()).sign(ADA, "art_1")).toBe(token);
  expect((await open()).verify(token, "art_1")).toBe(ADA);
  now += HOUR;
  expect((await open()).verify(token, "art_1")).toBe(ADA);
  now += 1;
  expect((await open()).verify(token, "art_1")).toBeUndefined();
});

test("no changed token is taken", async () => {
  const token = (await open()).sign(ADA, "art_1");
  const [ends = "", workspace = "", mac = ""] = token.split(".");
  const bob = Buffer.from("bob").toString("base64url");
  const later = (Number.parseInt(ends, 36) + 1).toString(36);
  const changed = [
    "",
    "x",
    "..",
    `${later}.${workspace}.${mac}`,
    `${ends}.${bob}.${mac}`,
    `${ends}.${workspace}.${"A".repeat(43)}`,
    `${ends}.${workspace}.${mac.slice(1)}`,
    `${token}x`,
    "x".repeat(100_000),
  ];
  for (const each of changed) expect((await open()).verify(each, "art_1")).toBeUndefined();
});

test("another secret ends all links", async () => {
  const token = (await open()).sign(ADA, "art_1");
  await redis.del("parley:link-key");
  expect((await open()).verify(token, "art_1")).toBeUndefined();
});
