/**
 * The clock of the test provider's page. It counts what the server said was left, by the device's timer and its date,
 * whichever went on: the one stands still while the device sleeps, the other may be set.
 */

import { left, timeOfDay } from "./formats.js";
import { LAST_MINUTE } from "./words.js";

const MINUTE = 60_000;
const SECOND = 1_000;

const clock = document.querySelector("#left");
const voice = document.querySelector("#voice");

for (const time of document.querySelectorAll("time")) time.textContent = timeOfDay(Date.parse(time.dateTime));

if (clock instanceof HTMLElement && voice !== null) {
  const all = Number(clock.dataset.ms);
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
    // The page of a payment that is over says so; the server decides, a second after this clock.
    if (rest < -SECOND) return location.reload();
    return setTimeout(show, (rest % SECOND) + 20);
  };
  show();
  // A page that the back button brings again is as old as it was left.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}
