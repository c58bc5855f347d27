/** How long to wait before coming back: full jitter, so that ten thousand screens do not come back at once. */

export const BASE_MS = 1_000;
export const CAP_MS = 30_000;

/**
 * @param {number} attempt 0 for the first
 * @param {() => number} [random] in [0, 1)
 * @returns {number} ms
 */
export function delay(attempt, random = Math.random) {
  return random() * Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempt, 16));
}
