import { Redis } from "ioredis";
import { parseConversationId, parseWorkspaceId } from "../src/kernel/ids.ts";
import { silentLog } from "../src/kernel/ports.ts";
import { packDefinition, type Definition } from "../src/schedule/definition.ts";
import { createOccurrences } from "../src/schedule/occurrences.ts";
import type { Rule } from "../src/schedule/rule.ts";
import { createSweeper } from "../src/schedule/sweeper.ts";
import { createLanes } from "../src/store/lanes.ts";
import { createScheduleStore } from "../src/store/schedules.ts";

const ZONES = ["Europe/Madrid", "America/New_York", "Asia/Kolkata", "UTC"];
const IN_FLIGHT = 500;

/** Schedules as people make them, in a Redis of the benchmark's own, and what fires them. */
export function openSchedulePopulation(socketPath: string) {
  const redis = new Redis({ path: socketPath, maxRetriesPerRequest: null });
  let ids = 0;
  let made = 0;
  const newId = () => `bench${(ids += 1)}`;
  const lanes = createLanes({ redis, partitions: 1, newId });
  const clock: { now: number | undefined } = { now: undefined };
  const store = createScheduleStore({ lanes, now: () => clock.now ?? Date.now() });
  const lateness: number[] = [];
  const sweeper = createSweeper({
    store,
    occurrences: createOccurrences(),
    newId,
    log: silentLog,
    onFired: (_message, lateMs) => lateness.push(lateMs),
  });

  return {
    store,
    sweeper,
    lateness,
    /** Stops the clock of the schedules at an instant. */
    setClock: (at: number) => {
      clock.now = at;
    },

    /** Stores `count` schedules of `count / perPerson` people, all due at `due`. */
    async fill(count: number, perPerson: number, due: number): Promise<void> {
      const end = made + count;
      const fillOne = async () => {
        while (made < end) {
          const index = made;
          made += 1;
          const person = `user-${Math.floor(index / perPerson)}`;
          const owner = parseWorkspaceId(person);
          const conversationId = parseConversationId(`api:${person}`);
          const definition = packDefinition(definitionOf(index, owner, conversationId, due));
          await store.add({ conversationId, owner, definition, due, operation: `o${index}`, most: perPerson });
          // A creation is recognised for two days; nobody makes a million schedules in that time.
          await redis.del(`{p0}schk:o${index}`);
        }
      };
      await Promise.all(Array.from({ length: IN_FLIGHT }, fillOne));
    },

    async close(): Promise<void> {
      await sweeper.stop();
      redis.disconnect();
    },
  };
}

function definitionOf(
  index: number,
  owner: Definition["owner"],
  conversationId: Definition["conversationId"],
  due: number,
): Definition {
  return {
    status: "active",
    rule: ruleOf(index, due),
    zone: ZONES[index % ZONES.length] ?? "UTC",
    catchUp: "once",
    maxLatenessMs: undefined,
    spreadMs: 0,
    createdAt: due,
    owner,
    conversationId,
    description: `Sum up what is new for customer ${index}`,
  };
}

function ruleOf(index: number, due: number): Rule {
  const hour = index % 24;
  const minute = (index * 7) % 60;
  switch (index % 10) {
    case 0:
      return { kind: "once", at: due };
    case 1:
    case 2:
      return { kind: "interval", everyMs: 3_600_000 + (index % 97) * 60_000, anchor: due };
    case 3:
      return { kind: "cron", expression: `${minute} ${hour} * * 1-5` };
    default:
      return { kind: "cron", expression: `${minute} ${hour} * * *` };
  }
}
