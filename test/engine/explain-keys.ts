import type { Redis } from "ioredis";
import { parseLaneState, workerOf, type LaneState } from "../../src/store/lane-state.ts";
import type { LaneId } from "../../src/kernel/ids.ts";

/**
 * Looks at every key of the database and returns a sentence for each that nobody owns or that has no end, and for every
 * lane that nobody would ever take up again. Nothing may be going on meanwhile.
 */
export async function explainKeys(redis: Redis): Promise<string[]> {
  const found = await readAll(redis);
  const complaints: string[] = [];
  const complain = (key: string, why: string) => complaints.push(`${key} ${why}`);
  for (const [key, { value, ttl }] of found) {
    const [, tag = "", family = "", rest = ""] = /^(\{p\d+\})(\w+)(?::(.*))?$/s.exec(key) ?? [];
    const at = (name: string) => found.get(`${tag}${name}`)?.value;
    const states = new Map(
      Object.entries((at("own") ?? {}) as Record<string, string>).map(([lane, text]) => [lane, parseLaneState(text)]),
    );
    switch (family) {
      case "own":
        for (const [lane, state] of states) for (const why of lostLane(lane as LaneId, state, at)) complain(lane, why);
        break;
      case "workers":
        break;
      case "ready":
        if (at(`bell:${rest}`) === undefined) complain(key, "waits for somebody whom no bell wakes");
        break;
      case "bell":
        if ((value as string[]).length > 1) complain(key, "rings more than once");
        break;
      case "delay":
        for (const lane of value as string[])
          if (states.get(lane)?.kind !== "parked") complain(key, `would wake ${lane}, which does not wait`);
        break;
      case "cold":
        for (const lane of value as string[])
          if (at(`c:${lane}`) === undefined && !states.has(lane)) complain(key, `holds ${lane}, which has no journal`);
        break;
      case "rest":
        for (const lane of value as string[])
          if (at(`a:${lane}`) === undefined) complain(key, `holds ${lane}, which has no archive`);
        break;
      case "w":
        if (!((at("workers") ?? []) as string[]).includes(rest)) complain(key, "belongs to no registered worker");
        break;
      case "q":
        if (!states.has(rest)) complain(key, "waits in a lane that is idle");
        break;
      case "j":
        if (![...states.values()].some((state) => state.kind === "run" && state.token === rest))
          complain(key, "is owned by a run that is over");
        break;
      case "c": {
        const lane = rest;
        const state = states.get(lane);
        if (state?.kind === "run") complain(key, "lies beside the journal that a run has");
        else if (
          (state === undefined || state.kind === "ready") &&
          ttl < 0 &&
          !((at("cold") ?? []) as string[]).includes(lane)
        )
          complain(key, "never ends");
        break;
      }
      case "a":
      case "m":
      case "r":
      case "t":
      case "dead":
        if (ttl < 0) complain(key, "never ends");
        break;
      case "sched":
      case "schn":
      case "schx":
      case "schd":
      case "schf":
      case "scho":
        break;
      case "schk":
      case "schl":
      case "schs":
        if (ttl < 0) complain(key, "never ends");
        break;
      default:
        complain(key, "is of no family");
    }
  }
  return complaints;
}

/** Why nobody would take a lane up again. */
function lostLane(lane: LaneId, state: LaneState, at: (name: string) => unknown): string[] {
  const why: string[] = [];
  const inLine = ((at(`ready:${lane.slice(0, lane.indexOf("/"))}`) ?? []) as string[]).includes(lane);
  switch (state.kind) {
    case "idle":
      break;
    case "ready":
      if (!inLine) why.push("is ready and in no line");
      break;
    case "resume":
      if (!inLine) why.push("is to be resumed and in no line");
      if (at(`c:${lane}`) === undefined) why.push("is to be resumed and has no journal");
      break;
    case "parked":
      if (at(`c:${lane}`) === undefined) why.push("is parked and has no journal");
      if (!state.mail && state.key === "" && !((at("delay") ?? []) as string[]).includes(lane))
        why.push("is parked and nothing wakes it");
      break;
    case "run": {
      const worker = workerOf(state.token);
      if (!((at("workers") ?? []) as string[]).includes(worker))
        why.push(`is run by ${worker}, which is not registered`);
      if (at(`j:${state.token}`) === undefined) why.push("is run without a journal");
      break;
    }
  }
  return why;
}

interface Found {
  readonly value: unknown;
  readonly ttl: number;
}

async function readAll(redis: Redis): Promise<ReadonlyMap<string, Found>> {
  const keys = await redis.keys("*");
  const found = await Promise.all(
    keys.map(async (key): Promise<[string, Found]> => {
      const [type, ttl] = await Promise.all([redis.type(key), redis.pttl(key)]);
      switch (type) {
        case "list":
          return [key, { ttl, value: await redis.lrange(key, 0, -1) }];
        case "hash":
          return [key, { ttl, value: await redis.hgetall(key) }];
        case "zset":
          return [key, { ttl, value: await redis.zrange(key, 0, "-1") }];
        default:
          return [key, { ttl, value: type }];
      }
    }),
  );
  return new Map(found);
}
