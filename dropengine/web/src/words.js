/**
 * How the live parts speak: which sentence of the catalogue they say, and what it is filled with. Nothing here decides
 * anything. What a maker wrote never stands inside a sentence: it is shown beside it, in an element of its own.
 */

import * as say from "#said";
import { carts, lately, left, money, serials, span, timeOfDay } from "./formats.js";
import { fill, number } from "./sentences.js";

/** @import {BoostMoves, Command, Done, DropView, EndedEntry, EntryView, HoldView, LinePlace, Moves, OrderView, Refused, You} from "./wire.js" */
/** @import {State, Sum} from "./state.js" */
/** @import {Action, Choice} from "./action.js" */

/** @typedef {Record<string, string>} Table */

/** What the sale is doing. The connection has other words. */
export const PHASES = /** @type {Table} */ (say.phase);

export const OPENS_IN = say.opens_in;
export const OPENS_SOON = say.opens_soon;
export const BY_HAND = say.by_hand;
export const NO_CLOSE = say.no_close;
export const CALENDAR = say.calendar;
export const MAKERS_TIME = say.makers_time;
export const HOW_MANY = say.how_many;
export const FEWER = say.fewer;
export const MORE = say.more;
export const WHICH = say.which;
export const ALSO = say.also;

export const may = (/** @type {number} */ held) => fill(say.may_come_back, { count: held });
export const CLOSES_IN = say.closes_in;
export const closesIn = say.and_closes_in;
/** @param {number} was the time that a page came with, 0: none @param {number} now */
export const changed = (was, now) => (was > 0 ? fill(say.changed_from, { when: lately(was, now) }) : say.changed);
export const from = say.from;

/** @param {{waiting: number, buying: number}} sum */
export const inLineNow = ({ waiting, buying }) => (waiting === 0 ? "" : fill(buying > 0 ? say.in_line_buying : say.in_line_now, { count: waiting, buying }));

/** What the five kinds of units are called; together they are all that were made. */
export const UNITS = say.unit;

/**
 * The stock of one choice.
 * @param {{free: number, held: number, offered: number, sold: number, withheld: number, leased: number, waiting: number}} pool
 * @param {boolean} ended
 */
