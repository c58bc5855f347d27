/**
 * Exact places at the price of one shared frame: a tick names the arrivals whose fate became final, and every
 * screen counts for itself how many of them stood before it. A place in the base lane only falls.
 *
 * @import {EntryView, LinePlace, Moves, You} from "./wire.js"
 */

/**
 * One line's moves applied to one place in it.
 * @param {number} n the entry's arrival
 * @param {LinePlace} line
 * @param {Moves} moves
 * @returns {LinePlace | null} null: moves were missed, the server must be asked
 */
export function follow(n, line, moves) {
  if (line.r < moves.r0) return null;
  const taken = moves.left.slice(line.r - moves.r0);
  if (taken.length === 0) return line;
  const place = line.place - taken.filter((left) => left < n).length;
  return { ...line, place, r: moves.r0 + moves.left.length, buying: Math.min(line.buying, Math.max(0, place - 1)) };
}

/**
 * A tick's moves applied to all places of a fan.
 * @param {You} you
 * @param {Record<string, Moves>} lines
 * @returns {{you: You, missed: boolean}}
 */
export function moved(you, lines) {
  let missed = false;
  let changed = false;
  const entries = you.entries.map((entry) => {
    // A place in the boost lane is provisional: `climbs.js` follows it.
    if (entry.lane !== "base") return entry;
    const next = entry.lines.map((line) => {
      const moves = lines[line.pool];
      if (moves === undefined) return line;
      const after = follow(entry.n, line, moves);
      missed ||= after === null;
      changed ||= after !== null && after !== line;
      return after ?? line;
    });
    return { ...entry, lines: next };
  });
  return { you: changed ? { ...you, entries } : you, missed };
}

/**
 * What to believe when a `you` arrives: never an older one, and never an older place inside a newer one.
 * @param {You | null} have
 * @param {You} fresh
 * @returns {You}
 */
export function newer(have, fresh) {
  if (have === null || have.fan !== fresh.fan) return fresh;
  if (fresh.seq < have.seq) return have;
  const known = new Map(have.entries.map((entry) => [entry.id, entry]));
  return { ...fresh, entries: fresh.entries.map((entry) => kept(known.get(entry.id), entry)) };
}

/**
 * @param {EntryView | undefined} have
 * @param {EntryView} fresh
 * @returns {EntryView}
 */
function kept(have, fresh) {
  if (have === undefined || have.lane !== fresh.lane) return fresh;
  const lines = fresh.lines.map((line) => {
    const old = have.lines.find((other) => other.pool === line.pool);
    if (old === undefined || old.r <= line.r) return line;
    return { ...line, place: old.place, r: old.r, buying: Math.min(line.buying, Math.max(0, old.place - 1)) };
  });
  return { ...fresh, lines };
}
