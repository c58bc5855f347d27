/**
 * What matters most right now and is not the one button itself: stands beside it, wherever the page was scrolled to.
 *
 * @import {HoldView} from "./wire.js"
 * @import {State} from "./state.js"
 */

import { WARN_MS } from "./action.js";
import { offered, open } from "./state.js";

/** A message of the maker stands beside the button for so long, unless it was put away. */
const FRESH_MS = 600_000;

/**
 * @typedef {{kind: "last", hold: HoldView} | {kind: "news", seq: number, at: number, text: string} | {kind: "away", shop: boolean}} Moment
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
  const [news] = drop.news;
  if (news !== undefined && news.seq > read && now - news.at < FRESH_MS) return { kind: "news", seq: news.seq, at: news.at, text: news.text };
  if (link.live && away > 0) return { kind: "away", shop: true };
  return !link.live && link.way !== "page" ? { kind: "away", shop: false } : null;
}
