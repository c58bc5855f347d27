/**
 * What a screen reader says, and when: things that change what a person can do, never the ticking of a clock.
 *
 * @import {State} from "./state.js"
 */

import { units } from "./action.js";
import { last } from "./moment.js";
import { kept, offered, open, phase, toClose, toOpen } from "./state.js";
import { lately, poolName } from "./formats.js";
import { BY_HAND, NO_CLOSE, SAID, SAY, ending, gone, paid, whyStopped } from "./words.js";

/** Places worth a word on the way to the front. */
const MARKS = [1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000];

/**
 * @param {State} before
 * @param {State} after
 * @param {number} then the server's clock at `before`, ms
 * @param {number} now
 * @returns {string[]} sentences, most important first
 */
export function announce(before, after, then, now) {
  return [...later(before, after), ...holds(before, after, then, now), ...orders(before, after), ...lines(before, after), ...drop(before, after, now), ...link(before, after)];
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
    const what = units(after, hold);
    if (old === undefined) said.push(offered(hold) ? SAY.offer(what, after.drop.offer_ms) : SAY.held(what));
    else if (offered(old) && !offered(hold)) said.push(SAY.taken(what));
    else if (!old.extended && hold.extended) said.push(SAY.longer(hold));
    if (last(hold, now) && !(old !== undefined && last(old, then))) said.push(SAY.last);
  }
  const { ended } = after.you ?? {};
  if (ended && ended.id !== before.you?.ended?.id && before.you !== null) said.push(`${units(after, ended)}: ${ending(ended)}`);
  return said;
}

/**
 * What was given up and can still be undone.
 * @param {State} before
 * @param {State} after
 */
function later(before, after) {
  const had = new Set(before.later);
  const said = after.later.filter((command) => !had.has(command)).map(({ t }) => (t === "leave" ? SAY.later.leave : SAY.later.release));
  const undone = before.later.some((command) => !after.later.includes(command)) && after.asked.length === 0 && after.you === before.you;
  return undone ? [...said, SAY.kept] : said;
}

/**
 * @param {State} before
 * @param {State} after
 */
function orders(before, after) {
  if (before.you === null) return [];
  const had = new Map(before.you.orders.map((order) => [order.id, order]));
  return (after.you?.orders ?? []).flatMap((order) => {
    const old = had.get(order.id);
    if (old === undefined) return [SAY.bought(units(after, order), order.serials)];
    return kept(order) || old.state === order.state ? [] : [`${units(after, order)}: ${paid(order, after.drop)}`];
  });
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
    if (entry.n === 0 && !had.has(entry.id)) said.push(SAY.entered);
    if (at === undefined || entry.state !== "waiting") continue;
    const was = had.get(entry.id)?.lines[0]?.place;
    if (was === undefined || MARKS.some((mark) => at.place <= mark && was > mark)) said.push(SAY.place(at.place, poolName(after.drop, at.pool)));
  }
  const { ended_entry: ended } = after.you ?? {};
  if (ended && ended.id !== before.you?.ended_entry?.id && before.you !== null) said.push(gone(ended, after.drop));
  return said;
}

/**
 * @param {State} before
 * @param {State} after
 * @param {number} at
 */
function drop(before, after, at) {
  const said = [];
  const now = phase(after.drop);
  if (now !== phase(before.drop) && SAID[now] !== undefined) said.push(after.drop.why ? `${SAID[now]} ${whyStopped(after.drop.why)}` : SAID[now]);
  const { opens_ms, closes_ms } = after.drop;
  if (toOpen(after.drop) && opens_ms !== before.drop.opens_ms) said.push(opens_ms > 0 ? SAY.opens(lately(opens_ms, at)) : BY_HAND);
  const [seals, was] = [after, before].map(({ drop: { listed } }) => listed?.seals_ms ?? 0);
  if (after.drop.state === "lobby" && before.drop.state === "lobby" && seals !== was) said.push(seals ? SAY.seals(lately(seals, at)) : SAY.unsealed);
  if (toClose(after.drop) && closes_ms !== before.drop.closes_ms) said.push(closes_ms > 0 ? SAY.closes(lately(closes_ms, at)) : NO_CLOSE);
  const [news] = after.drop.news;
  if (news !== undefined && news.seq > (before.drop.news[0]?.seq ?? 0)) said.push(SAY.news(news.text));
  return said;
}

/**
 * @param {State} before
 * @param {State} after
 */
function link(before, after) {
  if (before.link.way === "page") return [];
  if (before.away === 0 && after.away > 0) return [SAY.away];
  if (before.link.live && !after.link.live) return [SAY.lost];
  return !before.link.live && after.link.live ? [SAY.back] : [];
}
