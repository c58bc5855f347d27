/**
 * Exact places in the boost lanes: a tick names what came into one, moved in it or left it, and a screen counts for
 * itself. Such a place may rise.
 *
 * @import {BoostMoves, EntryView, LinePlace} from "./wire.js"
 */

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
 * A tick's moves applied to all places of an entry in boost lanes: its second ones, or all that it has, where it stands
 * there alone.
 * @param {EntryView} entry
 * @param {Record<string, BoostMoves>} boosts
 * @returns {{entry: EntryView, missed: boolean}}
 */
export function climbed(entry, boosts) {
  let missed = false;
  const all = (/** @type {LinePlace[]} */ places) =>
    places.map((line) => {
      const moves = boosts[line.pool];
      const after = moves === undefined ? line : climb(entry.n, entry.rank ?? 0, line, moves);
      missed ||= after === null;
      return after ?? line;
    });
  if (entry.lane !== "base") return { entry: { ...entry, lines: all(entry.lines) }, missed };
  return { entry: entry.boost === undefined ? entry : { ...entry, boost: all(entry.boost) }, missed };
}
