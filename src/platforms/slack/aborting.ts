import { OutsideError } from "../../kernel/errors.ts";

/** The result of `work`, unless `signal` aborts before: then nobody waits for it and this throws, with `what` as its message. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined, what: string): Promise<T> {
  if (signal === undefined) return await work;
  const gone = Promise.withResolvers<never>();
  const abort = () => {
    gone.reject(new OutsideError(what, { code: "timeout", retry: { kind: "after" } }));
  };
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  work.catch(() => {});
  try {
    return await Promise.race([work, gone.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Resolves after `ms`, or at once when `signal` aborts. Keeps no process alive. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const end = () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
    resolve(undefined);
  };
  const timer = setTimeout(end, ms);
  timer.unref();
  signal?.addEventListener("abort", end, { once: true });
  if (signal?.aborted === true) end();
  return promise;
}
