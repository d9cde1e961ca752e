import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { parseLines } from "../../src/engine/journal.ts";
import { laneId, parseConversationId, parseWorkspaceId } from "../../src/kernel/ids.ts";
import { packDefinition, type Definition } from "../../src/schedule/definition.ts";
import { createLanes } from "../../src/store/lanes.ts";
import { createScheduleStore } from "../../src/store/schedules.ts";
import { privateRedis } from "../setup/redis.ts";

const PROGRAM = join(import.meta.dirname, "programs/scheduler.ts");
const SCHEDULES = 500;
const SECONDS = 60;
const SECOND = 1_000;

test("500 schedules every second for a minute, over three processes that are killed at random: each slot runs once", async () => {
  const server = await privateRedis();
  const redis = new Redis({ path: server.socketPath });
  onTestFinished(() => redis.disconnect());
  const lanes = createLanes({ redis, partitions: 2, newId: randomUUID });
  const store = createScheduleStore({ lanes });
  const children = await Promise.all([1, 2, 3].map(() => start(server.socketPath)));

  const first = Math.ceil((Date.now() + 3 * SECOND) / SECOND) * SECOND;
  const people = Array.from({ length: SCHEDULES }, (_, index) => parseWorkspaceId(`person-${index}`));
  const made = await Promise.all(
    people.map(async (owner) => {
      const conversationId = parseConversationId(`api:${owner}`);
      const definition: Definition = {
        status: "active",
        rule: { kind: "interval", everyMs: SECOND, anchor: first - SECOND },
        zone: "UTC",
        catchUp: "once",
        maxLatenessMs: undefined,
        spreadMs: 0,
        createdAt: first,
        owner,
        conversationId,
        description: "tick",
      };
      const given = { conversationId, owner, definition: packDefinition(definition), most: 1 };
      const id = await store.add({ ...given, due: first, operation: owner });
      if (id === "full") throw new Error("nobody has a schedule yet");
      return { id, owner, conversationId, definition };
    }),
  );
  expect(Date.now()).toBeLessThan(first);

  let kills = 0;
  const end = first + SECONDS * SECOND;
  while (Date.now() < end) {
    // The moment of the blow is the point of the test.
    await wait(2_000 + Math.random() * 2_500);
    const victim = Math.floor(Math.random() * children.length);
    children[victim]?.kill("SIGKILL");
    children[victim] = await start(server.socketPath);
    kills += 1;
  }
  await Promise.all(
    made.map(async ({ id, owner, definition }) => {
      const stored = await store.find(id);
      if (stored === undefined) throw new Error(`schedule ${id} is gone`);
      const paused = { definition: packDefinition({ ...definition, status: "paused" }), due: undefined };
      expect(await store.change(stored, owner, paused)).toBe("changed");
    }),
  );
  await expect
    .poll(async () => (await Promise.all([0, 1].map((each) => lanes.active(each)))).map(({ size }) => size), {
      timeout: 60_000,
    })
    .toEqual([0, 0]);

  let ran = 0;
  for (const { id, conversationId } of made) {
    const entries = parseLines(await lanes.readJournal(laneId("chat", conversationId)));
    const opened = entries.flatMap((entry) => (entry.kind === "opened" ? [entry] : []));
    const slots = opened.map(({ id: messageId, message }) => {
      const [source, schedule, slot] = messageId.split(":");
      expect([source, schedule]).toEqual(["sched", id]);
      expect((message as { at: number }).at).toBeGreaterThanOrEqual(Number(slot));
      return Number(slot);
    });
    expect(entries.filter(({ kind }) => kind === "ended")).toHaveLength(slots.length);
    // Without a gap, in order, none twice.
    expect(slots).toEqual(slots.map((_, index) => first + index * SECOND));
    expect(slots.length).toBeGreaterThanOrEqual(SECONDS - 1);
    ran += slots.length;
  }
  expect(kills).toBeGreaterThan(5);
  expect(ran).toBeGreaterThanOrEqual(SCHEDULES * (SECONDS - 1));
});

async function start(socketPath: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify({ socketPath })], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}
