import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { z } from "zod";
import { laneId, parseConversationId, parseWorkspaceId } from "../../src/kernel/ids.ts";
import { silentLog } from "../../src/kernel/ports.ts";
import type { ScheduleRequest } from "../../src/kernel/schedules.ts";
import { createOccurrences } from "../../src/schedule/occurrences.ts";
import { createSchedules, type ScheduleParts } from "../../src/schedule/service.ts";
import { createSweeper } from "../../src/schedule/sweeper.ts";
import { createLanes } from "../../src/store/lanes.ts";
import { contentOf } from "../../src/store/mail.ts";
import { createScheduleStore } from "../../src/store/schedules.ts";

const messageSchema = z.object({ id: z.string(), text: z.string(), workspaceId: z.string() });

/** Schedules on a real Redis under a clock that the test moves; nobody takes the messages they put. */
export function openScheduleLab(
  database: { readonly path: string; readonly db: number },
  options: { readonly start?: string; readonly maxWaiting?: number; readonly limits?: ScheduleParts["limits"] } = {},
) {
  const redis = new Redis(database);
  const newId = () => randomUUID().replaceAll("-", "");
  const lanes = createLanes({ redis, partitions: 2, newId, limits: { maxWaiting: options.maxWaiting ?? 1000 } });
  const clock = { at: Date.parse(options.start ?? "2026-11-25T10:00:00Z") };
  const store = createScheduleStore({ lanes, now: () => clock.at });
  const occurrences = createOccurrences();
  const zones = new Map<string, string>();
  const admitted: string[] = [];
  const schedules = createSchedules({
    store,
    occurrences,
    clock: { now: () => clock.at, monotonic: () => clock.at },
    zones: {
      find: (owner) => Promise.resolve(zones.get(owner)),
      set: (owner, zone) => Promise.resolve(void zones.set(owner, zone)),
    },
    touch: () => Promise.resolve(),
    admit: (message) => Promise.resolve(admitted.push(message.text)),
    messageStatus: () => Promise.resolve(undefined),
    tokensOf: () => Promise.resolve([]),
    limits: options.limits ?? (() => ({ maxPerPerson: 1000, minIntervalMs: 1000 })),
  });
  let people = 0;

  return {
    redis,
    lanes,
    store,
    schedules,
    admitted,
    /** Sets the clock of Redis and of everybody else. */
    set: (at: string | number) => {
      clock.at = typeof at === "number" ? at : Date.parse(at);
    },
    pass: (ms: number) => {
      clock.at += ms;
    },
    now: () => clock.at,
    sweeper: () => createSweeper({ store, occurrences, newId, log: silentLog }),
    /** A person whom no other test knows. */
    person() {
      people += 1;
      return parseWorkspaceId(`person-${people}`);
    },
    add(owner: ReturnType<typeof parseWorkspaceId>, when: string, more: Partial<ScheduleRequest> = {}) {
      const conversationId = parseConversationId(`api:${owner}`);
      return schedules.add({
        owner,
        conversationId,
        when,
        zone: "UTC",
        description: "do it",
        operation: newId(),
        ...more,
      });
    },
    /** The messages that wait for a person's agent, in order. */
    async waiting(owner: string) {
      const mails = await lanes.waiting(laneId("chat", `api:${owner}`));
      return mails.map((mail) => messageSchema.parse(contentOf(mail)));
    },
    /** The planned instants of the messages that wait. */
    async slots(owner: string) {
      return (await this.waiting(owner)).map(({ id }) => new Date(Number(id.split(":")[2])).toISOString());
    },
  };
}