export function stock(pool, ended) {
  const back = pool.withheld + pool.leased;
  const none = say.none_left;
  const first = pool.free > 0 ? `${number(pool.free)} ${ended ? UNITS.unsold : UNITS.free}` : pool.held > 0 && !ended ? fill(none.held, { held: held(pool) }) : pool.sold > 0 ? none.sold : none.never;
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
export const cellIs = (/** @type {number} */ each) => fill(say.cell_is, { count: each });

// --- The connection. ---

export const UP_TO_DATE = { socket: say.up_to_date, stream: say.up_to_date, poll: say.up_to_date_poll, page: say.connecting };
export const CHECKING = say.checking;
export const notSince = (/** @type {number} */ since) => fill(say.not_since, { time: timeOfDay(since) });
export const awaySince = (/** @type {number} */ since) => fill(say.away_since, { time: timeOfDay(since) });
export const AWAY = say.nothing_lost;
export const COMING_BACK = say.coming_back;
export const LOAD_AGAIN = say.load_again;
export const askingAgain = (/** @type {number} */ seconds) => fill(say.asking_again, { count: seconds });
export const BACK_AGAIN = say.back_again;
export const NO_STATE = say.no_state;

/** @type {Record<number, string>} */
const CLOSED = { 4500: say.not_understood, 4501: say.ticket_over, 4504: say.drop_gone };

/** Why the server said not to come back. @param {number} code */
export const closed = (code) => CLOSED[code] ?? say.not_back;
export const UNKNOWN = say.unknown;

/** What a confirmation is worth. */
export const SAVED = say.saved;
export const WEAKER = say.weaker;

// --- The one button. ---

export const WAITS = /** @type {Table} */ (say.wait);
export const MOMENT = say.moment;

export const ENDS = /** @type {Record<string, [string, string]>} */ ({
  closing: [say.closed, say.closing_why],
  settled: [say.closed, say.settled_why],
  cancelled: [PHASES["cancelled"], say.cancelled_why],
  frozen: [PHASES["frozen"], say.frozen_why],
});

export const SIGN_IN = say.sign_in_to_buy;
export const WATCHING = [say.watching, say.watching_why];
export const NOTHING = say.nothing;
export const LIMIT = [say.limit, say.limit_why];
export const PAUSED = say.paused_line;
export const SOLD_OUT = say.sold_out_line;
export const NONE_NOW = say.none_line;
export const OPENING = say.opening;
export const BY_ITSELF = say.by_itself;
export const EARLY = `${say.early} ${BY_ITSELF}`;
export const EARLY_BY_HAND = say.early_by_hand;
export const JOIN = say.join;
export const TAKE = say.take;
export const ASKING = say.asking;
export const OVER = [say.over, say.over_why];
export const BACK_TO_PAYMENT = say.back_to_payment;
export const BOUGHT = say.bought;

export const opensAt = (/** @type {string} */ when) => fill(say.opens_at, { when });
export const holdWords = (/** @type {number} */ qty, /** @type {boolean} */ again) => (qty === 1 ? (again ? say.hold_one_more : say.hold_one) : fill(again ? say.hold_some_more : say.hold_some, { count: qty }));
export const holdHint = (/** @type {number} */ ms) => fill(say.hold_hint, { span: span(ms) });
export const fewLeft = (/** @type {number} */ few) => fill(say.few_left, { count: few });
export const allHeld = (/** @type {{held: number, offered: number}} */ pool) => fill(say.held_line, { held: held(pool) });
export const claimHint = (/** @type {HoldView} */ hold, /** @type {number} */ ms) => fill(say.claim_hint, { time: timeOfDay(hold.deadline_ms), span: span(ms) });
export const heldUntil = (/** @type {HoldView} */ hold) => fill(say.held_until, { time: timeOfDay(hold.deadline_ms) });
/** The same beside the button, which says that it is to be paid. @param {HoldView} hold */
export const heldOrGone = (hold) => fill(say.held_or_gone, { count: hold.qty, time: timeOfDay(hold.deadline_ms) });
export const firstOf = (/** @type {number} */ all) => fill(say.first_of, { count: all });
export const payWords = (/** @type {string} */ sum) => fill(say.pay_sum, { sum });
export const asking = (/** @type {HoldView} */ hold) => fill(say.asking_bank, { time: timeOfDay(hold.asking) });
export const NOBODY_ELSE = say.nobody_else;
export const inLine = (/** @type {number} */ place) => fill(say.in_line_at, { count: place });
export const IN_LINE = say.in_line;
export const next = (/** @type {number} */ ms) => fill(say.next_offer, { span: span(ms) });
export const turnStands = (/** @type {number} */ ms) => fill(say.turn_stands, { span: span(ms) });
/** For who waits in quiet hours, once the module that says it has come. @param {DropView} drop @param {LinePlace} [at] */
export const night = (drop, at) => told().night?.(drop, at) ?? "";
export const KEEPS_PLACE = say.keeps_place;
export const NEXT_ROOM = say.next_room;
export const PROVISIONAL = say.provisional;
/** A tick tells how many are buying, a place only how many of those ahead were when it was read. @param {DropView} drop @param {LinePlace} at */
export const ahead = ({ pools }, at) => {
  const buying = Math.min(at.buying, pools[at.pool]?.buying ?? 0);
  return at.place === 1 ? say.next : fill(buying > 0 ? say.ahead_buying : say.ahead, { count: at.place - 1, buying });
};
export const yoursWords = (/** @type {number[]} */ numbers, /** @type {number | undefined} */ cap) => (cap === undefined ? fill(say.yours_are, { serials: serials(numbers) }) : fill(say.yours_of, { serials: serials(numbers), cap }));

/**
 * What most pages do without at first. What comes later (`voice.entry.js`): what the server says in English, in the
 * language of this page, and what is said in quiet hours (`quiet.js`). What only drops have that are launched
 * otherwise than by who comes first (`launch.js`): how the sale stands, what the one button says, a place and how it
 * ended.
 * @typedef {object} Told
 * @property {(refused: Refused, drop: DropView) => string} refusal
 * @property {Table} stopped
 * @property {(drop: DropView, at?: LinePlace) => string} night
 * @property {(state: State, entry: EntryView, chosen: string) => Action | undefined} ownCall
 * @property {(state: State, now: number, usual: unknown) => unknown} head
 * @property {(state: State, choice: Choice, now: number) => Action | undefined} listed
 * @property {(state: State, entry: EntryView, now: number) => {title: string, arrival: string, places?: unknown, says: unknown, leave: string} | undefined} entry
 * @property {(entry: EndedEntry, drop: DropView) => string | undefined} gone
 * @property {Pick<typeof import("lit/html.js"), "html" | "nothing" | "render">} lit what draws the page: a second one in it is refused
 * @property {(command: Command) => Promise<Done | Refused>} ask
 * @property {(state: State, hold: string) => boolean} till whether the till takes it from here: see `till.entry.js`
 * @property {(you: You, lines: Record<string, Moves>, boosts?: Record<string, BoostMoves>) => {you: You, missed: boolean}} climbed see `climbs.js`
 */
/** @param {Partial<Told>} more */
export const tell = (more) => Object.assign(globalThis, { told: { ...told(), ...more } });
export const told = () => /** @type {{told?: Partial<Told>}} */ (globalThis).told ?? /** @type {Partial<Told>} */ ({});

/** Why a drop stopped: what the shop itself wrote is known by its English, what its maker wrote stays as it is. */
export function whyStopped(/** @type {string} */ why) {
  const { stopped = {} } = told();
  return Object.hasOwn(stopped, why) ? (stopped[why] ?? why) : why;
}

/**
 * A refusal's sentence, with its numbers once the module that says them has come.
 * @param {Refused} refused
 * @param {DropView} drop
 */
export const refusal = (refused, drop) => told().refusal?.(refused, drop) ?? refused.text;

// --- What is the fan's own. ---

export const YOURS = say.yours;
export const PAY = say.pay;
export const PASS = say.pass;
export const GIVE_BACK = say.give_back;
export const LEAVE = say.leave;
export const UNDO = say.undo;
export const AGAIN = say.join_again;
export const READ = say.read;
export const PASSING = say.passing;
export const GIVING = say.giving;
export const LEAVING = say.leaving;
export const STILL = say.still;
export const LAST_MINUTE = say.last_minute;
export const PAYING = say.paying;
export const LINE_OVER = say.line_over;
export const more = (/** @type {number} */ ms) => fill(say.span_more, { span: span(ms) });
export const oneMore = (/** @type {number} */ ms) => fill(say.one_more, { span: span(ms) });
export const joinedAs = (/** @type {number} */ n) => fill(say.joined_as, { count: n });
export const offeredUntil = (/** @type {HoldView} */ hold) => fill(say.offered_until, { time: timeOfDay(hold.deadline_ms) });
export const lineFor = (/** @type {number} */ qty) => (qty > 1 ? fill(say.line_for, { count: qty }) : IN_LINE);

/**
 * What is true of a place in line, and what happens next.
 * @param {number} k
 * @param {EntryView} entry
 * @param {number} now
 */
export function turn(k, entry, now) {
  if (entry.state === "offered") return entry.lapses > 0 ? say.second_turn : say.called;
  if (entry.cool_ms > now) return cooling(entry, now);
  if (entry.lane === "boost") return PROVISIONAL;
  if (entry.lapses > 0) return say.missed_one;
  const at = entry.lines[0];
  if (at === undefined || at.place < 2 || k < 2) return `${say.only_up} ${say.may_close}`;
  const latest = Math.min(at.latest > 0 ? at.latest : Infinity, Math.ceil((at.place * k) / (k - 1)));
  return `${say.only_up} ${fill(say.offers_before, { count: latest - 1 })} ${say.may_close}`;
}

/**
 * @param {EntryView} entry
 * @param {number} now
 */
export const cooling = (entry, now) => fill(say.cooling, { left: left(entry.cool_ms - now) });

/**
 * How a hold ended, so that nobody loses without a reason.
 * @param {HoldView} hold
 */
export function ending(hold) {
  const offer = hold.origin === "line" && !hold.claimed;
  if (hold.state === "cancelled") return say.ended.cancelled;
  if (hold.state === "released") return offer ? say.ended.passed : say.ended.given;
  return fill(offer ? say.not_taken : say.ran_out, { count: hold.qty });
}

/** Why a place ended without a sale. @param {EndedEntry} entry @param {DropView} drop */
export const gone = (entry, drop) => told().gone?.(entry, drop) ?? ended(entry);
/** @param {EndedEntry} entry */
const ended = ({ n, why }) => `${/** @type {Table} */ (say.gone)[why] ?? say.gone.other} ${fill(why === "limit" ? say.had_joined : say.had_joined_end, { count: n })}`;

/**
 * What became of an order's money.
 * @param {OrderView} order
 * @param {DropView} drop
 */
export function paid(order, drop) {
  const sum = money(order.amount, drop);
  return fill(/** @type {Table} */ (say.paid)[order.state] ?? sum, { sum });
}

/** The way to an order's own page. @param {OrderView} order */
export const orderPage = ({ number: spoken }) => fill(say.order_page, { number: spoken });
export const ofAll = (/** @type {number} */ cap) => fill(say.of_all, { cap });

// --- What is said aloud. ---

export const SAID = /** @type {Table} */ (say.said);
export const SAY = {
  offer: (/** @type {string} */ what, /** @type {number} */ ms) => fill(say.say_offer, { what, span: span(ms) }),
  held: (/** @type {string} */ what) => fill(say.say_held, { what }),
  taken: (/** @type {string} */ what) => fill(say.say_taken, { what }),
  longer: (/** @type {HoldView} */ hold) => fill(say.say_longer, { time: timeOfDay(hold.deadline_ms) }),
  last: say.say_last,
  bought: (/** @type {string} */ what, /** @type {number[]} */ numbers) => fill(say.say_bought, { what, serials: serials(numbers) }),
  place: (/** @type {number} */ place, /** @type {string} */ what) => fill(say.say_place, { what, count: place }),
  opens: (/** @type {string} */ when) => fill(say.say_opens, { when }),
  closes: (/** @type {string} */ when) => fill(say.say_closes, { when }),
  news: (/** @type {string} */ text) => fill(say.say_news, { text }),
  lost: say.say_lost,
  away: say.say_away,
  back: say.say_back,
  later: { leave: say.say_leaving, release: say.say_giving },
  kept: say.say_kept,
  entered: say.say_entered,
  seals: (/** @type {string} */ when) => fill(say.say_seals, { when }),
  unsealed: say.say_unsealed,
};
