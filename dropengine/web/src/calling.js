/**
 * Whether a fan can be called on this browser, and what he is asked: a function of the browser's words and the sale.
 *
 * @import {DropView, You} from "./wire.js"
 */

/** @typedef {"hidden" | "opens" | "turn" | "denied" | "on"} Standing */

/**
 * `permission`: of notifications. `on`: the shop calls him here.
 * @param {{permission: NotificationPermission, on: boolean, drop: DropView, you: You | null}} known
 * @returns {Standing}
 */
export function standing({ permission, on, drop, you }) {
  if (drop.state === "settled" || drop.state === "cancelled") return "hidden";
  const waits = (you?.entries ?? []).some((entry) => entry.state === "waiting" || entry.state === "offered");
  const opens = drop.state === "scheduled" && you !== null;
  if (permission === "denied") return waits ? "denied" : "hidden";
  if (on) return "on";
  return opens ? "opens" : waits ? "turn" : "hidden";
}

/** What the shop knows this browser by. @param {string} endpoint */
export async function browserOf(endpoint) {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint));
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("").slice(0, 32);
}

/**
 * Is a subscription for this key? Both are text in base64url.
 * @param {ArrayBuffer | null | undefined} key
 * @param {string} wanted
 */
export function isFor(key, wanted) {
  if (key === null || key === undefined) return true;
  return base64url(key) === wanted;
}

/** @param {ArrayBuffer} raw */
export const base64url = (raw) =>
  btoa(String.fromCharCode(...new Uint8Array(raw)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
