/**
 * What matters most right now and is not the one button itself: stands beside it, wherever the page was scrolled to.
 *
 * @import {EndedEntry, HoldView, OrderView, You} from "./wire.js"
 * @import {State} from "./state.js"
 */

import { WARN_MS } from "./action.js";
import { kept, offered, open } from "./state.js";
import * as storage from "./storage.js";

/** A message of the maker stands beside the button for so long, unless it was put away. */
const FRESH_MS = 600_000;

/**
 * What a fan lost and has not put away: the words for it are those of its card.
 * @typedef {{name: string, id: string, hold?: HoldView, entry?: EndedEntry, order?: OrderView}} Lost
 */

/** What ended was read and put away, by the name it is kept under. */
export const SEEN = { hold: "dropengine.ended", entry: "dropengine.ended.entry", order: "dropengine.ended.order" };

/**
 * @typedef {{kind: "last", hold: HoldView} | {kind: "lost", lost: Lost} | {kind: "news", seq: number, at: number, text: string} | {kind: "away", shop: boolean}} Moment
 */

/** Whether a hold is in its last minute. @param {HoldView} hold @param {number} now */
export const last = (hold, now) => !offered(hold) && !hold.checking && hold.deadline_ms - now <= WARN_MS && hold.deadline_ms > now;

/**
 * @param {State} state
 * @param {number} now
 * @param {number} read the newest message that was put away
 * @returns {Moment | null}
 */
export function moment(state, now, read) {
  const { drop, you, link, away } = state;
  const stopped = drop.state === "frozen";
  const hold = stopped ? undefined : (you?.holds ?? []).filter((one) => open(one) && last(one, now) && !one.extended).sort((a, b) => a.deadline_ms - b.deadline_ms)[0];
  if (hold !== undefined && drop.extend_ms > 0) return { kind: "last", hold };
  // An offer has the button and all the room there is.
  if (!stopped && (you?.holds ?? []).some(offered)) return null;
  const lost = stopped || you === null || you.holds.some(open) ? null : gone(you);
  if (lost !== null) return { kind: "lost", lost };
  const [news] = drop.news;
  if (news !== undefined && news.seq > read && now - news.at < FRESH_MS) return { kind: "news", seq: news.seq, at: news.at, text: news.text };
  if (link.live && away > 0) return { kind: "away", shop: true };
  // What does not come back by itself says so in the page's head, with the way on.
  return !link.live && !link.over && link.way !== "page" ? { kind: "away", shop: false } : null;
}

/**
 * What somebody lost without having wished it, the newest first; what he gave up himself he knows, and
 * a hold is made good by what he bought of the same kind after it.
 * @param {You} you
 * @returns {Lost | null}
 */
function gone({ ended, ended_entry: entry, orders }) {
  const fresh = (/** @type {Lost} */ one) => (storage.kept(one.name) === one.id ? null : one);
  const order = orders.filter((one) => !kept(one)).at(-1);
  return (order && fresh({ name: SEEN.order, id: order.id, order })) || (entry && entry.why !== "left" && fresh({ name: SEEN.entry, id: entry.id, entry })) || (ended && ended.state !== "released" && !orders.some((one) => kept(one) && one.pool === ended.pool && one.at >= ended.deadline_ms) && fresh({ name: SEEN.hold, id: ended.id, hold: ended })) || null;
}
