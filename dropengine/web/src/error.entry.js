/** The page of a shop that is away: asks again by itself, and says so; whoever reads it is not interrupted. */

import { delay } from "./backoff.js";
import { BACK_AGAIN, askingAgain } from "./words.js";

const note = document.getElementById("again");
const least = 1_000 * Number(note?.dataset["retry"] ?? 5);

for (let attempt = 0, back = false; note !== null && !back; attempt += 1) {
  note.textContent = askingAgain(Math.round(least / 1_000));
  await new Promise((done) => setTimeout(done, least + delay(attempt)));
  back = await fetch(location.href, { cache: "no-store", credentials: "same-origin" }).then((answer) => answer.status !== 503, () => false);
  if (back) note.textContent = BACK_AGAIN;
}
if (note !== null) location.reload();
