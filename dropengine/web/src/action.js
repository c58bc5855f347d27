/**
 * The one button: what it says and does is a function of the state, what the fan chose, and the time.
 *
 * @import {Command, EntryView, HoldView} from "./wire.js"
 * @import {State} from "./state.js"
 */

import { kept, known, offered, open, room } from "./state.js";
import { lately, left, money, poolName } from "./formats.js";
import * as words from "./words.js";

/**
 * What the fan chose on this page. `also`: further pools he would take from the line, the liked best first.
 * @typedef {{pool: string, qty: number, also: string[]}} Choice
 */

/**
 * `label`: the words. `clock`: what is left, '' for none. `thing`: what it is about, in the maker's words, '' where
 * that is plain. `hint`: what happens next. `command`: what a press asks for; null: it shows a state and cannot be
 * pressed. `sleeps`: a press spends something, so it must not meet a finger that meant what stood there before.
 * @typedef {{kind: string, label: string, clock: string, thing: string, hint: string, command: Command | null, sleeps: boolean}} Action
 */

/** A command names at most sixteen pools: the one that was chosen, and so many that he would also take. */
export const ALSO_MAX = 15;
/** A hold's last minute: said once, and the moment to ask for more time. */
export const WARN_MS = 60_000;

/**
 * @param {string} kind
 * @param {string} label
 * @param {Partial<Action>} [more]
 * @returns {Action}
 */
const shows = (kind, label, more = {}) => ({ kind, label, clock: "", thing: "", hint: "", command: null, sleeps: false, ...more });

/**
 * @param {State} state
 * @param {Choice} choice
 * @param {number} now the server's clock, ms
 * @returns {Action}
 */
export function action(state, choice, now) {
  const asked = state.asked[0];
  if (asked !== undefined) return shows("busy", words.WAITS[asked.t] ?? words.MOMENT);
  // A drop that is stopped takes no command: nothing of what the fan has can be acted on.
  const stopped = state.drop.state === "frozen";
  const holds = stopped ? [] : (state.you?.holds ?? []).filter(open);
  const offer = soonest(holds.filter(offered));
  if (offer !== undefined) return claim(state, offer, now);
  const hold = soonest(holds.filter((one) => !offered(one)));
  if (hold !== undefined) return pay(state, hold, holds.length, now);
  const listed = words.told().listed?.(state, choice, now);
  if (listed) return listed;
  const waiting = line(state, choice.pool, now);
  const mine = (state.you?.orders ?? []).filter(kept);
  const end = words.ENDS[state.drop.state];
  const still = stopped ? state.you?.holds.find(open) : undefined;
  if (still !== undefined) return shows("over", end?.[0] ?? "", { thing: units(state, still), hint: words.STILL });
  if (end !== undefined) return mine.length > 0 ? yours(state) : shows("over", end[0], { hint: end[1] });
  if (state.you === null && known(state.drop)) return shows("sign", words.SIGN_IN);
  if (state.watching) return shows("watch", words.WATCHING[0] ?? "", { hint: words.WATCHING[1] ?? "" });
  if (waiting !== undefined) return inLine(state, waiting, choice, now);
  // The win stands: whatever else one may begin is the second, quieter button.
  if (mine.length > 0) return yours(state);
  const next = fresh(state, choice, false, now);
  // Nothing can be pressed for after all: a place that cools, or one in another line, is still what the fan has.
  const place = standing(state, choice.pool);
  return place !== undefined && next.kind !== "hold" ? inLine(state, place, choice, now) : next;
}

/**
 * What else a fan may begin while the one button is about something he already has: a quieter second button.
 * @param {State} state
 * @param {Choice} choice
 * @param {number} now
 * @returns {Action | null}
 */
