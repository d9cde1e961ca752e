/** Does the work of one key one after the other, whatever became of what was before; other keys do not wait. */
export type Order = (key: string, work: () => Promise<void>) => Promise<void>;

/** Creates an order that forgets a key when nothing of it is left. */
export function createOrder(): Order {
  const last = new Map<string, Promise<void>>();
  return async (key, work) => {
    const before = last.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    last.set(key, mine);
    try {
      await mine;
    } finally {
      if (last.get(key) === mine) last.delete(key);
    }
  };
}
