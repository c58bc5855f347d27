/**
 * Every sentence of the live parts, in one voice. Nothing here decides anything. What a maker wrote never stands
 * inside a sentence: it is shown beside it, in an element of its own.
 */

import { carts, count, lately, left, money, number, serials, span, timeOfDay } from "./formats.js";

/** @import {DropView, EndedEntry, EntryView, HoldView, LinePlace, OrderView, Refused} from "./wire.js" */
/** @import {Sum} from "./state.js" */

/** What the sale is doing. The connection has other words. */
export const PHASES = /** @type {Record<string, string>} */ ({
  scheduled: "Opens",
  live: "Open now",
  all_held: "All in carts",
  paused: "Paused by the maker",
  sold_out: "Sold out",
  closing: "Closing",
  settled: "Over",
  cancelled: "Cancelled",
  frozen: "Stopped",
});

export const OPENS_IN = "Opens in";
export const OPENS_SOON = "Opens soon";
export const BY_HAND = "The maker opens this drop by hand.";
export const NO_CLOSE = "No closing time any more.";
export const CALENDAR = "add to my calendar";
export const MAKERS_TIME = "the maker's time";
export const HOW_MANY = "How many";
export const FEWER = "One fewer";
export const MORE = "One more";
export const WHICH = "Which one";
export const ALSO = "I would also take, in this order";

export const may = (/** @type {number} */ held) => `${number(held)} may come back`;
export const CLOSES_IN = "Closes in";
export const closesIn = "closes in";
/** @param {number} was the time that a page came with, 0: none @param {number} now */
export const changed = (was, now) => `Changed by the maker${was > 0 ? `: it was ${lately(was, now)}` : ""}`;
export const from = "From";

/** @param {{waiting: number, buying: number}} sum */
export const inLineNow = ({ waiting, buying }) => (waiting === 0 ? "" : `${number(waiting)} in line${buying > 0 ? `, ${number(buying)} of them buying` : ""}`);

/** What the five kinds of units are called; together they are all that were made. */
export const UNITS = { free: "left", unsold: "not sold", held: "in carts", offered: "offered to people in line", sold: "sold", back: "not for sale now", cap: "made", waiting: "in line" };

/**
 * The stock of one choice.
 * @param {{free: number, held: number, offered: number, sold: number, withheld: number, leased: number, waiting: number}} pool
 * @param {boolean} ended
 */
export function stock(pool, ended) {
  const back = pool.withheld + pool.leased;
  const first = pool.free > 0 ? `${number(pool.free)} ${ended ? UNITS.unsold : UNITS.free}` : pool.held > 0 && !ended ? `all ${held(pool)}` : pool.sold > 0 ? "sold out" : "none for sale now";
  return [first, pool.free > 0 && back > 0 ? `${number(back)} ${UNITS.back}` : "", pool.waiting > 0 ? `${number(pool.waiting)} ${UNITS.waiting}` : ""].filter((part) => part !== "").join(" · ");
}

/**
 * What is held, in words: `150 in carts, 47 offered to people in line`.
 * @param {{held: number, offered: number}} sum
 */
export function held(sum) {
  const parts = [carts(sum) > 0 ? `${number(carts(sum))} ${UNITS.held}` : "", sum.offered > 0 ? `${number(sum.offered)} ${UNITS.offered}` : ""];
  return parts.filter((part) => part !== "").join(", ");
}

/** The picture of an item on the wall. @param {Sum} sum */
export const edition = (sum) => `${number(sum.free)} ${UNITS.free}, ${held(sum) || `0 ${UNITS.held}`}, ${number(sum.sold)} ${UNITS.sold}${sum.back > 0 ? `, ${number(sum.back)} ${UNITS.back}` : ""}, ${number(sum.cap)} ${UNITS.cap}`;
export const cellIs = (/** @type {number} */ each) => `one cell is ${each} units`;

// --- The connection. ---

