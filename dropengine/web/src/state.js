/**
 * The one state of a page and how each message changes it. Pure: the same messages make the same state.
 *
 * @import {Command, Done, DropView, HoldView, Message, News, PoolView, Refused, Snapshot, Tick, You} from "./wire.js"
 */

import { moved, newer } from "./places.js";
import { told as later } from "./words.js";

/**
 * How the page hears of the truth. `live`: what is shown is the present. `since`: the server's clock when the
 * page last knew that. `quiet`: a word that should have come has not, so it is not known whether the page is up to
 * date. `over`: the server said not to come back.
 * @typedef {{live: boolean, quiet: boolean, way: "page" | "socket" | "stream" | "poll", since: number, over: boolean, why: string}} Link
 */

/** @typedef {{command: Command, refused: Refused}} Refusal */

/**
 * @typedef {object} State
 * @property {number} seq
 * @property {DropView} drop
 * @property {You | null} you
 * @property {Link} link
 * @property {boolean} watching the page came without a ticket, and asks for one by itself
 * @property {number} away since when the shop does not reach its own server, ms; 0: it does
 * @property {Command[]} asked commands under way, oldest first
 * @property {Refusal | null} refusal the last one, until the fan presses again
 * @property {Command[]} later what was given up and can still be undone
 * @property {{opens_ms: number, closes_ms: number}} planned the times of the sale as they were when this page came
 */

/**
 * The state that the server rendered into the page: true then, not live yet.
 * @param {Snapshot} first
 * @returns {State}
 */
export function begun(first) {
  return {
    seq: first.seq,
    drop: first.drop,
    you: first.you,
    watching: first.you === null && !known(first.drop),
    link: { live: false, quiet: false, way: "page", since: first.drop.now, over: false, why: "" },
    away: 0,
    asked: [],
    refusal: null,
    later: [],
    planned: { opens_ms: first.drop.opens_ms, closes_ms: first.drop.closes_ms },
  };
}

/**
 * `missed`: a place is not exact any more, ask for `you`. `behind`: the message was older than the page.
 * @typedef {{state: State, missed: boolean, behind: boolean}} Heard
 */

/**
 * @param {State} state
 * @param {Message} message
 * @returns {Heard}
 */
export function heard(state, message) {
  const now = (/** @type {State} */ next) => ({ state: next, missed: false, behind: false });
  switch (message.t) {
    case "snapshot":
      return now(opened(state, message));
    case "tick":
      return ticked(state, message);
    case "you":
      return now({ ...state, you: newer(state.you, message) });
    case "news":
      return now({ ...state, drop: { ...state.drop, news: told(state.drop.news, [message]) } });
    case "done":
      return now({ ...state, you: patched(state.you, message) });
    default:
      return now(state);
  }
}

/**
 * @param {State} state
 * @param {Snapshot} snapshot
 * @returns {State}
 */
function opened(state, snapshot) {
  const { drop, you, seq } = snapshot;
  // Another run of the server whose log is shorter lost something: its word is the truth all the same.
  if (drop.epoch !== state.drop.epoch && seq < state.seq) return { ...state, away: 0, seq, drop, you };
  const news = told(state.drop.news, drop.news);
  // Another worker may be a tick behind the one we came from. Time does not run backwards on a screen.
  const known = seq < state.seq ? { ...state.drop, epoch: drop.epoch, news } : { ...drop, news };
  return {
    ...state,
    watching: state.watching && you === null,
    away: 0,
    seq: Math.max(seq, state.seq),
    drop: known,
    you: you === null ? null : newer(state.you, you),
  };
}

/**
 * @param {State} state
 * @param {Tick} tick
 * @returns {Heard}
 */
function ticked(state, tick) {
  const { you, missed } = state.you === null ? { you: null, missed: false } : (later().climbed ?? moved)(state.you, tick.lines ?? {}, tick.boosts);
  if (tick.away) return { state: { ...state, away: state.away || tick.now }, missed: false, behind: false };
  // Moves carry their own count and are right in any tick; the rest of an older one is not.
  if (tick.seq < state.seq) return { state: { ...state, you }, missed, behind: true };
  const drop = {
    ...state.drop,
    now: tick.now,
    state: tick.state,
    revision: tick.revision,
    pools: { ...state.drop.pools, ...tick.pools },
    opens_ms: tick.opens_ms ?? 0,
    closes_ms: tick.closes_ms ?? 0,
    why: tick.why ?? "",
    calls_ms: tick.calls_ms ?? 0,
    listed: tick.listed,
    exempt: tick.exempt,
    early: tick.early,
  };
  return { state: { ...state, away: 0, seq: tick.seq, drop, you }, missed, behind: false };
}

