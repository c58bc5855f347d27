/**
 * The one button: what it says and does is a function of the state, what the fan chose, and the time.
 *
 * @import {Command, EntryView, HoldView} from "./wire.js"
 * @import {State} from "./state.js"
 */

import { kept, offered, open, room } from "./state.js";
import { count, held, left, money, number, poolName, serials, span, timeOfDay } from "./formats.js";

/**
 * What the fan chose on this page. `also`: further pools he would take from the line, the liked best first.
 * `leaving`: he pressed once on his place; a second press leaves the line.
 * @typedef {{pool: string, qty: number, also: string[], leaving: boolean}} Choice
 */

/**
 * `label`: the words. `clock`: what is left, '' for none. `hint`: one sentence below. `command`: what a press
 * asks for. `go`: an address that a press opens. `turn`: a press only asks back ('leaving'). A button with none
 * of them shows a state and cannot be pressed.
 * @typedef {{kind: string, label: string, clock: string, hint: string, command: Command | null, go: string, turn: string}} Action
 */

/** A hold's last minute: said once, and the moment to ask for more time. */
export const WARN_MS = 60_000;

const WAITS = /** @type {Record<string, string>} */ ({
  hold: "Holding…",
  claim: "Claiming…",
  release: "Giving back…",
  extend: "Asking for more time…",
  pay: "Opening the payment…",
  join: "Joining the line…",
  leave: "Leaving the line…",
});

const ENDS = /** @type {Record<string, [string, string]>} */ ({
  closing: ["Closed", "Nothing new begins. What is held can still be paid."],
  settled: ["Closed", "This drop is over."],
  cancelled: ["Cancelled", "The maker cancelled this drop. Every payment goes back."],
  frozen: ["Stopped", "Nothing can be done here until somebody has looked at it. What you hold keeps the time that it has left."],
});

/**
 * @param {string} kind
 * @param {string} label
 * @param {Partial<Action>} [more]
 * @returns {Action}
 */
const shows = (kind, label, more = {}) => ({ kind, label, clock: "", hint: "", command: null, go: "", turn: "", ...more });

/**
 * @param {State} state
 * @param {Choice} choice
 * @param {number} now the server's clock, ms
 * @returns {Action}
 */
export function action(state, choice, now) {
  const asked = state.asked[0];
  if (asked !== undefined) return shows("busy", WAITS[asked.t] ?? "One moment…");
  // A drop that is stopped takes no command: nothing of what the fan has can be acted on.
  const stopped = state.drop.state === "frozen";
  const holds = stopped ? [] : (state.you?.holds ?? []).filter(open);
  const offer = soonest(holds.filter(offered));
  if (offer !== undefined) return claim(state, offer, now);
  const hold = soonest(holds.filter((one) => !offered(one)));
  if (hold !== undefined) return pay(state, hold, holds.length, now);
  const waiting = line(state, choice.pool, now);
  const mine = (state.you?.orders ?? []).filter(kept);
  const end = ENDS[state.drop.state];
  if (end !== undefined) return mine.length > 0 ? yours(state) : shows("over", end[0], { hint: end[1] });
  if (state.watching) return shows("watch", "You are watching", { hint: "Very many people came from your network at once. This is the sale as it is, and in a moment the page lets you in by itself." });
  if (waiting !== undefined) return inLine(state, waiting, choice, now);
  const next = fresh(state, choice, mine.length, now);
  // Nothing can be pressed for after all: a place that cools, or one in another line, is still what the fan has.
  const place = standing(state, choice.pool);
  if (place !== undefined && next.kind !== "hold") return inLine(state, place, choice, now);
  // Who has a unit already sees its number first; standing in line for more is the quieter wish.
  return next.kind === "join" && mine.length > 0 ? yours(state) : next;
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
  const more = fresh(state, choice, 1, now);
  if (more.command?.t === "join") return you.entries.every((entry) => entry.state !== "waiting" && entry.state !== "offered") ? more : null;
  if (more.command?.t !== "hold") return null;
  // An equal hold answers such a press: nothing more would come of it.
  const { qty } = more.command;
  return holds.some((hold) => hold.pool === choice.pool && hold.qty === qty) ? null : more;
}

/** @param {HoldView} hold */
export const asking = (hold) => `Your time is over, and you began to pay: we are asking your bank, until ${timeOfDay(hold.asking)} at most.`;

/** @param {HoldView[]} holds */
const soonest = (holds) => [...holds].sort((a, b) => a.deadline_ms - b.deadline_ms)[0];

/**
 * @param {State} state
 * @param {HoldView} offer
 * @param {number} now
 */
