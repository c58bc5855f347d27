/**
 * What a fan pays together: by which way, how, and the sum line by line, as the shop will reckon it. Pure.
 *
 * @import {DropView, HoldView, PaymentView, WayView} from "./wire.js"
 * @import {State} from "./state.js"
 */

import { itemOf, offered, open } from "./state.js";

export const BY_HAND = "by_hand";
export const CASH = "cash";

/**
 * What can be paid now: claimed, in no open payment, and in time.
 * @param {State} state
 * @param {number} now
 */
export const payable = ({ you }, now) => (you?.holds ?? []).filter((hold) => hold.state === "active" && !offered(hold) && !hold.checking && hold.deadline_ms > now).sort((a, b) => a.deadline_ms - b.deadline_ms);

/** The payments that are open. @param {State} state @returns {PaymentView[]} */
export const unpaid = ({ you }) => (you?.payments ?? []).filter((payment) => payment.state === "open");

/** Whether there is anything to choose before paying. @param {DropView} drop */
export const chooses = ({ ways = [], pays = [], hand_ms = 0 }) => ways.length > 0 || pays.length > 1 || hand_ms > 0;

/**
 * The ways that take all of these: one that names places takes only their units.
 * @param {DropView} drop
 * @param {HoldView[]} holds
 */
export const fitting = ({ ways = [] }, holds) =>
  ways.filter(({ nodes = [] }) => nodes.length === 0 || holds.every(({ pool }) => !pool.includes("@") || nodes.includes(pool.slice(pool.indexOf("@") + 1))));

/**
 * The words for how it may be paid by this way, the usual one first.
 * @param {DropView} drop
 * @param {WayView | undefined} way
 */
export function means({ pays = [], hand_ms = 0 }, way) {
  return way?.cash && hand_ms > 0 ? [...pays, CASH] : pays;
}

/**
 * @typedef {{hold: HoldView, each: number, sum: number}} Line
 * @param {HoldView[]} holds
 * @param {WayView | undefined} way
 * @returns {{lines: Line[], way: number, sum: number}}
 */
export function reckon(holds, way) {
  const lines = holds.map((hold) => {
    const each = Math.max(0, hold.price - (way?.off ?? 0));
    return { hold, each, sum: each * hold.qty };
  });
  const amount = way?.amount ?? 0;
  return { lines, way: amount, sum: lines.reduce((sum, line) => sum + line.sum, amount) };
}

/**
 * Other kinds for a hold, each with whether it can be had: only of the same price, and only what is there.
 * @param {DropView} drop
 * @param {HoldView} hold
 * @returns {{pool: string, why: "" | "price" | "none"}[]}
 */
export function swaps(drop, hold) {
  return drop.items
    .flatMap((item) => item.pools)
    .filter((pool) => pool !== hold.pool)
    .map((pool) => ({ pool, why: itemOf(drop, pool)?.price !== hold.price ? "price" : (drop.pools[pool]?.free ?? 0) < hold.qty ? "none" : "" }));
}

/** The holds of a payment that stand. @param {State} state @param {PaymentView} payment */
export const within = ({ you }, payment) => (you?.holds ?? []).filter((hold) => open(hold) && payment.holds.includes(hold.id));
