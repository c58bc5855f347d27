/**
 * Numbers as people read them: money, moments, how long is left, which numbers of an edition.
 *
 * @import {DropView} from "./wire.js"
 */

import * as say from "#said";
import { fill, number } from "./sentences.js";

export { number };

const SECOND = 1_000;
/** Currencies whose sign everybody reads alike; the others are written by their code. */
const SIGNS = ["EUR", "GBP", "JPY", "USD"];

/**
 * Making a format costs a hundred times what using it does, and every tick uses some.
 * @template {unknown[]} K
 * @template V
 * @param {(...key: K) => V} make
 * @returns {(...key: K) => V}
 */
function once(make) {
  const made = /** @type {Map<string, V>} */ (new Map());
  return (...key) => {
    const name = key.join();
    const known = made.get(name) ?? make(...key);
    made.set(name, known);
    return known;
  };
}

const sums = once((/** @type {string} */ currency, /** @type {number} */ digits) => {
  const sign = /** @type {"symbol" | "code"} */ (SIGNS.includes(currency) ? "symbol" : "code");
  const style = { style: /** @type {const} */ ("currency"), currency, currencyDisplay: sign };
  return new Intl.NumberFormat(say.language, { ...style, minimumFractionDigits: digits, maximumFractionDigits: digits });
});

/**
 * @param {number} amount minor units
 * @param {DropView} drop
 */
export const money = (amount, { currency, minor_digits }) => sums(currency, minor_digits).format(amount / 10 ** minor_digits);

/**
 * What is left, as a clock: `04:59`, `1:04:59`, `2 d 01:04:59`. Counts down to exactly nothing at the deadline.
 * @param {number} ms
 */
export function left(ms) {
  const all = Math.max(0, Math.ceil(ms / SECOND));
  const [days, hours, minutes, seconds] = [Math.floor(all / 86_400), Math.floor(all / 3_600) % 24, Math.floor(all / 60) % 60, all % 60];
  const two = (/** @type {number} */ part) => String(part).padStart(2, "0");
  if (days > 0) return fill(say.days_left, { days, clock: `${two(hours)}:${two(minutes)}:${two(seconds)}` });
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${two(minutes)}:${two(seconds)}`;
}

/**
 * How long, as a person says it: `8 minutes`, `90 seconds`.
 * @param {number} ms
 */
export function span(ms) {
  const seconds = Math.round(ms / SECOND);
  if (seconds > 0 && seconds % 3_600 === 0) return fill(say.hours, { count: seconds / 3_600 });
  return seconds > 0 && seconds % 60 === 0 ? fill(say.minutes, { count: seconds / 60 }) : fill(say.seconds, { count: seconds });
}

/** Months before days and hours to twelve, for readers of English who write dates so. */
const HERE_US = say.language === "en" && us(globalThis.navigator?.language);

/** Whether a reader of this language tag writes dates as in the United States. @param {string | undefined} tag */
export function us(tag) {
  return tag === "en" || tag === "en-US";
}

const clocks = once((/** @type {string | undefined} */ zone, /** @type {boolean} */ american) => {
  /** @type {Intl.DateTimeFormatOptions} */
  const parts = { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: american ? "numeric" : "2-digit", minute: "2-digit", second: "2-digit", hourCycle: american ? "h12" : "h23", timeZoneName: "shortOffset" };
  return new Intl.DateTimeFormat(say.language, { ...parts, ...(known(zone) ? { timeZone: zone } : {}) });
});

/**
 * The parts of a moment as clocks in a zone show it.
 * @param {number} ms
 * @param {string} [zone] IANA; the reader's when left out or unknown
 * @param {boolean} [american]
 */
function clock(ms, zone, american = HERE_US) {
  const read = clocks(zone, american).formatToParts(ms);
  /** @type {Record<string, string>} */
  const said = Object.fromEntries(read.map((part) => [part.type, part.value]));
  const { weekday = "", day = "", month = "", year = "", hour, minute, second, dayPeriod, timeZoneName } = said;
  const time = (/** @type {boolean} */ full) => `${hour}:${minute}${full ? `:${second}` : ""}${dayPeriod === undefined ? "" : ` ${dayPeriod}`}`;
  return { date: american ? `${weekday}, ${month} ${day}, ${year}` : fill(say.date, { weekday, day, month, year }), time, zone: (timeZoneName ?? "").replace("GMT", "UTC").replace(/^UTC[+-]0$/, "UTC") };
}

/**
 * A moment's time of day, in the reader's zone.
 * @param {number} ms
 * @param {boolean} [american]
 */
export const timeOfDay = (ms, american) => clock(ms, undefined, american).time(true);

/**
 * The same to the minute, in a zone.
 * @param {number} ms
 * @param {string} [zone] IANA; the reader's when left out or unknown
 * @param {boolean} [american]
 */
export const clockOf = (ms, zone, american) => clock(ms, zone, american).time(false);

/**
 * The same, with its day where that is not today.
 * @param {number} ms
 * @param {number} now
 * @param {boolean} [american]
 */
export function lately(ms, now, american) {
  const then = clock(ms, undefined, american);
  return then.date === clock(now, undefined, american).date ? then.time(true) : `${then.date}, ${then.time(exact(ms))}`;
}

/** Whether a moment is not on a full minute. @param {number} ms */
const exact = (ms) => Math.floor(ms / SECOND) % 60 !== 0;

/**
 * A moment in full, in a zone, as the server writes it; seconds where it has some.
 * @param {number} ms
 * @param {string} [zone] IANA; the reader's when left out or unknown
 * @param {boolean} [american]
 */
export function moment(ms, zone, american) {
  const { date, time, zone: offset } = clock(ms, zone, american);
  return `${date}, ${time(exact(ms))} ${offset}`;
}

/** @param {string | undefined} zone */
function known(zone) {
  if (!zone) return false;
  try {
    new Intl.DateTimeFormat(say.language, { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/**
 * The moment in the reader's zone and, where that reads differently, in the drop's.
 * @param {number} ms
 * @param {string} zone the drop's
 * @param {boolean} [american]
 * @returns {{here: string, there: string}} `there` is '' when both read the same
 */
export function moments(ms, zone, american) {
  const here = moment(ms, undefined, american);
  const there = known(zone) ? moment(ms, zone, american) : here;
  return { here, there: there === here ? "" : there };
}

/**
 * A pool's name: its item's title and, where an item has several pools, which one.
 * @param {DropView} drop
 * @param {string} pool
 */
export function poolName(drop, pool) {
  const item = drop.items.find((other) => other.id === drop.pools[pool]?.item);
  if (item === undefined) return pool;
  const node = pool.includes("@") ? pool.slice(pool.indexOf("@") + 1) : "";
  return node === "" || item.pools.length < 2 ? item.title : `${item.title} · ${node}`;
}

/** `#17`, `#17, #18`. @param {number[]} serials */
export const serials = (serials) => serials.map((serial) => `#${serial}`).join(", ");

/** Units that somebody has in a cart: an offer is in none. @param {{held: number, offered: number}} sum */
export const carts = (sum) => sum.held - sum.offered;