export const UP_TO_DATE = { socket: "Up to date", stream: "Up to date", poll: "Up to date every few seconds", page: "Connecting…" };
export const CHECKING = "Checking…";
export const notSince = (/** @type {number} */ since) => `Not up to date since ${timeOfDay(since)}`;
export const awaySince = (/** @type {number} */ since) => `The shop is out of reach since ${timeOfDay(since)}`;
export const AWAY = "Nothing is lost. This page goes on by itself.";
export const COMING_BACK = "Coming back by itself. What you hold and your place are kept; a press is sent once the shop is there again.";
export const LOAD_AGAIN = "Load again";
export const askingAgain = (/** @type {number} */ seconds) => `This page asks again every ${count(seconds, "second")} or so.`;
export const BACK_AGAIN = "The shop is back.";
export const NO_STATE = "This page carries no state.";

/** @type {Record<number, string>} */
const CLOSED = {
  4500: "The shop did not understand this page. Load it again.",
  4501: "This page's ticket is no longer good. Load the page again for a fresh one.",
  4504: "This drop is not here any more.",
};

/** Why the server said not to come back. @param {number} code */
export const closed = (code) => CLOSED[code] ?? "The shop asked this page not to come back. Load it again.";
export const UNKNOWN = "The connection was lost before an answer came. What you have is shown here as it is now.";

/** What a confirmation is worth. */
export const SAVED = "what this page confirms is saved before it tells you";
export const WEAKER = "what this page confirms may be lost if the power fails within a second of it";

// --- The one button. ---

export const WAITS = /** @type {Record<string, string>} */ ({
  hold: "Holding…",
  claim: "Taking it…",
  release: "Giving it back…",
  extend: "Asking for more time…",
  pay: "Opening the payment…",
  join: "Joining the line…",
  leave: "Leaving the line…",
});
export const MOMENT = "One moment…";

export const ENDS = /** @type {Record<string, [string, string]>} */ ({
  closing: ["Closed", "Nothing new begins. What is held can still be paid."],
  settled: ["Closed", "This drop is over."],
  cancelled: ["Cancelled", "The maker cancelled this drop. Every payment goes back."],
  frozen: ["Stopped", "Nothing can be done here until the maker has looked at it. What was confirmed stays."],
});

export const WATCHING = ["You are watching", "Very many people came from your network at once. This is the sale as it is, and in a moment the page lets you in by itself."];
export const NOTHING = "Nothing to choose";
export const LIMIT = ["Your limit is reached", "What you hold and what you bought fill what one fan may have."];
export const PAUSED = "The drop is paused. The line is open, and goes first when it goes on.";
export const SOLD_OUT = "Sold out. A unit that is refunded goes to the line.";
export const NONE_NOW = "None is for sale now. What comes goes to the line.";
export const OPENING = "Opening…";
export const BY_ITSELF = "This button opens by itself.";
export const EARLY = `Being early earns nothing and costs nothing. ${BY_ITSELF}`;
export const EARLY_BY_HAND = "The maker opens this drop by hand. This page opens with it.";
export const JOIN = "Join the line";
export const TAKE = "Take it";
export const ASKING = "Asking about your payment…";
export const OVER = ["Time is over…", "The shop is settling this hold."];
export const BACK_TO_PAYMENT = "Back to the payment";
export const BOUGHT = "Bought and numbered. Your order number and what happens next stand below.";

