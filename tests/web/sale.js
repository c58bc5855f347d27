/** Small true states to begin a test from. */

import { begun } from "../../dropengine/web/src/state.js";

export const NOW = Date.UTC(2027, 6, 16, 16, 0, 0);

export const pool = (more = {}) => ({ item: "pin", cap: 200, free: 200, held: 0, sold: 0, withheld: 0, leased: 0, waiting: 0, buying: 0, offered: 0, ...more });
export const item = (more = {}) => ({ id: "pin", title: "Eclipse pin", cap: 200, price: 2400, limit: 0, most: 2, about: "", pools: ["pin"], ...more });
export const you = (more = {}) => ({ seq: 10, fan: "f", used: 0, holds: [], entries: [], orders: [], ended: null, ended_entry: null, ...more });
export const line = (more = {}) => ({ pool: "pin", place: 41, r: 5, buying: 12, latest: 52, ...more });
export const entry = (more = {}) => ({ id: "e1", key: "k", n: 77, qty: 1, lane: "base", points: 0, state: "waiting", lapses: 0, cool_ms: 0, hold: "", lines: [line()], ...more });
export const hold = (more = {}) => ({ id: "h1", key: "k", pool: "pin", qty: 1, price: 2400, origin: "press", state: "active", start_ms: NOW, deadline_ms: NOW + 299_000, claimed: false, extended: false, checking: false, pay: "", asking: 0, ...more });
export const gone = (more = {}) => ({ id: "e1", key: "k", n: 77, qty: 1, pools: ["pin"], why: "lapses", ...more });
export const order = (more = {}) => ({ id: "h9", pool: "pin", qty: 1, amount: 2400, serials: [17], state: "done", at: NOW, ...more });

export const drop = (more = {}) => ({
  id: "eclipse-pin", title: "Eclipse pin", maker: "Taller Umbra", story: "", state: "live", revision: 1, mode: "rush", currency: "EUR", minor_digits: 2,
  zone: "Europe/Madrid", opens_ms: 0, closes_ms: 0, now: NOW, limit: 2, k: 5, hold_ms: 480_000, offer_ms: 1_800_000, extend_ms: 120_000, cool_ms: 60_000,
  practice: false, pace: 10, pace_ms: 10_000, hash: "00", epoch: "run-1", durable: true, items: [item()], pools: { pin: pool() }, lines: { pin: 0 }, news: [], ...more,
});

export const snapshot = (more = {}) => ({ t: "snapshot", seq: 10, drop: drop(), you: you(), ...more });
export const tick = (more = {}) => ({ t: "tick", seq: 11, now: NOW + 100, state: "live", revision: 1, pools: { pin: pool() }, ...more });

/** A state on a live page. */
export const state = (more = {}) => ({ ...begun(snapshot({ drop: drop(more.drop), you: more.you === null ? null : you(more.you) })), link: { live: true, way: "socket", since: 0, over: false, why: "" }, ...more.state });
export const choice = (more = {}) => ({ pool: "pin", qty: 1, also: [], ...more });
