import type { Driver } from "./engines/contract.ts";
import type { BenchMessage } from "./workload.ts";

/** Who waits for which answer. */
export interface Answers {
  /** Resolves when this message is answered; ask before it is handed over. */
  of(id: string): Promise<void>;
  /** To be called when a message is answered. */
  readonly heard: (id: string) => void;
}

export function createAnswers(): Answers {
  const waiting = new Map<string, () => void>();
  return {
    of: (id) => new Promise((resolve) => waiting.set(id, resolve)),
    heard(id) {
      waiting.get(id)?.();
      waiting.delete(id);
    },
  };
}

export interface Load {
  readonly seconds: number;
  /** From before a message is handed over until its answer is heard, milliseconds. */
  readonly latenciesMs: readonly number[];
}

/** No load takes longer; one that would is broken, and says so. */
const LOAD_MS = 180_000;

/** Keeps `inFlight` messages under way until `count` are answered. */
export async function closedLoop(
  parts: { readonly driver: Driver; readonly answers: Answers },
  options: { readonly count: number; readonly inFlight: number; readonly message: (number: number) => BenchMessage },
): Promise<Load> {
  const { driver, answers } = parts;
  const latenciesMs: number[] = [];
  let next = 0;
  const person = async () => {
    while (next < options.count) {
      const message = options.message(next++);
      const startedAt = performance.now();
      const answered = answers.of(message.id);
      await driver.admit(message);
      await answered;
      latenciesMs.push(performance.now() - startedAt);
    }
  };
  const startedAt = performance.now();
  await within(LOAD_MS, `${options.count} answers`, Promise.all(Array.from({ length: options.inFlight }, person)));
  return { seconds: (performance.now() - startedAt) / 1000, latenciesMs };
}

/** Hands over `count` messages that nobody answers yet; `answered` holds when each of them is, as `performance.now()`. */
export async function fillQueue(
  parts: { readonly driver: Driver; readonly answers: Answers },
  options: { readonly count: number; readonly message: (number: number) => BenchMessage },
): Promise<{ readonly answered: Promise<readonly number[]> }> {
  const { driver, answers } = parts;
  const messages = Array.from({ length: options.count }, (_, number) => options.message(number));
  const answered = messages.map(({ id }) => answers.of(id).then(() => performance.now()));
  let next = 0;
  const hand = async () => {
    for (let message = messages[next++]; message !== undefined; message = messages[next++]) await driver.admit(message);
  };
  await Promise.all(Array.from({ length: 64 }, hand));
  return { answered: within(LOAD_MS, `a queue of ${options.count}`, Promise.all(answered)) };
}

/** Gives up on a promise after a while, naming what was waited for. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms / 1000} s for ${what}, in vain`)), ms);
    // What nobody waits for any more must not keep the process.
    timer.unref();
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
