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

/** @typedef {{n: number, entry: string, pools: string[], qty: number, state: string}} Placed */
/** @typedef {{id: string, title: string, used: number, most: number, sold: number}} Cohort */
/** @typedef {{boosts: number, boosts_hour: number, pointed: number, pointed_hour: number}} Game */
/** @typedef {{network: string, open: number, most: number, refused: number, around: boolean, exempt: boolean, domain?: boolean}} Network */

/**
 * A list that chance orders.
 * @typedef {object} Launch
 * @property {number} entries
 * @property {number} persons
 * @property {number} guests
 * @property {number} seals_ms
 * @property {number} sealed_ms
 * @property {string} root
 * @property {string} waits
 * @property {number} round
 * @property {number} due_ms
 * @property {number} placed
 * @property {number} offers
 * @property {number} taken
 * @property {number} lapsed
 * @property {number} declined
 * @property {boolean} over
 * @property {number} called
 * @property {Placed[]} head
 */

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
 * @property {Launch | null} launch
 * @property {Record<string, number>} shares
 * @property {Cohort[]} cohorts
 * @property {number} carried
 * @property {number} confirmed
 * @property {Network[]} networks
 * @property {Game | null} game
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
