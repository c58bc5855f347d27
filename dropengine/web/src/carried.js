/**
 * A place that was carried over from a drop that its fan waited in for nothing: he says once that he still wants it.
 *
 * @import {Action} from "./action.js"
 * @import {EntryView} from "./wire.js"
 * @import {State} from "./state.js"
 */

import * as say from "#said";
import { notHis, passedBy } from "./early.js";
import { poolName } from "./formats.js";
import { ended } from "./state.js";
import * as usual from "./words.js";

const words = say.carried;
const BEFORE = ["scheduled", "lobby", "ordering"];

/** A place whose fan has not said yet that he still wants it. @param {EntryView} entry */
const asked = (entry) => entry.carried === "asked" && entry.state === "waiting";

/**
 * @param {State} state
 * @param {number} now
 * @returns {Action | undefined}
 */
export function button(state, now) {
  const { drop, you } = state;
  const entry = you?.entries.find(asked);
  const sure = you?.entries.find(({ carried, state }) => carried === "confirmed" && state === "waiting");
  // He stands in no list that chance orders: before it opens nothing else tells him of his place.
  if (sure !== undefined && BEFORE.includes(drop.state)) return { kind: "line", label: usual.inLine(sure.lines[0]?.place ?? 1), clock: "", thing: "", hint: words.confirmed, command: null, sleeps: false };
  const at = sure && !notHis(state) && passedBy(state, sure, now);
  if (at) return { kind: "line", label: usual.inLine(at.place), clock: "", thing: poolName(drop, at.pool), hint: words.share, command: null, sleeps: false };
  if (entry === undefined || ended(drop) || drop.state === "frozen") return undefined;
  const thing = entry.lines.map(({ pool }) => poolName(drop, pool)).join(", ");
  return { kind: "confirm", label: words.confirm, clock: "", thing, hint: words.why, command: { t: "confirm", entry: entry.id }, sleeps: false };
}

/**
 * @param {State} state
 * @param {EntryView} entry
 * @param {number} now
 */
export function card({ drop }, entry, now) {
  if (!entry.carried) return undefined;
  const over = ended(drop);
  return { title: usual.lineFor(entry.qty), arrival: words.place, says: over ? usual.LINE_OVER : asked(entry) ? words.waits : `${words.confirmed} ${usual.turn(drop.k, entry, now)}`, leave: usual.LEAVE };
}
