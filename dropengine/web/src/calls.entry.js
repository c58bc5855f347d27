/**
 * A fan who waits may close the page: his browser calls him. Asked for by a tap and by nothing else.
 *
 * @import {State} from "./state.js"
 * @import {Snapshot} from "./wire.js"
 * @import {Standing} from "./calling.js"
 */

import { call_me, language, moment } from "#said";
import { browserOf, isFor, standing } from "./calling.js";
import { remember, remembered, renew, told } from "./renewed.js";

const WORKER = "/calls.js";
const place = document.querySelector("drop-calls");
const snapshot = document.getElementById("state");
// Only within a context that browsers trust, and on a phone of Apple's only from the home screen.
const able = "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;
const fromHome = !able && /** @type {{standalone?: boolean}} */ (navigator).standalone === false;

/** @typedef {{id: string, quiet: boolean, told: {state: string} | null}} Browser */
/** @typedef {{key: string, browsers: Browser[]}} Calls */

if ((able || fromHome) && place instanceof HTMLElement && snapshot !== null) {
  const first = /** @type {Snapshot} */ (JSON.parse(snapshot.textContent ?? ""));
  const door = `/api/drops/${first.drop.id}/calls`;
  let drop = first.drop;
  let you = first.you ?? null;
  /** @type {Browser | null} */
  let here = null;
  let busy = false;
  let said = "";
  let drawn = "";

  /**
   * @param {string} address
   * @param {object} [body]
   * @returns {Promise<Calls>}
   */
  const ask = async (address, body) => {
    const how = { headers: { "content-type": "application/json" }, method: "POST", body: JSON.stringify(body) };
    const answer = await fetch(address, body === undefined ? {} : how);
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  };

  const registered = async () => {
    // The one address that this page makes a worker of.
    const policy = /** @type {any} */ (globalThis).trustedTypes?.createPolicy("calls", { createScriptURL: () => WORKER });
    const address = policy === undefined ? WORKER : policy.createScriptURL("");
    await navigator.serviceWorker.register(address, { scope: "/" });
    return navigator.serviceWorker.ready;
  };

  /** What this browser is subscribed with, if it is. */
  const subscribed = async () => (await navigator.serviceWorker.getRegistration("/"))?.pushManager.getSubscription();

  /** @param {PushSubscription} subscription @param {Calls} calls */
  const found = async (subscription, calls) => {
    const id = await browserOf(subscription.endpoint);
    here = calls.browsers.find((one) => one.id === id) ?? null;
    if (here !== null) await remember({ id, key: calls.key });
  };

  const begin = async () => {
    // Inside of the tap: later a browser does not ask.
    if ((await Notification.requestPermission()) !== "granted") return;
    const registration = await registered();
    const calls = await ask(door);
    const had = await registration.pushManager.getSubscription();
    if (had !== null && !isFor(had.options.applicationServerKey, calls.key)) await had.unsubscribe();
    const how = { userVisibleOnly: true, applicationServerKey: calls.key };
    await keep(await registration.pushManager.subscribe(how), false);
  };

  /** @param {PushSubscription} subscription @param {boolean} quiet */
  const keep = async (subscription, quiet) => {
    await found(subscription, await ask(door, { ...told(subscription), language, quiet }));
  };

  const sound = async () => {
    const subscription = await subscribed();
    if (subscription) await keep(subscription, !here?.quiet);
  };

  const end = async () => {
    const id = here?.id ?? "";
    await ask(`${door}/end`, { id });
    here = null;
  };

  /** One tap at a time, and what became of it in a sentence. @param {() => Promise<void>} work */
  const tapped = async (work) => {
    if (busy) return;
    [busy, said] = [true, moment];
    draw();
    try {
      await work();
      said = "";
    } catch {
      // A browser without a push service, or a shop out of reach: either way nothing has changed.
      said = call_me.failed;
    }
    busy = false;
    draw();
  };

  /** @param {string} label @param {() => Promise<void>} work @param {string} kind */
  const button = (label, work, kind = "small") => {
    const one = document.createElement("button");
    one.type = "button";
    one.className = kind;
    one.textContent = label;
    one.setAttribute("aria-disabled", String(busy));
    one.addEventListener("click", () => void tapped(work));
    return one;
  };

  /** @param {string} text */
  const line = (text) => {
    const one = document.createElement("p");
    one.textContent = text;
    return one;
  };

  /** @param {Standing} now @returns {[string, HTMLElement[]]} */
  const parts = (now) => {
    if (fromHome) return [call_me.home, []];
    if (now === "denied") return [call_me.denied, []];
    if (now === "opens") return ["", [button(call_me.opens, begin)]];
    if (now === "turn") return ["", [button(call_me.turn, begin)]];
    const missed = here?.told?.state === "failed" || here?.told?.state === "deferred";
    const buttons = [button(here?.quiet ? call_me.loud : call_me.quiet, sound), button(call_me.end, end)];
    return [missed ? call_me.missed : call_me.on, buttons];
  };

  const draw = () => {
    const now = standing({ permission: able ? Notification.permission : "default", on: here !== null, drop, you });
    const key = JSON.stringify([now, here, busy, said]);
    if (key === drawn) return;
    drawn = key;
    const focused = place.contains(document.activeElement);
    place.hidden = now === "hidden";
    if (place.hidden) return;
    const card = document.createElement("article");
    card.classList.add("card", "calls");
    const [text, buttons] = parts(now);
    const footer = document.createElement("footer");
    footer.append(...buttons);
    const status = line(said || text);
    status.setAttribute("role", "status");
    card.append(...(status.textContent === "" ? [] : [status]), ...(buttons.length > 0 ? [footer] : []));
    place.replaceChildren(card);
    if (focused) buttons[0]?.focus({ preventScroll: true });
  };

  document.addEventListener("told", (event) => {
    const { after } = /** @type {CustomEvent<{after: State}>} */ (event).detail;
    drop = after.drop;
    you = after.you;
    draw();
  });

  draw();
  // Only who has been called before asks the shop whether he still is.
  if (able) void subscribed().then(async (subscription) => {
    if (!subscription) return;
    const kept = await remembered();
    // Its worker may have been asleep, or the shop away, when the push service gave it another address.
    if (kept !== null && kept.id !== (await browserOf(subscription.endpoint))) await renew(kept, subscription).catch(() => undefined);
    await found(subscription, await ask(door)).catch(() => undefined);
    draw();
  });
}
