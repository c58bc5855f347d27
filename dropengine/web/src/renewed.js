/**
 * A push service may give a browser another address by itself. What the shop knew it by is remembered beside the
 * subscription, by worker and pages alike, so that either can tell the shop of the new one.
 */

import { base64url, browserOf } from "./calling.js";

const RENEW = "/api/calls/renew";
const CACHE = "calls";
/** Nobody asks for it: an address of the store alone. */
const ENTRY = "/calls.kept";

/** @typedef {{id: string, key: string}} Kept `id`: what the shop knows the browser by. `key`: the shop's own. */

/** @param {Kept} kept */
export async function remember(kept) {
  await (await caches.open(CACHE)).put(ENTRY, new Response(JSON.stringify(kept)));
}

/** @returns {Promise<Kept | null>} */
export async function remembered() {
  const found = await (await caches.open(CACHE)).match(ENTRY);
  return found === undefined ? null : found.json();
}

/** What the shop is told of a subscription. @param {PushSubscription} one */
export const told = (one) => ({
  endpoint: one.endpoint,
  p256dh: base64url(one.getKey("p256dh") ?? new ArrayBuffer(0)),
  auth: base64url(one.getKey("auth") ?? new ArrayBuffer(0)),
});

/**
 * Tell the shop that the browser it knows by `id` is this one now. Whoever gets no answer tells it another time.
 * @param {Kept} was
 * @param {PushSubscription} now
 */
export async function renew(was, now) {
  const body = JSON.stringify({ id: was.id, ...told(now) });
  const how = { method: "POST", headers: { "content-type": "application/json" }, credentials: /** @type {const} */ ("same-origin"), body };
  const answer = await fetch(RENEW, how);
  // 404: it calls nobody any more, which another try does not change.
  if (answer.ok || answer.status === 404) await remember({ id: await browserOf(now.endpoint), key: was.key });
}
