import type { Door } from "./agent/door-contract.ts";
import { lastRun } from "./agent/door.ts";
import type { Config } from "./config/schema.ts";
import type { Role } from "./engine/worker.ts";
import type { WorkspaceId } from "./kernel/ids.ts";
import type { Clock, Log, NewId } from "./kernel/ports.ts";
import { createScheduleCommand } from "./schedule/command.ts";
import { createOccurrences } from "./schedule/occurrences.ts";
import { createOutcomeHandler } from "./schedule/outcomes.ts";
import { createSchedules, type ScheduleNews } from "./schedule/service.ts";
import { createSweeper } from "./schedule/sweeper.ts";
import { findZone } from "./schedule/zones.ts";
import type { ConversationStore } from "./store/conversations.ts";
import type { Lanes } from "./store/lanes.ts";
import type { MemoryStore } from "./store/memory.ts";
import { createScheduleStore } from "./store/schedules.ts";

/** Under which of these a person's zone is remembered. */
const ZONE_KEYS = ["time_zone", "timezone", "time zone", "tz"];
const OUTCOME_CONCURRENCY = 32;

/** The schedules of an installation put together: what people do with them, what fires them, what follows a fire. */
export function openSchedules(options: {
  readonly lanes: Lanes;
  readonly conversations: ConversationStore;
  readonly memory: MemoryStore;
  readonly door: () => Door;
  readonly config: () => Pick<Config, "schedules">;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
  readonly onChange?: (change: ScheduleNews) => void;
}) {
  const { lanes, conversations, memory, door, clock, newId, log } = options;
  const store = createScheduleStore({ lanes });
  const occurrences = createOccurrences();

  async function zoneOf(owner: WorkspaceId): Promise<string | undefined> {
    const { entries } = await memory.list(owner);
    for (const key of ZONE_KEYS) {
      const found = entries.find((entry) => entry.key.toLowerCase() === key);
      const zone = found === undefined ? undefined : findZone(found.value.trim());
      if (zone !== undefined) return zone;
    }
    return undefined;
  }

  const schedules = createSchedules({
    store,
    occurrences,
    clock,
    zones: {
      find: zoneOf,
      set: (owner, zone) => memory.set(owner, { key: "time_zone", value: zone, at: clock.now() }),
    },
    touch: (conversation, owner, at) => conversations.touch(conversation, owner, at),
    admit: (message) => door().admit(message),
    messageStatus: (conversation, id) => door().messageStatus(conversation, id),
    tokensOf: async (conversation, runs) => {
      const views = await Promise.all(runs.map((run) => door().run(run as Parameters<Door["run"]>[0])));
      const found = views.filter((each) => each !== undefined);
      const last = found.length === 0 ? await lastRun(conversation, { lanes }) : undefined;
      return [...found, ...(last === undefined ? [] : [last])].map((run) => run.inputTokens + run.outputTokens);
    },
    ...(options.onChange === undefined ? {} : { onChange: options.onChange }),
    limits: () => {
      const { max_per_person, min_interval_s } = options.config().schedules;
      return { maxPerPerson: max_per_person, minIntervalMs: min_interval_s * 1000 };
    },
  });

  const role: Role = {
    handler: createOutcomeHandler({
      store,
      touch: (conversation, owner, at) => conversations.touch(conversation, owner, at),
      clock,
      log,
    }),
    concurrency: OUTCOME_CONCURRENCY,
  };

  return {
    schedules,
    command: createScheduleCommand({ schedules, clock }),
    role,
    zoneOf,
    /** Makes what fires schedules in this process; the caller starts and stops it. */
    createSweeper: (onFired?: Parameters<typeof createSweeper>[0]["onFired"]) =>
      createSweeper({ store, occurrences, newId, log, ...(onFired === undefined ? {} : { onFired }) }),
  };
}
