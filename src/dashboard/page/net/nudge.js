// @ts-check

/**
 * A wait that can be cut short: whoever retries waits with `wait`, whoever has reason to believe that it will work now
 * calls `now`, which does nothing while nobody waits.
 */
export function createNudge() {
  /** @type {(() => void) | undefined} */
  let wake;
  return {
    now() {
      wake?.();
    },

    /** @param {number} ms @param {AbortSignal} [signal] */
    async wait(ms, signal) {
      if (signal?.aborted === true) return;
      await new Promise((/** @type {(value: void) => void} */ resolve) => {
        const timer = setTimeout(resolve, ms);
        const end = () => {
          clearTimeout(timer);
          resolve();
        };
        wake = end;
        signal?.addEventListener("abort", end, { once: true });
      });
      wake = undefined;
    },
  };
}
