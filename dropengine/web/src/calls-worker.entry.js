/**
 * What the browser starts when the shop calls and no page is open: it shows the call, and leads to the drop's page;
 * and when its push service gave it another address, which it tells the shop.
 *
 * @import {Call} from "./called.js"
 */

import { link, shown, shows } from "./called.js";
import { base64url, browserOf } from "./calling.js";
import { remembered, renew } from "./renewed.js";

// Pages and workers know different names, and these files are checked as pages.
const worker = /** @type {any} */ (self);

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener("push", (/** @type {any} */ event) => {
  if (event.data !== null) event.waitUntil(tell(event.data.json()));
});

worker.addEventListener("pushsubscriptionchange", (/** @type {any} */ event) => event.waitUntil(changed(event.oldSubscription, event.newSubscription)));

worker.addEventListener("notificationclick", (/** @type {any} */ event) => {
  event.notification.close();
  event.waitUntil(lead(link(event.notification.data?.path, worker.location.origin)));
});

/** @param {Call} call */
async function tell(call) {
  const page = link(call.path, worker.location.origin);
  const seen = (await windows()).some((one) => one.focused && shows(one.url, page));
  const { title, options } = shown(call, Date.now(), seen);
  // Shown even to who looks at it: a browser takes the permission back from who calls and shows nothing.
  await worker.registration.showNotification(title, options);
}

/**
 * The push service gave this browser another address, or took the one it had. Not every browser tells which.
 * @param {PushSubscription | null | undefined} before
 * @param {PushSubscription | null | undefined} after
 */
async function changed(before, after) {
  const kept = await remembered();
  const had = before?.options?.applicationServerKey;
  const id = before ? await browserOf(before.endpoint) : kept?.id;
  const key = had ? base64url(had) : kept?.key;
  if (id === undefined || key === undefined) return;
  const how = { userVisibleOnly: true, applicationServerKey: key };
  await renew({ id, key }, after ?? (await worker.registration.pushManager.subscribe(how)));
}

/** To the tab that shows the page, or to a new one. @param {string} page */
async function lead(page) {
  const open = (await windows()).find((one) => shows(one.url, page));
  await (open === undefined ? worker.clients.openWindow(page) : open.focus());
}

/** @returns {Promise<any[]>} */
const windows = () => worker.clients.matchAll({ type: "window", includeUncontrolled: true });
