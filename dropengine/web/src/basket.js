/**
 * A basket: what a fan wants, prepared before a drop opens and kept in his browser. Pure, but for what is kept.
 *
 * @import {DropView, Want} from "./wire.js"
 */

import { always, putAlways } from "./storage.js";

/** As many things as one command may name. */
export const WANTS_MAX = 16;

/** @typedef {{wants: Want[], all: boolean}} Prepared */

/** @param {string} drop */
const name = (drop) => `dropengine.basket.${drop}`;

/**
 * What was kept, as far as it still can be asked for: kinds may have gone since, and a browser may keep anything.
 * @param {DropView} drop
 * @returns {Prepared}
 */
export function read(drop) {
  try {
    const { wants, all } = JSON.parse(always(name(drop.id)) ?? "{}");
    const sound = (Array.isArray(wants) ? wants : []).flatMap((want) => {
      const pools = [.../** @type {Set<string>} */ (new Set(want?.pools))].filter((pool) => drop.pools[pool] !== undefined);
      const [first] = pools;
      return first === undefined ? [] : [{ pools, qty: within(drop, first, Number(want.qty)) }];
    });
    return { wants: sound.slice(0, WANTS_MAX), all: all === true };
  } catch {
    return { wants: [], all: false };
  }
}

/**
 * @param {DropView} drop
 * @param {Prepared} prepared
 */
export const keep = (drop, prepared) => putAlways(name(drop.id), JSON.stringify(prepared));

/**
 * As many as one press may ask for.
 * @param {DropView} drop
 * @param {string} pool
 * @param {number} qty
 */
export function within(drop, pool, qty) {
  const most = drop.items.find((item) => item.pools.includes(pool))?.most ?? 1;
  return Math.min(most, Math.max(1, Math.trunc(qty) || 1));
}

/**
 * So many of a kind; 0 takes it out.
 * @param {DropView} drop
 * @param {Prepared} prepared
 * @param {string} pool the one liked best
 * @param {number} qty
 * @returns {Prepared}
 */
export function put(drop, prepared, pool, qty) {
  const at = prepared.wants.findIndex((want) => want.pools[0] === pool);
  if (qty < 1) return { ...prepared, wants: prepared.wants.filter((_, i) => i !== at) };
  const many = within(drop, pool, qty);
  if (at >= 0) return { ...prepared, wants: prepared.wants.map((want, i) => (i === at ? { ...want, qty: many } : want)) };
  return prepared.wants.length < WANTS_MAX ? { ...prepared, wants: [...prepared.wants, { pools: [pool], qty: many }] } : prepared;
}

/**
 * The second choice of a kind; '' takes it away.
 * @param {Prepared} prepared
 * @param {string} pool the one liked best
 * @param {string} other
 * @returns {Prepared}
 */
export const second = (prepared, pool, other) => ({
  ...prepared,
  wants: prepared.wants.map((want) => (want.pools[0] === pool ? { ...want, pools: other === "" ? [pool] : [pool, other] } : want)),
});
