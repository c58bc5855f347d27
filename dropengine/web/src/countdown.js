/**
 * The clock of a page that was written with what is left. It counts by the device's timer and its date, whichever
 * went on: the one stands still while the device sleeps, the other may be set.
 */

import { left } from "./formats.js";
import { LAST_MINUTE } from "./words.js";

const MINUTE = 60_000;
const SECOND = 1_000;

/**
 * @param {HTMLElement} clock says what is left, in `data-ms`
 * @param {Element} voice speaks the last minute
 */
export function countDown(clock, voice) {
  const all = Number(clock.dataset["ms"]);
  const begun = { timer: performance.now(), date: Date.now() };
  let warned = false;
  const show = () => {
    const rest = all - Math.max(performance.now() - begun.timer, Date.now() - begun.date);
    clock.textContent = left(rest);
    clock.classList.toggle("warn", rest < MINUTE);
    if (rest < MINUTE && !warned) {
      warned = true;
      voice.textContent = LAST_MINUTE;
    }
    // The page of what is over says so; the server decides, a second after this clock.
    if (rest < -SECOND) return location.reload();
    return setTimeout(show, (rest % SECOND) + 20);
  };
  show();
  // A page that the back button brings again is as old as it was left.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}
