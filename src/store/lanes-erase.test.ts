import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, expect, test } from "vitest";
import { parseMessageId, type LaneId } from "../kernel/ids.ts";
import { testRedis } from "../../test/setup/redis.ts";
import { createLanes } from "./lanes.ts";

const redis = new Redis(await testRedis());
afterAll(() => redis.disconnect());
const newId = () => randomUUID().replaceAll("-", "");
const lanes = createLanes({ redis, partitions: 1, newId });
const mail = (id: string) => ({ id: parseMessageId(id), mode: "alone" as const, body: `{"id":"${id}"}` });
const keysOf = async (lane: string) => (await redis.keys("*")).filter((key) => key.includes(lane)).toSorted();

let token = 0;

async function running(name: string) {
  const lane = `chat/${name}` as LaneId;
  await lanes.beat(0, "w1", true);
  await lanes.admit(lane, mail(`${name}-1`));
  const claims = await lanes.claim(0, "w1", (token += 1), { kind: "chat", room: 1 });
  const [claim] = claims === "gone" ? [] : claims;
  if (claim === undefined) throw new Error("nothing was claimed");
  return { lane, claim };
}

test("erasing ends a run, whoever holds it, and leaves nothing of the lane but the marks of its messages", async () => {
  const { lane, claim } = await running("one");
  await lanes.admit(lane, mail("one-2"));
  const read = { runId: claim.runId, lines: 1, waiting: 1 };
  expect(await lanes.erase(lane, read, {})).toBe("erased");
  expect(await keysOf("one")).toEqual(["{p0}m:one one-1", "{p0}m:one one-2"]);
  expect(await lanes.append(lane, claim.token, "=late")).toBe(false);
  expect(await lanes.look(lane)).toEqual({ kind: "idle" });
  expect([...(await lanes.held(0, "w1")).keys()]).not.toContain(claim.token);
  // The reply was lost and the command is sent again.
  expect(await lanes.erase(lane, read, {})).toBe("changed");
});

test.each([
  { what: "another run", change: { runId: "other" as never } },
  { what: "a line came", change: { lines: 0 } },
  { what: "a message came", change: { waiting: 1 } },
])("nothing is erased when it is not as it was read: $what", async ({ change }) => {
  const { lane, claim } = await running(`kept-${newId()}`);
  expect(await lanes.erase(lane, { runId: claim.runId, lines: 1, waiting: 0, ...change }, {})).toBe("changed");
  expect(await lanes.append(lane, claim.token, "=on time")).toBe(true);
});

test("a message that comes after the erasure finds the lane free", async () => {
  const { lane, claim } = await running("again");
  await lanes.erase(lane, { runId: claim.runId, lines: 1, waiting: 0 }, {});
  expect((await lanes.admit(lane, mail("again-2"))).status).toBe("started");
  const claims = await lanes.claim(0, "w1", (token += 1), { kind: "chat", room: 1 });
  expect(claims).toMatchObject([{ lane, linesBefore: 0 }]);
});

test("rewriting is refused while a run owns the lane or when it was used since", async () => {
  const { lane, claim } = await running("rewrite");
  const lines = ["#one", "#two", "#three"];
  expect(await lanes.rewrite(lane, { length: 1, last: claim.opening.join() }, lines, undefined)).toBe("busy");
  await lanes.finish({ lane, token: claim.token, journal: "keep", lines: [".end"] });
  expect(await lanes.rewrite(lane, { length: 1, last: claim.opening.join() }, lines, undefined)).toBe("changed");
  expect(await lanes.rewrite(lane, { length: 2, last: "other" }, lines, undefined)).toBe("changed");
  expect(await lanes.rewrite(lane, { length: 2, last: ".end" }, lines, Buffer.from("old"))).toBe("rewritten");
  expect(await lanes.readJournal(lane)).toEqual(lines);
  // The reply was lost and the command is sent again.
  expect(await lanes.rewrite(lane, { length: 2, last: ".end" }, lines, undefined)).toBe("changed");
  expect(await lanes.coldLanes(0, Date.now() + 1e9, 100)).toContain(lane);
});

test("a lane that rests, all of it in its archive, can be rewritten, and is compacted again", async () => {
  const { lane, claim } = await running("resting");
  await lanes.finish({ lane, token: claim.token, journal: "keep", lines: [".end"] });
  expect(await lanes.compact(lane, { length: 2, last: ".end" }, 2, Buffer.from("packed"))).toBe(true);
  expect(await lanes.rewrite(lane, { length: 0, last: "" }, ["#note"], Buffer.from("other"))).toBe("rewritten");
  // A packer that read it before finds it changed.
  expect(await lanes.repack(lane, { length: 0, last: "" }, Buffer.from("packed"))).toBe(false);
  expect((await lanes.readArchive(lane))?.toString()).toBe("other");
  expect(await redis.pttl("{p0}a:chat/resting")).toBeGreaterThan(0);
  expect(await lanes.coldLanes(0, Date.now() + 1e9, 100)).toContain(lane);
});