function claim(state, offer, now) {
  return shows("claim", "Claim your offer", {
    clock: left(offer.deadline_ms - now),
    hint: `It is your turn: ${units(state, offer)}, set aside for you. Claiming gives you ${span(state.drop.hold_ms)} to pay.`,
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
  if (hold.checking) return shows("checking", "Asking about your payment…", { hint: `${asking(hold)} Nobody else gets the unit before that.` });
  if (rest <= 0) return shows("checking", "Time is over…", { hint: "The shop is settling this hold." });
  const more = all > 1 ? ` The first of ${all} that wait for you.` : "";
  const last = rest <= WARN_MS && !hold.extended && state.drop.extend_ms > 0 ? ` Less than a minute is left: you may ask for ${span(state.drop.extend_ms)} more, once.` : "";
  const hint = `${units(state, hold)} ${hold.qty === 1 ? "is" : "are"} yours until then.${last || more}`;
  const words = hold.state === "paying" ? "Back to the payment" : `Pay ${money(hold.price * hold.qty, state.drop)}`;
  return shows("pay", words, { clock: left(rest), hint, command: { t: "pay", holds: [hold.id] } });
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
  const at = entry.lines.find((one) => one.pool === choice.pool) ?? entry.lines[0];
  if (at === undefined) return shows("line", "In line");
  if (choice.leaving) {
    const hint = "Coming back would be a new arrival, at the end. Press again to leave.";
    return shows("leave", `Leave and lose place ${number(at.place)}?`, { hint, command: { t: "leave", entry: entry.id } });
  }
  return shows("line", `In line: place ${number(at.place)}`, { hint: `${ahead(state, entry, now)} Press to leave.`, turn: "leaving" });
}

/**
 * `40 ahead, 12 of them buying.` and what else is true of this place.
 * @param {State} state
 * @param {EntryView} entry
 * @param {number} now
 */
function ahead(state, entry, now) {
  const at = entry.lines[0];
  if (at === undefined) return "";
  if (entry.cool_ms > now) return `Your last offer came back unsold. You can be called again in ${left(entry.cool_ms - now)}; your place is the same.`;
  if (at.place === 1) return room(state, state.drop.pools[at.pool]?.item ?? "") > 0 ? "You are next. The next unit that comes back is offered to you." : "You are next, as soon as your limit has room.";
  const buying = at.buying > 0 ? `, ${number(at.buying)} of them buying` : "";
  return `${number(at.place - 1)} ahead${buying}.${entry.lane === "boost" ? " A place in the boost lane may still change." : ""}`;
}

/**
 * @param {State} state
 * @param {Choice} choice
 * @param {number} orders
 * @param {number} now
 */
function fresh(state, choice, orders, now) {
  const { drop, refusal } = state;
  const pool = drop.pools[choice.pool];
  if (pool === undefined) return shows("over", "Nothing to choose");
  if (drop.state === "scheduled") return early(state, now);
  const can = room(state, pool.item);
  if (can < 1) return orders > 0 ? yours(state) : shows("over", "Your limit is reached", { hint: "What you hold and what you bought fill what one fan may have." });
  const qty = Math.min(choice.qty, can);
  if (drop.state === "paused") return join(choice, qty, "The drop is paused. The line is open, and goes first when it resumes.");
  // A refusal for the line's sake is newer than the stock on the screen until the next tick.
  const line = refusal !== null && refusal.command.t === "hold" && refusal.command.pool === choice.pool && ["all_held", "sold_out", "not_your_turn"].includes(refusal.refused.code) && refusal.refused.seq >= state.seq && !refusal.refused.free;
  if (pool.free >= 1 && !line) {
    const few = Math.min(qty, pool.free);
    const hint = few < qty ? `Only ${count(few, "unit")} left to hold.` : `Yours for ${span(drop.hold_ms)} while you pay. Nothing is charged yet.`;
    return shows("hold", few === 1 ? `Hold one ${orders > 0 ? "more" : "for me"}` : `Hold ${few} ${orders > 0 ? "more" : "for me"}`, { hint, command: { t: "hold", pool: choice.pool, qty: few } });
  }
  if (pool.held > 0) return join(choice, qty, `All held: ${held(pool)}. What comes back goes to the line.`);
  return join(choice, qty, "Sold out. A unit that is refunded goes to the line.");
}

/**
 * @param {Choice} choice
 * @param {number} qty
 * @param {string} hint
 */
function join(choice, qty, hint) {
  const pools = [choice.pool, ...choice.also.filter((pool) => pool !== choice.pool)];
  return shows("join", "Join the line", { hint, command: { t: "join", pools, qty } });
}

/**
 * @param {State} state
 * @param {number} now
 */
function early(state, now) {
  const { opens_ms } = state.drop;
  if (opens_ms === 0) return shows("early", "Opens soon", { hint: "The maker opens this drop by hand. This page opens with it." });
  if (opens_ms <= now) return shows("early", "Opening…", { hint: "" });
  return shows("early", "Opens in", { clock: left(opens_ms - now), hint: "Being early earns nothing and costs nothing. This button opens by itself." });
}

/** @param {State} state */
function yours(state) {
  const orders = (state.you?.orders ?? []).filter(kept);
  const first = orders[0];
  if (first === undefined) return shows("over", "Closed");
  const item = state.drop.items.find((one) => one.id === state.drop.pools[first.pool]?.item);
  const all = orders.filter((order) => order.pool === first.pool).flatMap((order) => order.serials);
  return shows("yours", `Yours: ${serials(all)}${item === undefined ? "" : ` of ${item.cap}`}`, { hint: "Bought and numbered. The number stays with the unit." });
}

/**
 * @param {State} state
 * @param {{pool: string, qty: number}} hold
 */
export const units = (state, hold) => `${hold.qty} × ${poolName(state.drop, hold.pool)}`;
