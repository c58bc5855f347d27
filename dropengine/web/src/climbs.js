/**
 * Exact places in the boost lanes: a tick names what came into one, moved in it or left it, and a screen counts for
 * itself. Such a place may rise.
 *
 * @import {BoostMoves, EntryView, LinePlace, Moves, You} from "./wire.js"
 */

import { moved } from "./places.js";

/**
 * One boost lane's moves applied to one place in it. Where the entry moved itself, its place comes with the next `you`;
 * until then it is due, and follows nothing.
 * @param {number} n the entry's arrival
 * @param {number} rank
 * @param {LinePlace} line
 * @param {BoostMoves} moves
 * @returns {LinePlace | null} null: moves were missed, the server must be asked
 */
export function climb(n, rank, line, moves) {
  if (line.due) return line;
  if (line.r < moves.r0) return null;
  const taken = moves.moves.slice(line.r - moves.r0);
  if (taken.length === 0) return line;
  /** @param {number} other @param {number} at */
  const ahead = (other, at) => Number(at > rank || (at === rank && other < n));
  let place = line.place;
  for (const [other, from, to] of taken) {
    if (other === n) return { ...line, due: true };
    place += ahead(other, to) - ahead(other, from);
  }
  return { ...line, place, r: moves.r0 + moves.moves.length, buying: Math.min(line.buying, Math.max(0, place - 1)) };
}

/**
 * A tick's moves applied to all places of a fan, those in boost lanes too: second ones, and all of an entry that stands
 * there alone.
 * @param {You} you
 * @param {Record<string, Moves>} lines
 * @param {Record<string, BoostMoves>} [boosts]
 * @returns {{you: You, missed: boolean}}
 */
export function climbed(you, lines, boosts) {
  const { you: next, missed: gap } = moved(you, lines);
  if (boosts === undefined) return { you: next, missed: gap };
  let missed = gap;
  let changed = false;
  const all = (/** @type {LinePlace[]} */ places, /** @type {EntryView} */ entry) =>
    places.map((line) => {
      const moves = boosts[line.pool];
      const after = moves === undefined ? line : climb(entry.n, entry.rank ?? 0, line, moves);
      missed ||= after === null;
      changed ||= after !== null && after !== line;
      return after ?? line;
    });
  const entries = next.entries.map((entry) => {
    if (entry.lane !== "base") return { ...entry, lines: all(entry.lines, entry) };
    return entry.boost === undefined ? entry : { ...entry, boost: all(entry.boost, entry) };
  });
  return { you: changed ? { ...next, entries } : next, missed };
}
