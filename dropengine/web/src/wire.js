/**
 * Every message between this page and the engine, as types: the browser's side of the protocol `drop.v1`.
 * Times are ms since 1970 on the server's clock; money is in minor units.
 */

/**
 * @typedef {object} PoolView
 * @property {string} item
 * @property {number} cap
 * @property {number} free
 * @property {number} held
 * @property {number} sold
 * @property {number} withheld
 * @property {number} leased
 * @property {number} waiting
 * @property {number} buying
 * @property {number} offered the part of `held` that nobody has claimed yet
 * @property {number} [next] in quiet hours the arrival whose fan may press for what is free
 */

/** @typedef {{r0: number, left: number[]}} Moves */
/** @typedef {{r0: number, moves: [number, number, number][]}} BoostMoves arrival, rank before and after; -1: not there */
/** @typedef {{t?: "news", seq: number, at: number, text: string}} News */

/**
 * @typedef {object} Tick
 * @property {"tick"} t
 * @property {number} seq
 * @property {number} now
 * @property {string} state
 * @property {number} revision
 * @property {Record<string, PoolView>} pools
 * @property {number} [opens_ms]
 * @property {number} [closes_ms]
 * @property {Record<string, Moves>} [lines]
 * @property {Record<string, BoostMoves>} [boosts]
 * @property {string} [why] the maker's reason of a pause or a cancellation
 * @property {number} [calls_ms] in quiet hours: when the line calls again
 * @property {ListView} [listed]
 * @property {string[]} [exempt] networks and mail domains that the maker has let in
 * @property {EarlyView} [early] of a drop that has cohorts
 * @property {boolean} [away] the shop's own server does not answer: the last known numbers, from `now`
 */

/**
 * How far a list has come that chance orders; what is 0 or '' is left out.
 * @typedef {object} ListView
 * @property {number} [entries]
 * @property {number} [placed]
 * @property {number} [seals_ms]
 * @property {number} [sealed_ms]
 * @property {string} [root]
 * @property {string} [revealed]
 * @property {number} [won]
 * @property {number} [called]
 * @property {number} [behind] arrivals before its own
 */

/**
 * Its rules.
 * @typedef {object} ChanceView
 * @property {number} window_ms
 * @property {number} first_offer_ms
 * @property {number} tickets_most
 * @property {boolean} [guests]
 * @property {string} [commitment]
 * @property {number} [round]
 * @property {string} [beacon]
 * @property {number} [due_ms]
 * @property {boolean} [own] the shop named that network itself
 */

/** @typedef {{lasts: boolean, public_ms: number}} EarlyView `lasts`: it is not open to all yet; `public_ms` 0: by hand */
/** @typedef {{id: string, title: string, codes: boolean}} CohortView `codes`: who has one is in it */

/** @typedef {{t: "beat", now: number}} Beat nothing changed since the last tick */

/**
 * @typedef {object} ItemView
 * @property {string} id
 * @property {string} title
 * @property {number} cap
 * @property {number} price
 * @property {number} limit
 * @property {number} most
 * @property {string} about
 * @property {string[]} pools
 */

/**
 * @typedef {object} DropView
 * @property {string} id
 * @property {string} title
 * @property {string} maker
 * @property {string} story
 * @property {string} state
 * @property {number} revision
 * @property {string} mode
 * @property {string} currency
 * @property {number} minor_digits
 * @property {string} zone
 * @property {number} opens_ms
 * @property {number} closes_ms
 * @property {number} now
 * @property {number} limit
 * @property {number} k
 * @property {number} hold_ms
 * @property {number} offer_ms
 * @property {number} extend_ms
 * @property {number} cool_ms
 * @property {boolean} practice
 * @property {number} pace what one fan may begin at once, 0: as often as he likes
 * @property {number} pace_ms and then one more in each
 * @property {number} network_most unpaid holds and open entries of one network, 0: as many as its people like
 * @property {number} [domain_most] persons of one mail domain, 0: as many as come
 * @property {string} hash
 * @property {string} epoch
 * @property {boolean} durable
 * @property {ItemView[]} items
 * @property {Record<string, PoolView>} pools
 * @property {Record<string, number>} lines
 * @property {News[]} news
 * @property {string} [why]
 * @property {object | null} [asks] what an order has to know
 * @property {string} [identity] who may act: guest or verified
 * @property {number} [calls_ms] as in a tick
 * @property {ChanceView | null} [chance] where chance gives out the arrivals
 * @property {ListView | null} [listed]
 * @property {string[]} [exempt] as in a tick
 * @property {EarlyView | null} [early] of a drop that has cohorts
 * @property {CohortView[]} [cohorts]
 * @property {number} [carried_share]
 * @property {object | null} [game] what gives points in the line
 * @property {WayView[]} [ways] how things come to their buyers
 * @property {number} [hand_ms] how long a payment by hand may take; 0: there is none
 * @property {number} [hand_share]
 * @property {string[]} [pays] by whom it can be paid, the usual one first
 * @property {number} [beat_ms] a tick or a beat comes at least this often
 */

/**
 * How what was bought comes to its buyer; what is 0 or empty is left out.
 * @typedef {object} WayView
 * @property {string} id
 * @property {string} kind ship, pickup or courier
 * @property {string} title
 * @property {number} [amount] of each payment
 * @property {number} [off] what each unit costs less
 * @property {string[]} [nodes]
 * @property {string[]} [countries]
 * @property {number} [from_ms]
 * @property {number} [until_ms]
 * @property {boolean} [cash]
 */