export const opensAt = (/** @type {string} */ when) => `Opens ${when}`;
export const holdWords = (/** @type {number} */ qty, /** @type {boolean} */ again) => `Hold ${qty === 1 ? "one" : number(qty)} ${again ? "more" : "for me"}`;
export const holdHint = (/** @type {number} */ ms) => `Yours for ${span(ms)} while you pay. Nothing is charged yet.`;
export const fewLeft = (/** @type {number} */ few) => `Only ${count(few, "unit")} left to hold.`;
export const allHeld = (/** @type {{held: number, offered: number}} */ pool) => `All held: ${held(pool)}. What comes back goes to the line.`;
export const claimHint = (/** @type {HoldView} */ hold, /** @type {number} */ ms) => `Your turn. Take it before ${timeOfDay(hold.deadline_ms)} or it goes on; then you have ${span(ms)} to pay.`;
export const heldUntil = (/** @type {HoldView} */ hold) => `Held for you until ${timeOfDay(hold.deadline_ms)}. Pay before that.`;
/** The same beside the button, which says that it is to be paid. @param {HoldView} hold */
export const heldOrGone = (hold) => `Held for you until ${timeOfDay(hold.deadline_ms)}; then ${hold.qty === 1 ? "it goes" : "they go"} to others.`;
export const firstOf = (/** @type {number} */ all) => `The first of ${all} that wait for you.`;
export const payWords = (/** @type {string} */ sum) => `Pay ${sum}`;
export const asking = (/** @type {HoldView} */ hold) => `Your time is over, and you began to pay: we are asking your bank, until ${timeOfDay(hold.asking)} at most.`;
export const NOBODY_ELSE = "Nobody else gets the unit before that.";
export const inLine = (/** @type {number} */ place) => `In line: place ${number(place)}`;
export const IN_LINE = "In line";
export const next = (/** @type {number} */ ms) => `You are next. What comes back is offered to you, for ${span(ms)}.`;
export const turnStands = (/** @type {number} */ ms) => `Your turn shows here and stands for ${span(ms)}.`;
export const KEEPS_PLACE = "You keep your place in line.";
export const NEXT_ROOM = "You are next, as soon as your limit has room.";
export const PROVISIONAL = "A place in the boost lane may still change.";
export const ahead = (/** @type {LinePlace} */ at) => (at.place === 1 ? "next" : `${number(at.place - 1)} ahead of you${at.buying > 0 ? `, ${number(at.buying)} of them buying` : ""}`);
export const yoursWords = (/** @type {number[]} */ numbers, /** @type {number | undefined} */ cap) => `Yours: ${serials(numbers)}${cap === undefined ? "" : ` of ${number(cap)}`}`;

/**
 * A refusal's sentence, with its numbers.
 * @param {Refused} refused
 * @param {DropView} drop
 */
export function refusal(refused, drop) {
  const { code, text, free, held: some, room, retry_ms } = refused;
  if (code === "all_held" && free) return `Only ${count(free, "unit")} left at this moment. Press again to take ${free === 1 ? "it" : "them"}.`;
  if (code === "all_held" && some) return `${text} (${may(some)})`;
  if (code === "limit_reached" && room) return `${text} You may have ${room} more.`;
  if (code === "limit_reached") return `${text} The limit is ${count(drop.limit, "unit")}.`;
  if (code === "too_many_requests" && retry_ms) return `${text} Again in ${span(1_000 * Math.ceil(retry_ms / 1_000))}.`;
  return text;
}

// --- What is the fan's own. ---

export const YOURS = "Yours";
export const PAY = "Pay";
export const PASS = "Pass on it";
export const GIVE_BACK = "Give it back";
export const LEAVE = "Leave the line";
export const UNDO = "Undo";
export const AGAIN = "Join again";
export const READ = "Got it";
export const PASSING = "Passing on it in 4 seconds…";
export const GIVING = "Giving it back in 4 seconds…";
export const LEAVING = "Leaving in 4 seconds…";
export const STILL = "Set aside for you. Its time stands still while the drop is stopped.";
export const LAST_MINUTE = "Less than a minute is left.";
export const PAYING = "Payment begun.";
export const LINE_OVER = "The drop has ended; this line is not called any more.";
export const more = (/** @type {number} */ ms) => `${span(ms)} more`;
export const oneMore = (/** @type {number} */ ms) => `You may have ${span(ms)} more, once.`;
export const joinedAs = (/** @type {number} */ n) => `You joined as number ${number(n)}`;
export const offeredUntil = (/** @type {HoldView} */ hold) => `Your turn. Take it before ${timeOfDay(hold.deadline_ms)}.`;
export const lineFor = (/** @type {number} */ qty) => (qty > 1 ? `In line for ${number(qty)}` : IN_LINE);

/**
 * What is true of a place in line, and what happens next.
 * @param {number} k
 * @param {EntryView} entry
 * @param {number} now
 */
export function turn(k, entry, now) {
  if (entry.state === "offered") return entry.lapses > 0 ? "Your second turn: your offer is above. Missing it ends your place." : "Called: your offer is above. Your place stays until you have bought.";
  if (entry.cool_ms > now) return cooling(entry, now);
  if (entry.lane === "boost") return "In the boost lane: every few calls come from here. The place is provisional.";
  if (entry.lapses > 0) return "You missed one turn and keep your place; missing a second ends it.";
  const at = entry.lines[0];
  const kept = "You may close this page; your place is kept.";
  if (at === undefined || at.place < 2 || k < 2) return `You can only move up. ${kept}`;
  const latest = Math.min(at.latest > 0 ? at.latest : Infinity, Math.ceil((at.place * k) / (k - 1)));
  return `You can only move up. At most ${count(latest - 1, "offer")} ${latest === 2 ? "goes" : "go"} out before yours. ${kept}`;
}

