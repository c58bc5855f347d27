/**
 * The server's clock as this page knows it: a monotonic timer plus an offset, the offset taken from the
 * best of the last eight round trips. The device's own date is never believed, only watched: when it and
 * the monotonic timer part, the device slept, and what was measured before is forgotten.
 */

const KEPT = 8;
const SLEPT_MS = 1_000;

export class Clock {
  /**
   * @param {() => number} [timer] ms, monotonic
   * @param {() => number} [date] ms since 1970, the device's
   */
  constructor(timer = () => performance.now(), date = () => Date.now()) {
    this.timer = timer;
    this.date = date;
    /** @type {{trip: number, offset: number}[]} */
    this.trips = [];
    /** Server's clock minus timer that is certain: a message said so when it was sent, so it is later now. */
    this.least = -Infinity;
    /** The device's own word, for as long as nothing better was heard. */
    this.guess = date() - timer();
    this.drift = this.guess;
  }

  /** The server's clock now, ms; the device's own until something was heard. */
  now() {
    return this.timer() + this.offset();
  }

  offset() {
    const best = this.trips.reduce((a, b) => (b.trip < a.trip ? b : a), { trip: Infinity, offset: -Infinity });
    const offset = Math.max(best.offset, this.least);
    return offset === -Infinity ? this.guess : offset;
  }

  /**
   * A question was answered: `server` was read somewhere between the two timer values.
   * @param {number} sent
   * @param {number} got
   * @param {number} server
   */
  trip(sent, got, server) {
    const trip = got - sent;
    if (!(trip >= 0)) return;
    // What this measurement makes impossible is of another time: the server's clock was set.
    const [low, high] = [server - got - SLEPT_MS, server - sent + SLEPT_MS];
    if (this.least > high) this.least = -Infinity;
    this.trips = this.trips.filter(({ offset }) => offset >= low && offset <= high);
    this.trips.push({ trip, offset: server - sent - trip / 2 });
    if (this.trips.length > KEPT) this.trips.shift();
  }

  /**
   * A message said what time it was when it was sent.
   * @param {number} server
   */
  hear(server) {
    this.least = Math.max(this.least, server - this.timer());
  }

  /** Whether the device slept (or its date was set) since the last question. If so, measure again. */
  slept() {
    const drift = this.date() - this.timer();
    const gone = drift - this.drift;
    this.drift = drift;
    if (Math.abs(gone) <= SLEPT_MS) return false;
    this.forget(gone);
    return true;
  }

  /**
   * Believes nothing that was measured before.
   * @param {number} gone ms that the timer missed, as far as the device's date can tell
   */
  forget(gone) {
    // Until the server is heard again, the date's word is the best guess of how long the sleep was.
    this.guess = this.offset() + gone;
    this.trips = [];
    this.least = -Infinity;
  }
}
