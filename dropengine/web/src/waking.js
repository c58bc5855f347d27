/**
 * What spends or gives up sleeps for its first second: a finger that was on its way to what stood there before
 * must not pay, leave or give back. What begins something (hold, take, join) never sleeps.
 */

export const SLEEP_MS = 1_000;

export class Waking {
  /**
   * @param {() => void} wake called when something has slept long enough
   * @param {() => number} [timer] ms, monotonic
   */
  constructor(wake, timer = () => performance.now()) {
    this.wake = wake;
    this.timer = timer;
    /** @type {Map<string, number>} since when each can be seen */
    this.since = new Map();
    /** @type {Set<string>} */
    this.seen = new Set();
  }

  /**
   * Whether this still sleeps; call it for everything that sleeps, each time it is shown.
   * @param {string} name
   */
  asleep(name) {
    this.seen.add(name);
    const now = this.timer();
    const since = this.since.get(name);
    if (since === undefined) {
      this.since.set(name, now);
      setTimeout(this.wake, SLEEP_MS + 1);
      return true;
    }
    return now - since < SLEEP_MS;
  }

  /** Everything is shown: what is not there any more will sleep again. */
  shown() {
    for (const name of this.since.keys()) if (!this.seen.has(name)) this.since.delete(name);
    this.seen.clear();
  }
}
