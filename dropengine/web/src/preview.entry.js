/** A fan's page to look at: its parts show the state that the server wrote, hear nothing and can do nothing. */

import "./buy.js";
import "./drawn.js";
import { tellRules } from "./kept.js";
import "./launch.js";
import "./link.js";
import "./news.js";
import { Part } from "./part.js";
import { night, ownCall } from "./quiet.js";
import { begun } from "./state.js";
import "./stock.js";
import { parse } from "./wire.js";
import { NO_STATE, tell } from "./words.js";
import "./yours.js";

const first = parse(document.getElementById("state")?.textContent ?? "", "snapshot");
if (first?.t !== "snapshot") throw new Error(NO_STATE);
const state = { ...begun(first), link: { live: true, quiet: false, way: /** @type {const} */ ("socket"), since: 0, over: false, why: "" } };
const ahead = state.drop.now - Date.now();
const parts = [...document.querySelectorAll("drop-link, drop-stock, drop-buy, drop-yours, drop-news, drop-drawn")].filter((part) => part instanceof Part);

for (const part of parts) part.hands = { ask: () => new Promise(() => undefined), later: () => undefined, undo: () => undefined };

function show() {
  for (const part of parts) part.show(state, Date.now() + ahead);
}

// On a fan's own page it comes a moment later.
tell({ night, ownCall });
tellRules(state.drop);
show();
setInterval(show, 1_000);
// No link of it leads away from what is looked at.
document.addEventListener("click", (event) => {
  if (event.target instanceof Element && event.target.closest("a") !== null) event.preventDefault();
});
