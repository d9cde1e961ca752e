import type { Redis } from "ioredis";

/** The process is gone: nothing it wanted to do afterwards happens. */
export class Died extends Error {
  override readonly name = "Died";
}

/** What happens around the scripts a process runs; they are counted from 0. */
export interface Faults {
  readonly before?: (at: number) => Promise<void> | void;
  readonly after?: (at: number) => Promise<void> | void;
  /** Every script is sent again, as when the reply to it was lost. */
  readonly twice?: boolean;
}

/**
 * One process' connection with faults at chosen moments; Redis and what it does are real. The scripts have to be known to
 * the server already: only running them counts.
 */
export function faulty(redis: Redis, { before, after, twice = false }: Faults): Redis {
  let count = 0;
  return new Proxy(redis, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      if (property !== "evalsha") return (...args: unknown[]): unknown => Reflect.apply(value, target, args);
      return async (...args: unknown[]): Promise<unknown> => {
        const at = count++;
        await before?.(at);
        if (twice) await Reflect.apply(value, target, args);
        const reply: unknown = await Reflect.apply(value, target, args);
        await after?.(at);
        return reply;
      };
    },
  });
}

/** Dies around script number `at`: before Redis sees it, or after it was done and before anybody knows. */
export function dieAround(at: number, moment: "before" | "after"): Faults {
  const die = (from: number) => (now: number) => {
    if (now >= from) throw new Died(`died ${moment} script ${at}`);
  };
  return moment === "before" ? { before: die(at) } : { before: die(at + 1), after: die(at) };
}
