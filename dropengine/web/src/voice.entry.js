/**
 * What the fan's page says when something happened: to a screen reader, and why a press came to nothing. None of it is
 * needed at once, so it comes after everything that is.
 *
 * @import {State} from "./state.js"
 */

import { language, refused } from "#said";
import { announce } from "./announce.js";

const voice = document.getElementById("voice");

document.addEventListener("told", (event) => {
  const { before, after, then, now } = /** @type {CustomEvent<{before: State, after: State, then: number, now: number}>} */ (event).detail;
  const said = announce(before, after, then, now);
  if (said.length > 0 && voice !== null) voice.textContent = said.join(" ");
});

// The server says it in English by itself.
if (language !== "en") Object.assign(globalThis, { refused });
