import type { Redis } from "ioredis";

/** The process is gone: nothing after this happens in it. */
export class Died extends Error {
  override readonly name = "Died";
}

/** Called around every script a process runs, with its position from 0. */
export interface Faults {
  before?(at: number): Promise<void> | void;
  after?(at: number): Promise<void> | void;
  /** Scripts are sent again as if their first reply had been lost. */
  readonly twice?: boolean;
}

/** The connection of one process, with faults at chosen moments. Redis and what it does are real. */
export function faulty(redis: Redis, faults: Faults): Redis {
  let count = 0;
  const run = async (call: () => Promise<unknown>): Promise<unknown> => {
    const at = count++;
    await faults.before?.(at);
    if (faults.twice === true) await call();
    const reply = await call();
    await faults.after?.(at);
    return reply;
  };
  return new Proxy(redis, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      const method = (...args: unknown[]): unknown => Reflect.apply(value, target, args);
      if (property !== "evalsha") return method;
      return (...args: unknown[]) =>
        run(async () => {
          try {
            return await method(...args);
          } catch (error) {
            // The first run of a script on this server; the fault is about the transition, not about its text.
            if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
            const { lua } = findScript(String(args[0]));
            return Reflect.apply(target.eval.bind(target), target, [lua, ...args.slice(1)]);
          }
        });
    },
  });
}
