// @ts-check

/**
 * How long to wait before the next try, in milliseconds: longer with every failure, up to `most`, and never quite the
 * same, so that many pages do not come back at once.
 * @param {number} failures how many tries failed so far, from 1
 * @param {{ first: number, most: number }} limits
 * @param {number} chance between 0 and 1
 */
export function backoffMs(failures, { first, most }, chance) {
  const full = Math.min(most, first * 2 ** Math.min(failures - 1, 20));
  return Math.round(full * (0.75 + 0.25 * chance));
}
