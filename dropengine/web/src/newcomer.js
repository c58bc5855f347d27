/**
 * A page that was shown to a watcher, because too many people came from one network at once, asks for its ticket
 * again by itself. The ticket is a cookie that no script can read: an answer that names no time to come back
 * brought it.
 */

import { delay } from "./backoff.js";

/** Not again before this, whatever was said: a page costs more than a message. */
export const LEAST_MS = 1_000;

/**
 * @param {string} page its own address
 * @param {(page: string, how: RequestInit) => Promise<Response>} [ask]
 * @param {(ms: number) => Promise<unknown>} [pause]
 * @returns {Promise<void>} ends when there is a ticket
 */
export async function ticket(page, ask = fetch, pause = (ms) => new Promise((done) => setTimeout(done, ms))) {
  let least = LEAST_MS;
  for (let attempt = 0; ; attempt += 1) {
    await pause(least + delay(attempt));
    try {
      const answer = await ask(page, { cache: "no-store", credentials: "same-origin" });
      const retry = answer.headers.get("retry-after");
      if (answer.ok && retry === null) return;
      least = Math.max(LEAST_MS, 1_000 * (Number(retry) || 0));
    } catch {
      // Nobody answered: asked again like everything else.
    }
  }
}