/**
 * @param {News[]} have
 * @param {News[]} fresh
 * @returns {News[]} newest first, each once
 */
function told(have, fresh) {
  const all = new Map([...have, ...fresh].map((news) => [news.seq, news]));
  return [...all.values()].sort((a, b) => b.seq - a.seq);
}

/**
 * An answer shows its hold at once; the `you` that follows says the same and more.
 * @param {You | null} you
 * @param {Done} done
 * @returns {You | null}
 */
function patched(you, done) {
  if (you === null || you.seq >= done.seq || !done.hold) return you;
  const hold = { ...done.hold, pay: done.pay?.[done.hold.id] ?? done.hold.pay };
  const others = you.holds.filter((other) => other.id !== hold.id);
  return { ...you, holds: open(hold) ? [...others, hold] : others };
}

/** Whether only people act here who are known. @param {DropView} drop */
export const known = (drop) => drop.identity === "verified";

/** Whether a drop is to open, or to close, at some time: else that time means nothing any more. @param {DropView} drop */
export const toOpen = (drop) => drop.state === "scheduled";
/** @param {DropView} drop */
export const toClose = (drop) => ["scheduled", "live", "paused"].includes(drop.state);

/** @param {HoldView} hold */
export const open = (hold) => hold.state === "active" || hold.state === "paying";

/** An offer is a hold that the line made and the fan has not taken yet. @param {HoldView} hold */
export const offered = (hold) => hold.origin === "line" && !hold.claimed && hold.state === "active";

/**
 * Units that this fan may still take of an item.
 * @param {State} state
 * @param {string} id the item's
 */
export function room(state, id) {
  const item = state.drop.items.find((other) => other.id === id);
  const you = state.you;
  if (item === undefined) return 0;
  if (you === null) return item.limit > 0 ? Math.min(item.limit, state.drop.limit) : state.drop.limit;
  const all = state.drop.limit - you.used;
  if (item.limit === 0) return Math.max(0, all);
  const mine = (/** @type {{pool: string, qty: number}[]} */ list) =>
    list.reduce((sum, one) => sum + (state.drop.pools[one.pool]?.item === id ? one.qty : 0), 0);
  const taken = mine(you.holds.filter(open)) + mine(you.orders.filter(kept));
  return Math.max(0, Math.min(all, item.limit - taken));
}

/** Whether the units of an order are the fan's. @param {{state: string}} order */
export const kept = (order) => !["refund_pending", "refunded", "refund_failed"].includes(order.state);

/**
 * @param {DropView} drop
 * @param {string} pool
 */
export function itemOf(drop, pool) {
  const id = drop.pools[pool]?.item;
  return drop.items.find((item) => item.id === id);
}

/** Nothing of this drop begins any more: what is free is not for sale. @param {DropView} drop */
export const ended = (drop) => ["closing", "settled", "cancelled"].includes(drop.state);

/** @typedef {{cap: number, free: number, held: number, offered: number, sold: number, back: number, waiting: number, buying: number}} Sum */

/**
 * Several pools as one. `back`: not for sale at the moment (withheld or leased).
 * @param {PoolView[]} pools
 * @returns {Sum}
 */
export function total(pools) {
  const none = { cap: 0, free: 0, held: 0, offered: 0, sold: 0, back: 0, waiting: 0, buying: 0 };
  return pools.reduce(
    (sum, pool) => ({
      cap: sum.cap + pool.cap,
      free: sum.free + pool.free,
      held: sum.held + pool.held,
      offered: sum.offered + pool.offered,
      sold: sum.sold + pool.sold,
      back: sum.back + pool.withheld + pool.leased,
      waiting: sum.waiting + pool.waiting,
      buying: sum.buying + pool.buying,
    }),
    none,
  );
}

/** What people call the state: `live` without a free or a held unit is sold out. @param {DropView} drop */
export function phase(drop) {
  if (drop.state !== "live") return drop.state;
  const left = Object.values(drop.pools).some((pool) => pool.free > 0 || pool.held > 0);
  return left ? "live" : "sold_out";
}
