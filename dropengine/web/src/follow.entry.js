/** The page of a maker: his browser calls a fan of new drops, asked for by a tap and by nothing else. */

import { call_me, follow, language } from "#said";
import { base64url, browserOf, isFor } from "./calling.js";

const WORKER = "/calls.js";
const told = document.querySelector("p.called");
const button = document.querySelector("button.call");
const able = "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;

if (able && told instanceof HTMLElement && button instanceof HTMLButtonElement) {
  const door = `/api/makers/${told.dataset["maker"]}/calls`;
  let on = false;
  let busy = false;

  /**
   * @param {string} address
   * @param {object} [body]
   * @returns {Promise<{key: string, on: boolean}>}
   */
  const ask = async (address, body) => {
    const how = { headers: { "content-type": "application/json" }, method: "POST", body: JSON.stringify(body) };
    const answer = await fetch(address, body === undefined ? {} : how);
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  };

  const subscribed = async () => (await navigator.serviceWorker.getRegistration("/"))?.pushManager.getSubscription();

  const registered = async () => {
    // The one address that this page makes a worker of.
    const policy = /** @type {any} */ (globalThis).trustedTypes?.createPolicy("calls", { createScriptURL: () => WORKER });
    const address = policy === undefined ? WORKER : policy.createScriptURL("");
    await navigator.serviceWorker.register(address, { scope: "/" });
    return navigator.serviceWorker.ready;
  };

  const begin = async () => {
    // Inside of the tap: later a browser does not ask.
    if ((await Notification.requestPermission()) !== "granted") return;
    const { pushManager } = (await navigator.serviceWorker.getRegistration("/")) ?? (await registered());
    const { key } = await ask(door);
    const had = await pushManager.getSubscription();
    // One for another key is of a shop that had another one.
    if (had !== null && !isFor(had.options.applicationServerKey, key)) await had.unsubscribe();
    const one = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    const p256dh = base64url(one.getKey("p256dh") ?? new ArrayBuffer(0));
    const auth = base64url(one.getKey("auth") ?? new ArrayBuffer(0));
    ({ on } = await ask(door, { endpoint: one.endpoint, p256dh, auth, language }));
  };

  const end = async () => {
    const endpoint = (await subscribed())?.endpoint ?? "";
    ({ on } = await ask(`${door}/end`, { endpoint }));
  };

  /** @param {string} [fault] */
  const draw = (fault = "") => {
    button.hidden = Notification.permission === "denied";
    button.textContent = on ? follow.browser_end : follow.browser;
    told.textContent = fault || (on ? follow.browser_on : "");
    told.hidden = told.textContent === "";
  };

  button.addEventListener("click", () => {
    if (busy) return;
    busy = true;
    void (on ? end() : begin())
      .then(() => draw())
      .catch(() => draw(call_me.failed))
      .finally(() => (busy = false));
  });

  draw();
  void subscribed().then(async (one) => {
    if (!one) return;
    ({ on } = await ask(`${door}?id=${await browserOf(one.endpoint)}`).catch(() => ({ on })));
    draw();
  });
}
