/**
 * What a fan is told in quiet hours, when the line calls nobody.
 *
 * @import {Action} from "./action.js"
 * @import {DropView, EntryView, LinePlace} from "./wire.js"
 * @import {State} from "./state.js"
 */

import * as say from "#said";
import { clockOf, poolName } from "./formats.js";
import { fill } from "./sentences.js";
import { room } from "./state.js";
import { ahead, holdWords } from "./words.js";

/** When the line calls again: by the reader's clock and, where that shows another hour, by the maker's. @param {DropView} drop */
function again({ calls_ms = 0, zone }) {
  const [here, there] = [clockOf(calls_ms), clockOf(calls_ms, zone)];
  return here === there ? here : `${here} (${there}, ${say.makers_time})`;
}

/**
 * For who waits, and for who comes.
 * @param {DropView} drop
 * @param {LinePlace} [at] where he waits
 */
export function night(drop, at) {
  const when = fill(say.night, { time: again(drop) });
  return at === undefined || at.place === 1 ? when : `${ahead(drop, at)}. ${when}`;
}

/**
 * What the one may press for whose call it would be: of the pools that would call this place the chosen one, else the
 * first; undefined where none would.
 * @param {State} state
 * @param {EntryView} entry
 * @param {string} chosen
 * @returns {Action | undefined}
 */
export function ownCall(state, entry, chosen) {
  const { pools } = state.drop;
  const call = entry.lines.map((one) => one.pool).filter((name) => pools[name]?.next === entry.n);
  const name = call.includes(chosen) ? chosen : call[0];
  const pool = pools[name ?? ""];
  if (name === undefined || pool === undefined) return undefined;
  const qty = Math.max(1, Math.min(entry.qty, pool.free, room(state, pool.item)));
  const hint = fill(say.your_call, { time: again(state.drop) });
  return { kind: "hold", label: holdWords(qty, false), clock: "", thing: poolName(state.drop, name), hint, command: { t: "hold", pool: name, qty }, sleeps: false };
}
