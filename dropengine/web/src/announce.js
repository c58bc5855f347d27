/**
 * What a screen reader says, and when: things that change what a person can do, never the ticking of a clock.
 *
 * @import {EndedEntry, HoldView} from "./wire.js"
 * @import {State} from "./state.js"
 */

import { WARN_MS, units } from "./action.js";
import { offered, open, phase } from "./state.js";
import { number, serials, span } from "./formats.js";

/** Places worth a word on the way to the front. */
const MARKS = [1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000];

const PHASES = /** @type {Record<string, string>} */ ({
  live: "The drop is open.",
  paused: "The drop is paused. What you hold is safe.",
  sold_out: "Sold out.",
  closing: "The drop is closing.",
  settled: "The drop is over.",
  cancelled: "The maker cancelled this drop.",
  frozen: "The drop stopped itself.",
});

/**
 * @param {State} before
 * @param {State} after
 * @param {number} then the server's clock at `before`, ms
 * @param {number} now
 * @returns {string[]} sentences, most important first
 */
export function announce(before, after, then, now) {
  return [...holds(before, after, then, now), ...orders(before, after), ...lines(before, after), ...drop(before, after), ...link(before, after)];
}

/**
 * @param {State} before
 * @param {State} after
 * @param {number} then
 * @param {number} now
 */
function holds(before, after, then, now) {
  const had = new Map((before.you?.holds ?? []).map((hold) => [hold.id, hold]));
  const said = [];
  for (const hold of (after.you?.holds ?? []).filter(open)) {
    const old = had.get(hold.id);
    if (old === undefined) said.push(offered(hold) ? `It is your turn: ${units(after, hold)}. Claim it within ${span(after.drop.offer_ms)}.` : `${units(after, hold)}: held for you.`);
    else if (offered(old) && !offered(hold)) said.push(`${units(after, hold)}: claimed. It is held for you now.`);
    if (last(hold, now) && !(old !== undefined && last(old, then))) said.push("Less than a minute is left on your hold.");
  }
  const { ended } = after.you ?? {};
  if (ended && ended.id !== before.you?.ended?.id && before.you !== null) said.push(ending(after, ended));
  return said;
}

/**
 * @param {HoldView} hold
 * @param {number} now
 */
export const last = (hold, now) => !offered(hold) && !hold.checking && hold.deadline_ms - now <= WARN_MS && hold.deadline_ms > now;

/**
 * How a hold ended, so that nobody loses without a reason.
 * @param {State} state
 * @param {HoldView} hold
 */
export function ending(state, hold) {
  const what = units(state, hold);
  const unit = hold.qty === 1 ? "The unit" : "The units";
  if (hold.state === "cancelled") return `${what}: the maker cancelled the drop, so the hold ended.`;
  if (hold.origin === "line" && !hold.claimed) return hold.state === "released" ? `${what}: you passed on this offer.` : `${what}: nobody claimed this offer in time. ${unit} went on to the line.`;
  if (hold.state === "released") return `${what}: you gave it back.`;
  return `${what}: the time to pay ran out. ${unit} went on to the line.`;
}

/**
 * @param {State} before
 * @param {State} after
 */
function orders(before, after) {
  const had = new Set((before.you?.orders ?? []).map((order) => order.id));
  const fresh = (after.you?.orders ?? []).filter((order) => !had.has(order.id));
  return before.you === null ? [] : fresh.map((order) => `Yours: ${units(after, order)}, ${serials(order.serials)}.`);
}

/**
 * @param {State} before
 * @param {State} after
 */
function lines(before, after) {
  const had = new Map((before.you?.entries ?? []).map((entry) => [entry.id, entry]));
  const said = [];
  for (const entry of after.you?.entries ?? []) {
    const at = entry.lines[0];
    if (at === undefined || entry.state !== "waiting") continue;
    const was = had.get(entry.id)?.lines[0]?.place;
    if (was === undefined || MARKS.some((mark) => at.place <= mark && was > mark)) said.push(`In line: place ${number(at.place)}.`);
  }
  const { ended_entry: ended } = after.you ?? {};
  if (ended && ended.id !== before.you?.ended_entry?.id && before.you !== null) said.push(gone(ended));
  return said;
}

const REASONS = /** @type {Record<string, string>} */ ({
  lapses: "Your place has ended: you missed two turns.",
  left: "You left the line.",
  limit: "Your place has ended: what you bought fills what one fan may have.",
});

/**
 * Why a place ended without a sale, so that nobody loses it without a reason.
 * @param {EndedEntry} entry
 */
export const gone = ({ n, why }) => `${REASONS[why] ?? "Your place has ended."} You had joined as number ${number(n)}${why === "limit" ? "" : "; joining again is a new arrival, at the end"}.`;

/**
 * @param {State} before
 * @param {State} after
 */
function drop(before, after) {
  const said = [];
  const now = phase(after.drop);
  if (now !== phase(before.drop) && PHASES[now] !== undefined) said.push(after.drop.why ? `${PHASES[now]} ${after.drop.why}` : PHASES[now]);
  const [news] = after.drop.news;
  if (news !== undefined && news.seq > (before.drop.news[0]?.seq ?? 0)) said.push(`From the maker: ${news.text}`);
  return said;
}

/**
 * @param {State} before
 * @param {State} after
 */
function link(before, after) {
  if (before.link.way === "page") return [];
  if (before.away === 0 && after.away > 0) return ["The shop is out of reach for a moment. What is shown may be old."];
  if (before.link.live && !after.link.live) return ["The connection is lost. What is shown may be old."];
  return !before.link.live && after.link.live ? ["The page is live again."] : [];
}