/**
 * @param {EntryView} entry
 * @param {number} now
 */
export const cooling = (entry, now) => `You missed one turn. You keep your place and can be called again in ${left(entry.cool_ms - now)}; missing a second ends it. What is left meanwhile you may hold like anybody.`;

/**
 * How a hold ended, so that nobody loses without a reason.
 * @param {HoldView} hold
 */
export function ending(hold) {
  const next = `so ${hold.qty === 1 ? "it goes" : "they go"} to whoever is next.`;
  const offer = hold.origin === "line" && !hold.claimed;
  if (hold.state === "cancelled") return "The maker cancelled the drop, so your hold ended.";
  if (hold.state === "released") return offer ? "You passed on this offer." : "You gave it back.";
  if (offer) return `You did not take it in time, ${next}`;
  return `The time to pay ran out, ${next}`;
}

const REASONS = /** @type {Record<string, string>} */ ({
  lapses: "Your place has ended: you missed two turns.",
  left: "You left the line.",
  limit: "Your place has ended: what you bought fills what one fan may have.",
});

/** Why a place ended without a sale. @param {EndedEntry} entry */
export const gone = ({ n, why }) => `${REASONS[why] ?? "Your place has ended."} You had joined as number ${number(n)}${why === "limit" ? "" : "; joining again puts you at the end"}.`;

/**
 * What became of an order's money.
 * @param {OrderView} order
 * @param {DropView} drop
 */
export function paid(order, drop) {
  const sum = money(order.amount, drop);
  const words = /** @type {Record<string, string>} */ ({
    capture_pending: `Paid ${sum}. The payment is being completed.`,
    capture_failed: `The payment of ${sum} could not be collected in full. What you bought stays yours until the maker decides.`,
    done: `Paid ${sum}.`,
    refund_pending: `Refunded by the maker: ${sum} is on its way back.`,
    refunded: `Refunded by the maker: ${sum} went back to you.`,
    refund_failed: `Refunded by the maker, but ${sum} could not be returned to you. Ask the maker for it.`,
  });
  return words[order.state] ?? sum;
}

/** The way to an order's own page. @param {OrderView} order */
export const orderPage = ({ number: spoken }) => `Order ${spoken}: what happens next`;

// --- What is said aloud. ---

export const SAID = /** @type {Record<string, string>} */ ({
  live: "The drop is open.",
  paused: "The drop is paused. What you hold is safe.",
  sold_out: "Sold out.",
  closing: "The drop is closing.",
  settled: "The drop is over.",
  cancelled: "The maker cancelled this drop.",
  frozen: "The drop stopped itself.",
});
export const SAY = {
  offer: (/** @type {string} */ what, /** @type {number} */ ms) => `It is your turn: ${what}. Take it within ${span(ms)}.`,
  held: (/** @type {string} */ what) => `${what}: held for you.`,
  taken: (/** @type {string} */ what) => `${what}: taken. It is held for you now.`,
  longer: (/** @type {HoldView} */ hold) => `More time: held for you until ${timeOfDay(hold.deadline_ms)}.`,
  last: "Less than a minute is left on your hold.",
  bought: (/** @type {string} */ what, /** @type {number[]} */ numbers) => `Yours: ${what}, ${serials(numbers)}.`,
  place: (/** @type {number} */ place, /** @type {string} */ what) => `In line for ${what}: place ${number(place)}.`,
  opens: (/** @type {string} */ when) => `The maker changed the time: this drop opens ${when}.`,
  closes: (/** @type {string} */ when) => `The maker changed the time: this drop closes ${when}.`,
  news: (/** @type {string} */ text) => `From the maker: ${text}`,
  lost: "The connection is lost. What is shown may be old.",
  away: "The shop is out of reach for a moment. What is shown may be old.",
  back: "The page is up to date again.",
  later: { leave: "Leaving the line in 4 seconds. Undo keeps your place.", release: "Giving it back in 4 seconds. Undo keeps it." },
  kept: "Undone. Nothing was given up.",
};
