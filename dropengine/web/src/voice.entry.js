/**
 * What the fan's page does not need at once, and comes after everything that is: what it says to a screen reader, why
 * a press came to nothing, the words of quiet hours, rules that changed, what waiting looks like, and a ticket for who
 * was let in as a watcher.
 *
 * @import {State} from "./state.js"
 */

import { language, stopped } from "#said";
import { announce } from "./announce.js";
import { tellRules } from "./kept.js";
import { ticket } from "./newcomer.js";
import { night, ownCall } from "./quiet.js";
import { refusal } from "./refused.js";
import { told as toldOfWaiting } from "./waiting.js";
import { tell } from "./words.js";

const voice = document.getElementById("voice");
const wait = document.getElementById("wait");
let asked = false;

document.addEventListener("told", (event) => {
  const { before, after, then, now } = /** @type {CustomEvent<{before: State, after: State, then: number, now: number}>} */ (event).detail;
  tellRules(after.drop);
  const said = announce(before, after, then, now);
  if (said.length > 0 && voice !== null) voice.textContent = said.join(" ");
  if (wait !== null) {
    const says = toldOfWaiting(after, now);
    wait.hidden = says === "";
    if (wait.textContent !== says) wait.textContent = says;
  }
  // Who was let in as a watcher becomes a fan without doing anything.
  if (after.watching && !asked) {
    asked = true;
    void ticket(location.href).then(() => document.dispatchEvent(new Event("ticket")));
  }
});

// The server says it in English by itself.
const known = language === "en" ? {} : { stopped };
tell({ ...known, night, ownCall, refusal });