export function second(state, choice, now) {
  const you = state.you;
  const pool = state.drop.pools[choice.pool];
  if (you === null || pool === undefined || state.asked.length > 0) return null;
  const holds = you.holds.filter(open);
  const first = action(state, choice, now).kind;
  if (!["claim", "pay", "checking", "yours"].includes(first) || !["live", "sold_out"].includes(state.drop.state) || room(state, pool.item) < 1) return null;
  const more = fresh(state, choice, true, now);
  if (more.command?.t === "join") return you.entries.every((entry) => entry.state !== "waiting" && entry.state !== "offered") ? more : null;
  if (more.command?.t !== "hold") return null;
  // An equal hold answers such a press: nothing more would come of it.
  const { qty } = more.command;
  return holds.some((hold) => hold.pool === choice.pool && hold.qty === qty) ? null : more;
}

/** @param {HoldView[]} holds */
const soonest = (holds) => [...holds].sort((a, b) => a.deadline_ms - b.deadline_ms)[0];

/**
 * @param {State} state
 * @param {HoldView} offer
 * @param {number} now
 */
function claim(state, offer, now) {
  return shows("claim", words.TAKE, {
    clock: left(offer.deadline_ms - now),
    thing: units(state, offer),
    hint: words.claimHint(offer, state.drop.hold_ms),
    command: offer.deadline_ms > now ? { t: "claim", hold: offer.id } : null,
  });
}

/**
 * @param {State} state
 * @param {HoldView} hold
 * @param {number} all
 * @param {number} now
 */
function pay(state, hold, all, now) {
  const rest = hold.deadline_ms - now;
  const thing = units(state, hold);
  if (hold.checking) return shows("checking", words.ASKING, { thing, hint: `${words.asking(hold)} ${words.NOBODY_ELSE}` });
  if (rest <= 0) return shows("checking", words.OVER[0] ?? "", { thing, hint: words.OVER[1] ?? "" });
  const hint = `${words.heldOrGone(hold)}${all > 1 ? ` ${words.firstOf(all)}` : ""}`;
  const label = hold.state === "paying" ? words.BACK_TO_PAYMENT : words.payWords(money(hold.price * hold.qty, state.drop));
  return shows("pay", label, { clock: left(rest), thing, hint, command: { t: "pay", holds: [hold.id] }, sleeps: true });
}

/**
 * The place that the fan waits at: in the line of this pool, else in any.
 * @param {State} state
 * @param {string} pool
 * @returns {EntryView | undefined}
 */
function standing(state, pool) {
  const open = (state.you?.entries ?? []).filter((entry) => entry.state === "waiting");
  return open.find((entry) => entry.lines.some((one) => one.pool === pool)) ?? open[0];
}

/**
 * The same, where it keeps the fan from pressing. What is free is nobody's turn: standing in another line does not
 * keep anybody from it, nor does a place that cools.
 * @param {State} state
 * @param {string} pool
 * @param {number} now
 * @returns {EntryView | undefined}
 */
export function line(state, pool, now) {
  const place = standing(state, pool);
  if (place === undefined || state.drop.state !== "live" || (state.drop.pools[pool]?.free ?? 0) === 0) return place;
  const called = place.cool_ms <= now && place.lines.some((one) => one.pool === pool);
  return called ? place : undefined;
}

/**
 * @param {State} state
 * @param {EntryView} entry
 * @param {Choice} choice
 * @param {number} now
 */
function inLine(state, entry, choice, now) {
  const own = words.told().ownCall?.(state, entry, choice.pool);
  if (own) return own;
  const at = entry.lines.find((one) => one.pool === choice.pool) ?? entry.lines[0];
  if (at === undefined) return shows("line", words.IN_LINE);
  return shows("line", words.inLine(at.place), { thing: poolName(state.drop, at.pool), hint: ahead(state, entry, at, now) });
}

/**
 * `40 ahead of you, 12 of them buying.` and what else is true of this place.
 * @param {State} state
 * @param {EntryView} entry
 * @param {EntryView["lines"][number]} at
 * @param {number} now
 */
