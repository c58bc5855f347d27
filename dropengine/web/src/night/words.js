/** Every sentence of the night's live parts. */

import { lately, number } from "../formats.js";

/** The panel speaks English. @param {number} many @param {string} one */
const count = (many, one) => `${number(many)} ${one}${many === 1 ? "" : "s"}`;

export const STATES = /** @type {Record<string, string>} */ ({
  scheduled: "Not open yet",
  lobby: "The list is open",
  ordering: "Chance is putting the list in order",
  live: "Open now",
  sold_out: "Sold out",
  paused: "Paused",
  closing: "Closing",
  settled: "Over",
  cancelled: "Cancelled",
  frozen: "Stopped",
});

export const UNITS = { left: "left", offered: "offered", carts: "in carts", sold: "sold", withheld: "withheld", made: "made" };

/** Why fans are sent away. */
export const REFUSED = /** @type {Record<string, string>} */ ({
  not_open: "not open yet",
  paused: "paused",
  closed: "closed",
  cancelled: "cancelled",
  sign_in: "no pass of this shop",
  limit_reached: "has as many as one may",
  all_held: "all in carts",
  sold_out: "sold out",
  hold_expired: "too late",
  not_found: "nothing there",
  not_your_turn: "others stand in line",
  not_eligible: "not in early access",
  cohort_full: "early access has no more for them",
  code_used: "another’s code",
  not_adoptable: "another’s browser",
  too_few: "more than are left",
  too_many_requests: "pressed too often",
  network_full: "too many of one network",
  domain_full: "too many of one mail domain",
  wrong_word: "said something else for a mission",
  not_running: "the mission did not run",
  already: "was so already",
  key_reused: "a page gone wrong",
  bad_message: "a page gone wrong",
  frozen: "stopped",
  paying: "in a payment already",
  other_price: "swaps at another price",
  hand_full: "payments by transfer were full",
  all_or_nothing: "all or nothing, and not all was there",
  hand_open: "pays by transfer already",
  hand_barred: "let a transfer lapse before",
  away: "the shop was away",
});

export const UP_TO_DATE = "Up to date";
export const AWAY = "The shop does not reach its own server: these are the last known numbers.";
export const CONNECTING = "Connecting…";
/** @param {number} since */
export const notSince = (since) => `Not up to date since ${lately(since, since)}`;
export const NOBODY = "Nobody yet.";
export const NOTHING_HELD = "Nothing is held.";
export const NOBODY_WAITS = "Nobody waits.";
export const ALONE = "Nobody else looks.";
/** @param {string[]} others */
export const alsoLook = (others) => `${others.join(", ")} ${others.length === 1 ? "looks" : "look"} too.`;

/** @param {{waiting: number, offered: number}} line */
export const inLine = ({ waiting, offered }) => `${number(waiting)} in line${offered > 0 ? `, ${number(offered)} offered` : ""}`;

/** What a hold is that ends soon. */
export const ENDS = /** @type {Record<string, string>} */ ({ cart: "in a cart", paying: "being paid", offer: "offered" });

export const MONEY = { kept: "Sold for", refunded: "Refunded", owed: "Payments under way", aside: "Payments for a person to see to" };
export const FUNNEL = { watching: "Screens watching", held: "In carts", paying: "Being paid now", paid: "Paid", lapsed: "Lapsed" };

/** @param {import("./wire.js").Health} health */
export const sells = (health) => (health.server === "ok" ? `It can sell${health.durable ? ", and what is confirmed is saved first" : ""}.` : `It cannot sell now: ${health.why}.`);
/** @param {number} percent */
export const memory = (percent) => (percent > 0 ? `Memory ${number(percent)} % used.` : "");
/** @param {import("./wire.js").Worker} worker */
export const worker = ({ seats, late_ms: late }) => `${count(seats, "socket")}, ${number(Math.round(late))} ms late`;

export const PACE = { commands: "presses in 15 s", half: "half within, ms", most: "99 of 100 within, ms" };
/** @param {number} commands @param {number} half @param {number} most */
export const paced = (commands, half, most) =>
  commands === 0 ? "Nothing was pressed in the last 15 minutes." : `${count(commands, "press").replace("presss", "presses")} decided in the last 15 minutes; just now half of them within ${number(half)} ms, 99 of 100 within ${number(most)} ms.`;

export const LIST = {
  persons: "Confirmed persons",
  guests: "Guests",
  unknown: "not known now",
  seals: "Sealed in",
  sealed: "Sealed",
  waits: "Waits for",
  secret: "the secret of the shop",
  due: "Made public in",
  late: "now: it is being asked for",
  placed: "Places given out",
  order: "The order",
  whole: "The whole order",
  everybodys: ", as everybody may read and check it.",
  root: "Fingerprint of the sealed list",
};
/** @param {number} entries */
export const entries = (entries) => `${number(entries)} ${entries === 1 ? "entry" : "entries"}`;
/** @param {number} round */
export const beacon = (round) => `round ${number(round)} of the beacon`;
/** @param {number} part @param {number} whole */
export const of = (part, whole) => `${number(part)} of ${number(whole)}`;
/** @param {number} rest */
export const more = (rest) => `And ${number(rest)} more.`;
export const ROUND = { name: "The first round", over: "The first round is over", offers: "Offers made", taken: "Taken", open: "Not answered yet", lapsed: "Run out", declined: "Given back", called: "Called up to place" };
/** How somebody at the head of the order stands. */
export const PLACED = /** @type {Record<string, string>} */ ({ waits: "waits", again: "waits, missed one", offered: "has an offer", taken: "took the offer", bought: "bought", missed: "missed it twice", left: "left", removed: "ended: no room in the limit" });

export const NETWORK = {
  around: "the wider network around some",
  domain: "a mail domain",
  free: "no limit",
  lifted: "You lifted its limit: what begins there is not counted.",
  lift: "Lift its limit",
  set: "Set its limit again",
  what: "What that does",
};
/** @param {number} most @param {number} persons */
export const noNetworks = (most, persons) =>
  `None.${most ? ` One network may have ${number(most)} unpaid carts and places at a time.` : ""}${persons ? ` Of one mail domain ${number(persons)} persons may take part.` : ""}`;
/** @param {number} open @param {number} most */
export const persons = (open, most) => `${number(open)} of ${number(most)} persons.`;
/** @param {number} open @param {number} most */
export const unpaid = (open, most) => `${number(open)} of ${number(most)} unpaid carts and places.`;
/** @param {number} times */
export const sentAway = (times) => `Sent away ${times === 1 ? "once" : `${number(times)} times`}: it was full.`;

export const NOTHING_SOLD = "Nothing is sold yet.";
/** How units come to those who buy them. */
export const WAYS = /** @type {Record<string, string>} */ ({ press: "A press", list: "The order of the list", line: "The line, by arrival", "make-good": "A make-good", carried: "Carried over", boost: "By points" });

/** @param {number} used @param {number} most @param {number} sold */
export const ofCohort = (used, most, sold) => `${number(used)} of ${number(most)}, ${number(sold)} sold`;
export const EARLY = { widens: "Open to all in", byHand: "Open to all when you press", open: "Open to all" };
export const BOOST_LANE = "boost lane";
export const GAME = { boosts: "Called by points in the last hour", pointed: "Points changed in the last hour", ever: "In all" };
export const OVER = { carried: "Places carried over", confirmed: "Confirmed" };
