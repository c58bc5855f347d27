/**
 * What waiting in line looks like from one's own place: how it fell, in how many minutes it may come to one at that
 * pace, and whether there are units enough for all who stand before. Pure, but for what a browser keeps of the past.
 *
 * @import {State} from "./state.js"
 * @import {LinePlace, PoolView} from "./wire.js"
 */

import * as say from "#said";
import { fill } from "./sentences.js";
import * as storage from "./storage.js";

/** @typedef {[at: number, place: number]} Point when, ms, and where one stood from then on */

const words = say.waiting;
/** So many points tell a night; more would tell it no better. */
export const POINTS_MAX = 96;
/** What was longer ago says little of how fast a line moves now. */
const RECENT_MS = 1_200_000;
/** Fewer steps, or a shorter look, is no pace yet. */
const STEPS_MIN = 3;
const LOOK_MS_MIN = 20_000;
/** Beyond that nobody can tell. */
const MINUTES_MAX = 600;

/**
 * One more look at one's place.
 * @param {Point[]} past
 * @param {number} now
 * @param {number} place
 * @returns {Point[]} the very same one while nothing changed
 */
export function looked(past, now, place) {
  const last = past.at(-1);
  if (last !== undefined && last[1] === place) return past;
  /** @type {Point[]} */
  const more = [...past, [now, place]];
  // The first and the last always stay.
  return more.length > POINTS_MAX ? more.filter((_, n) => n % 2 === 0 || n === more.length - 1) : more;
}

/**
 * In how many minutes it may be one's turn, if the line goes on as of late: n steps in a time are as many as n ± √n.
 * @param {Point[]} past
 * @param {number} now
 * @param {number} place
 * @returns {[least: number, most: number] | null} null: nobody can tell
 */
export function minutes(past, now, place) {
  const begin = past.filter(([at]) => at <= now - RECENT_MS).at(-1) ?? past[0];
  if (begin === undefined || place < 2) return null;
  const from = Math.max(begin[0], now - RECENT_MS);
  const steps = begin[1] - place;
  if (steps < STEPS_MIN || now - from < LOOK_MS_MIN) return null;
  const long = (/** @type {number} */ pace) => ((place - 1) / pace) * ((now - from) / 60_000);
  const spread = Math.sqrt(steps);
  const most = long(steps - spread);
  return most > MINUTES_MAX ? null : [Math.floor(long(steps + spread)), Math.max(1, Math.ceil(most))];
}

/** The same in words; '' where nobody can tell. @param {Point[]} past @param {number} now @param {number} place */
export function soon(past, now, place) {
  const found = minutes(past, now, place);
  if (found === null) return "";
  const [least, most] = found;
  return least < 1 ? fill(say.waiting_within, { count: most }) : least === most ? fill(say.waiting_about, { count: most }) : fill(words.between, { least, most });
}

/**
 * Whether what is not sold yet can reach a place, with the numbers: soonest, by whichever lane; latest, by the base lane
 * alone, if the other one always has somebody.
 * @param {PoolView} pool
 * @param {number} k one call in so many goes to the boost lane
 * @param {LinePlace} line
 * @param {LinePlace} [boost] his place in that lane
 * @returns {{short: number, says: string}} short: so many before one must let go
 */
export function reach(pool, k, line, boost) {
  const units = pool.free + pool.held + pool.withheld + pool.leased;
  const soonest = Math.min(line.place, boost === undefined ? Infinity : (boost.place - 1) * k + 1);
  // A place in the boost lane promises nothing: somebody may still come before it.
  const latest = k < 2 ? line.place : Math.ceil((line.place * k) / (k - 1));
  const short = Math.max(0, soonest - units);
  if (units === 0) return { short, says: words.none };
  const may = fill(say.waiting_units, { count: units });
  if (short > 0) return { short, says: `${may} ${fill(say.waiting_short, { count: short })}` };
  return { short, says: units < latest || latest === 1 ? may : `${may} ${fill(say.waiting_enough, { count: latest - 1 })}` };
}

/** While a line calls, or will again. */
const CALLS = ["live", "sold_out", "paused"];

/**
 * What the first of a fan's places looks like, in words; '' where there is nothing to say.
 * @param {State} state
 * @param {number} now
 */
export function told({ drop, you }, now) {
  const entry = (you?.entries ?? []).find((one) => one.state === "waiting" && one.lane === "base");
  const line = entry?.lines[0];
  const pool = drop.pools[line?.pool ?? ""];
  if (entry === undefined || line === undefined || pool === undefined || !CALLS.includes(drop.state)) return "";
  const before = seen(drop.id, entry.id, line.pool);
  const past = looked(before, now, line.place);
  if (past !== before) keep(drop.id, entry.id, line.pool, past);
  const { short, says } = reach(pool, drop.k, line, entry.boost?.find((one) => one.pool === line.pool));
  return [soon(past, now, line.place), short > 0 ? `${words.cannot} ${says}` : ""].filter((one) => one !== "").join(" ");
}

/**
 * How a place fell, as a line that climbs: steps on a field of this size.
 * @param {Point[]} past at least one point
 * @param {number} now
 * @param {number} wide
 * @param {number} high
 */
export function drawn(past, now, wide, high) {
  const [begin = now] = past[0] ?? [];
  const places = past.map(([, place]) => place);
  const worst = Math.max(...places, 2);
  const x = (/** @type {number} */ at) => Math.round(((at - begin) / Math.max(1, now - begin)) * wide * 10) / 10;
  const y = (/** @type {number} */ place) => Math.round(((place - 1) / (worst - 1)) * high * 10) / 10;
  const steps = past.map(([at, place], n) => (n === 0 ? `M0 ${y(place)}` : `H${x(at)}V${y(place)}`));
  return { path: `${steps.join("")}H${wide}`, last: y(places.at(-1) ?? 1) };
}

/** @param {string} drop @param {string} entry @param {string} pool */
const name = (drop, entry, pool) => `line ${drop} ${entry} ${pool}`;

/** What this browser saw of a place. @param {string} drop @param {string} entry @param {string} pool @returns {Point[]} */
export function seen(drop, entry, pool) {
  try {
    const found = JSON.parse(storage.always(name(drop, entry, pool)) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => Array.isArray(one) && one.length === 2 && one.every(Number.isFinite)) : [];
  } catch {
    return [];
  }
}

/** A place that ended is nobody's any more. @param {string} drop @param {string} entry @param {string} pool @param {Point[]} past */
export function keep(drop, entry, pool, past) {
  storage.forget(`line ${drop} `, `line ${drop} ${entry} `);
  storage.putAlways(name(drop, entry, pool), JSON.stringify(past));
}