function ahead(state, entry, at, now) {
  if (entry.cool_ms > now) return words.cooling(entry, now);
  const { offer_ms, calls_ms } = state.drop;
  if (calls_ms) return words.night(state.drop, at);
  if (at.place === 1) return room(state, state.drop.pools[at.pool]?.item ?? "") > 0 ? words.next(offer_ms) : words.NEXT_ROOM;
  return `${words.ahead(state.drop, at)}. ${entry.lane === "boost" ? words.PROVISIONAL : words.turnStands(offer_ms)}`;
}

/**
 * @param {State} state
 * @param {Choice} choice
 * @param {boolean} again
 * @param {number} now
 */
function fresh(state, choice, again, now) {
  const { drop, refusal } = state;
  const pool = drop.pools[choice.pool];
  if (pool === undefined) return shows("over", words.NOTHING);
  if (drop.state === "scheduled") return early(state, now);
  const can = room(state, pool.item);
  if (can < 1) return shows("over", words.LIMIT[0] ?? "", { hint: words.LIMIT[1] ?? "" });
  const qty = Math.min(choice.qty, can);
  const several = drop.items.length > 1 || Object.keys(drop.pools).length > 1;
  const thing = several ? poolName(drop, choice.pool) : "";
  if (drop.state === "paused") return join(choice, qty, words.PAUSED, thing);
  // A refusal for the line's sake is newer than the stock on the screen until the next tick.
  const line = refusal !== null && refusal.command.t === "hold" && refusal.command.pool === choice.pool && ["all_held", "sold_out", "not_your_turn"].includes(refusal.refused.code) && refusal.refused.seq >= state.seq && !refusal.refused.free;
  // In quiet hours what is free waits for the line.
  if (pool.next) return join(choice, qty, words.night(drop), thing);
  if (pool.free >= 1 && !line) {
    const few = Math.min(qty, pool.free);
    const stands = standing(state, choice.pool) === undefined ? "" : ` ${words.KEEPS_PLACE}`;
    const hint = (few < qty ? words.fewLeft(few) : words.holdHint(drop.hold_ms)) + stands;
    return shows("hold", words.holdWords(few, again), { thing, hint, command: { t: "hold", pool: choice.pool, qty: few } });
  }
  if (pool.held > 0) return join(choice, qty, words.allHeld(pool), thing);
  return join(choice, qty, pool.sold > 0 ? words.SOLD_OUT : words.NONE_NOW, thing);
}

/**
 * @param {Choice} choice
 * @param {number} qty
 * @param {string} hint
 * @param {string} thing
 */
export function join(choice, qty, hint, thing) {
  const pools = [choice.pool, ...choice.also.filter((pool) => pool !== choice.pool).slice(0, ALSO_MAX)];
  return shows("join", words.JOIN, { thing, hint, command: { t: "join", pools, qty } });
}

/**
 * @param {State} state
 * @param {number} now
 */
function early(state, now) {
  const { opens_ms } = state.drop;
  const was = state.planned.opens_ms;
  if (opens_ms === 0) return shows("early", words.OPENS_SOON, { hint: words.EARLY_BY_HAND });
  if (opens_ms <= now) return shows("early", words.OPENING);
  return shows("early", words.opensAt(lately(opens_ms, now)), { hint: opens_ms === was ? words.EARLY : `${words.changed(was, now)}. ${words.BY_ITSELF}` });
}

/** @param {State} state */
function yours(state) {
  const orders = (state.you?.orders ?? []).filter(kept);
  const first = orders[0];
  if (first === undefined) return shows("over", words.ENDS["settled"]?.[0] ?? "");
  const item = state.drop.items.find((one) => one.id === state.drop.pools[first.pool]?.item);
  const all = orders.filter((order) => order.pool === first.pool).flatMap((order) => order.serials);
  return shows("yours", words.yoursWords(all, item?.cap), { thing: poolName(state.drop, first.pool), hint: words.BOUGHT });
}

/**
 * @param {State} state
 * @param {{pool: string, qty: number}} hold
 */
export const units = (state, hold) => `${hold.qty} × ${poolName(state.drop, hold.pool)}`;
