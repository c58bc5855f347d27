/**
 * The edition as a picture: which cell shows what, and how the cells lie.
 *
 * @import {PoolView} from "./wire.js"
 */

/** Above this a cell stands for several units: more cells than this nobody can see apart. */
const CELLS = 1_200;

/**
 * How many cells, how many units one stands for, and how they lie in a frame of this shape.
 * @param {number} cap
 * @param {number} ratio width / height of the frame
 */
export function grid(cap, ratio) {
  const each = Math.max(1, Math.ceil(cap / CELLS));
  const cells = Math.ceil(cap / each);
  const columns = Math.max(1, Math.min(cells, Math.ceil(Math.sqrt(cells * ratio))));
  return { each, cells, columns, rows: Math.max(1, Math.ceil(cells / columns)) };
}

/**
 * What cell `at` shows, filling from the first: sold, in carts, free, and what is not for sale at the end.
 * @param {PoolView} pool
 * @param {number} at
 * @param {number} each
 */
export function cell(pool, at, each) {
  const unit = at * each;
  if (unit < pool.sold) return "sold";
  if (unit < pool.sold + pool.held) return "held";
  return unit < pool.sold + pool.held + pool.free ? "free" : "none";
}
