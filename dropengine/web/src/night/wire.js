/**
 * What the studio's channel `studio.v1` says beside the public messages. Times are ms since 1970 of the server's
 * clock; money is in minor units.
 *
 * @import {DropView, Message} from "../wire.js"
 */

/** @typedef {{made: number, left: number, offered: number, carts: number, sold: number, withheld: number}} Units */
/** @typedef {{from_ms: number, each_ms: number, commands: number[], half_ms: number[], most_ms: number[]}} Pace */
/** @typedef {{kind: string, drop: string, what: string, then: string}} Alarm */
/** @typedef {{pid: number, seats: number, settled_s: number, late_ms: number}} Worker */
/** @typedef {{server: string, why: string, durable: boolean, memory_percent: number, workers: Worker[]}} Health */
/** @typedef {{n: number, pool: string, qty: number, boost: boolean}} Next */
/** @typedef {{hold: string, pool: string, qty: number, what: string, deadline_ms: number}} End */
/** @typedef {{waiting: number, offered: number, next: Next[], ends: End[]}} DeskLine */

/**
 * @typedef {object} Desk
 * @property {"desk"} t
 * @property {number} now
 * @property {number} seq
 * @property {Units} units
 * @property {{kept: number, refunded: number, owed: number, aside: number}} money
 * @property {DeskLine} line
 * @property {Pace} pace
 * @property {{watching: number, held: number, paying: number, paid: number, lapsed: number}} funnel
 * @property {Record<string, number>} refused
 * @property {Health} health
 * @property {Alarm[]} alarms
 * @property {{seq: number, at_ms: number, text: string}[]} feed
 * @property {string[]} people
 */

/** @typedef {Message | Desk} Said */

/** @typedef {{verb: string, name: string, letter: string, grave: boolean, states: string[]}} Command */

/**
 * What the page itself knows. `commands`: empty for who may only look.
 * @typedef {{drop: string, me: string, night: string, commands: Command[]}} Page
 */

/**
 * @typedef {object} Night
 * @property {Page} page
 * @property {DropView | null} drop
 * @property {Desk | null} desk
 * @property {{live: boolean, since: number, why: string}} link `since`: when it was up to date last
 */

export const PROTOCOL = "studio.v1";
