/** Confetti: once a drop, for who got a unit a moment ago, and never where motion is not wanted. */

import { kept } from "./state.js";
import * as storage from "./storage.js";

/** @import {State} from "./state.js" */

/** A win that is older was seen elsewhere. */
const FRESH_MS = 120_000;
const PIECES = 70;
const LASTS_MS = 2_600;
/** Who wants no motion. */
const STILL = "(prefers-reduced-motion:reduce)";
const COLOURS = ["--free", "--held", "--accent", "--good"];

/**
 * Whether there is something to celebrate that was not.
 * @param {State} state
 * @param {number} now
 */
export function due({ drop, you }, now) {
  const won = (you?.orders ?? []).filter(kept).some(({ at }) => now - at < FRESH_MS);
  return won && storage.always(name(drop.id)) === null;
}

/** @param {string} drop */
const name = (drop) => `confetti ${drop}`;

/** Falls, and is gone. @param {string} drop */
export function fall(drop) {
  storage.putAlways(name(drop), "1");
  if (matchMedia(STILL).matches || document.hidden) return;
  const sky = document.createElement("div");
  sky.className = "confetti";
  sky.setAttribute("aria-hidden", "true");
  const ink = getComputedStyle(document.documentElement);
  for (let n = 0; n < PIECES; n += 1) {
    const piece = sky.appendChild(document.createElement("i"));
    piece.style.left = `${Math.random() * 100}%`;
    piece.style.background = ink.getPropertyValue(COLOURS[n % COLOURS.length] ?? "");
    const turn = `${Math.round(Math.random() * 1_080 - 540)}deg`;
    const aside = `${Math.round(Math.random() * 24 - 12)}vw`;
    const frames = [{ transform: "translate(0, -2rem)", opacity: 1 }, { opacity: 1, offset: 0.8 }, { transform: `translate(${aside}, 104vh) rotate(${turn})`, opacity: 0 }];
    piece.animate(frames, { duration: LASTS_MS * (0.7 + Math.random() * 0.3), delay: Math.random() * 400, easing: "cubic-bezier(0.2, 0.6, 0.5, 1)", fill: "both" });
  }
  document.body.append(sky);
  setTimeout(() => sky.remove(), LASTS_MS + 500);
}