/**
 * @typedef {object} PaymentView
 * @property {string} id
 * @property {string[]} holds
 * @property {string} way
 * @property {number} amount
 * @property {string} currency
 * @property {string} provider
 * @property {string} state open, paid or ended
 * @property {number} deadline_ms
 * @property {string} page '' while nobody knows it
 * @property {boolean} all
 * @property {boolean} leaving its fan asked for its end
 * @property {number} [asking] the provider is being asked, until when at most
 * @property {string} [reference] of a payment by hand
 */

/** @typedef {{pools: string[], qty: number, fewer?: boolean}} Want liked best first */
/** @typedef {{want: number, code: string, text: string, free?: number, held?: number, room?: number, state?: string, when_ms?: number, retry_ms?: number, network?: string, page?: string}} MissingView */
/** @typedef {{n: number, had: {want: number, hold: HoldView}[], missing: MissingView[]}} BasketView */

/**
 * @typedef {object} HoldView
 * @property {string} id
 * @property {string} key
 * @property {string} pool
 * @property {number} qty
 * @property {number} price
 * @property {string} origin
 * @property {string} state
 * @property {number} start_ms
 * @property {number} deadline_ms
 * @property {boolean} claimed
 * @property {boolean} extended
 * @property {boolean} checking
 * @property {string} pay
 * @property {number} asking
 * @property {string} [payment] that it is in, or was in last
 */

/**
 * @typedef {{pool: string, place: number, r: number, buying: number, latest: number, due?: boolean}} LinePlace
 * `due`: it has moved since, and where to is not known yet.
 */

/**
 * @typedef {object} EntryView
 * @property {string} id
 * @property {string} key
 * @property {number} n
 * @property {number} qty
 * @property {string} lane
 * @property {number} points
 * @property {string} state
 * @property {number} lapses
 * @property {number} cool_ms
 * @property {string} hold
 * @property {LinePlace[]} lines
 * @property {LinePlace[]} [boost] its places in the boost lane: provisional
 * @property {number} [rank] in that lane; 0: not in it
 * @property {number} [tickets] in a list that chance orders
 * @property {string[]} [pools] while it has no arrival
 * @property {string} [carried] asked or confirmed: it was carried over
 */

/** @typedef {{id: string, key: string, n: number, qty: number, pools: string[], why: string}} EndedEntry */

/**
 * @typedef {object} OrderView
 * @property {string} id
 * @property {string} pool
 * @property {number} qty
 * @property {number} amount
 * @property {number[]} serials
 * @property {string} state
 * @property {number} at
 * @property {string} number as a person says it
 * @property {string} [why] the maker's reason of a refund
 */

/**
 * @typedef {object} You
 * @property {"you"} [t]
 * @property {number} seq
 * @property {string} fan
 * @property {number} used
 * @property {HoldView[]} holds
 * @property {EntryView[]} entries
 * @property {OrderView[]} orders
 * @property {HoldView | null} [ended]
 * @property {EndedEntry | null} [ended_entry]
 * @property {string[]} [cohorts]
 * @property {PaymentView[]} [payments] the open ones, and the newest that ended
 */

/** @typedef {{t: "snapshot", seq: number, drop: DropView, you: You | null}} Snapshot */

/**
 * @typedef {object} Done
 * @property {"done"} t
 * @property {number} id
 * @property {number} seq
 * @property {HoldView | null} [hold]
 * @property {string} [entry]
 * @property {Record<string, string>} [pay]
 * @property {Record<string, string>} [refused]
 * @property {PaymentView | null} [payment]
 * @property {BasketView | null} [basket]
 */

/**
 * @typedef {object} Refused
 * @property {"refused"} t
 * @property {number} id
 * @property {number} seq
 * @property {string} code
 * @property {string} text
 * @property {number} [free]
 * @property {number} [held]
 * @property {number} [room]
 * @property {number} [retry_ms]
 * @property {string} [network] with network_full: what it is called in this drop
 * @property {string} [state]
 * @property {number} [when_ms] with not_open: from when on
 * @property {string} [payment] with paying: the open one
 * @property {string} [page] and where it is paid
 */

/** @typedef {{t: "pong", id: number, c: number, s: number}} Pong */
/** @typedef {Snapshot | Tick | Beat | (You & {t: "you"}) | Done | Refused | Pong | (News & {t: "news"})} Message */

/**
 * What a fan can ask, before it gets its correlation and its key.
 * @typedef {{t: "hold", pool: string, qty: number, fewer?: boolean}
 *   | {t: "claim", hold: string}
 *   | {t: "release", hold: string}
 *   | {t: "extend", hold: string}
 *   | {t: "pay", holds: string[], way?: string, provider?: string, all?: boolean}
 *   | {t: "unpay", payment: string}
 *   | {t: "basket", wants: Want[], all: boolean}
 *   | {t: "swap", hold: string, pool: string}
 *   | {t: "join", pools: string[], qty: number, nonce?: string}
 *   | {t: "confirm", entry: string}
 *   | {t: "leave", entry: string}} Command
 */

export const PROTOCOL = "drop.v1";

/** Close codes 4500-4999 say: do not come back. Everything else says: come back, later. */
export const mayComeBack = (/** @type {number} */ code) => code < 4500 || code > 4999;

/** A fresh idempotency key: 128 random bits. */
export function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * One frame's text as a message, or null when it is none: a page never dies of what it is sent.
 * @param {string} text
 * @param {string} [kind] the event's name, where the frame itself carries none
 * @returns {Message | null}
 */
export function parse(text, kind) {
  try {
    const message = JSON.parse(text);
    if (message === null || typeof message !== "object") return null;
    return kind !== undefined && message.t === undefined ? { ...message, t: kind } : message;
  } catch {
    return null;
  }
}
