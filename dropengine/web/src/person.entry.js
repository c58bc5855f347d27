/**
 * A person's ticket lives for a day, and a page may stay open for longer: it asks for the next one by itself, well
 * before. Nothing of the page waits for it. On the page of a drop it also tells who waits or holds that no letter
 * reaches him.
 *
 * @import {State} from "./state.js"
 * @import {Snapshot, You} from "./wire.js"
 */

import { reach } from "#said";
import { fill } from "./sentences.js";
import { tellZone } from "./zone.js";

const RENEW_MS = 6 * 3_600_000;
const LOOK_MS = 600_000;
/** Pages that were opened in one second do not ask in one second. */
const SPREAD_MS = 600_000;
/** So soon after a page was opened it is asked whether letters reach him. */
const ASK_MS = 500;
const ASK_SPREAD_MS = 2_500;
/** And after something of his began on it: that may be in the second of an opening, when nobody is to wait for it. */
const LATER_MS = 10_000;
const LATER_SPREAD_MS = 50_000;
const ASK_AGAIN_MS = 300_000;

let due = Date.now() + RENEW_MS + Math.random() * SPREAD_MS;

async function look() {
  if (Date.now() < due) return;
  await renew();
}

async function renew() {
  const answer = await fetch("/you/renew", { method: "POST", credentials: "same-origin" }).catch(() => null);
  // Whoever is signed out has nothing to renew; whoever got no answer asks at the next look.
  if (answer !== null && (answer.ok || answer.status === 401)) due = Date.now() + RENEW_MS + Math.random() * SPREAD_MS;
}

setInterval(look, LOOK_MS);
// A device that slept knows no time that passed.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") void look();
});

// His zone goes along with what the browser sends: it is new, so the shop is told at once.
if (tellZone()) void renew();

const place = document.querySelector("drop-reached");
const snapshot = document.getElementById("state");

if (place instanceof HTMLElement && snapshot !== null) reached(place, JSON.parse(snapshot.textContent ?? ""));

/** @param {HTMLElement} place @param {Snapshot} first */
function reached(place, first) {
  let next = 0;
  let asking = false;

  const ask = async () => {
    const answer = await fetch("/you/reached", { credentials: "same-origin" }).catch(() => null);
    asking = false;
    if (answer === null || !answer.ok) return;
    const { address } = await answer.json();
    if (address !== place.dataset["address"]) show(place, address, first.drop.id);
  };

  /** @param {You | null | undefined} you @param {number} pause @param {number} spread */
  const look = (you, pause, spread) => {
    const waits = (you?.entries ?? []).some((entry) => entry.state === "waiting" || entry.state === "offered");
    if (asking || Date.now() < next || !(waits || (you?.holds ?? []).length > 0)) return;
    asking = true;
    next = Date.now() + ASK_AGAIN_MS;
    setTimeout(() => void ask(), pause + Math.random() * spread);
  };

  look(first.you, ASK_MS, ASK_SPREAD_MS);
  document.addEventListener("told", (event) => {
    const { after } = /** @type {CustomEvent<{after: State}>} */ (event).detail;
    look(after.you, LATER_MS, LATER_SPREAD_MS);
  });
}

/** @param {HTMLElement} place @param {string} address '' takes it away @param {string} drop */
function show(place, address, drop) {
  place.dataset["address"] = address;
  place.hidden = address === "";
  if (place.hidden) return;
  const card = document.createElement("article");
  card.className = "card";
  const text = document.createElement("p");
  text.setAttribute("role", "alert");
  text.textContent = fill(reach.told, { address });
  const footer = document.createElement("footer");
  const way = document.createElement("a");
  way.href = `/you?to=/drops/${drop}#reached`;
  way.textContent = reach.what;
  footer.append(way);
  card.append(text, footer);
  place.replaceChildren(card);
}
