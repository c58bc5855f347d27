/**
 * The game of the line, kept up to date: asked for when the fan's points changed, after what he did himself, and once a
 * minute while he looks.
 *
 * @import {Told} from "./game_wire.js"
 * @import {State} from "./state.js"
 */

import { climbed } from "./climbs.js";
import * as confetti from "./confetti.js";
import { DropGame } from "./game.js";
import * as says from "./game_says.js";
import * as wire from "./game_wire.js";
import { tell } from "./words.js";

const AGAIN_MS = 60_000;
/** What is everybody's, like the board, is a moment behind. */
const SOON_MS = 2_500;

const place = document.querySelector("drop-game");
const ref = new URL(location.href).searchParams.get("ref") ?? "";

tell({ climbed });

if (place instanceof DropGame) {
  let drop = "";
  let points = -1;
  let askedAt = 0;
  let asking = false;

  /** @param {Told} told */
  const heard = (told) => {
    if (!("game" in told)) return;
    const before = place.game;
    place.game = told.game;
    if (before !== null) place.aloud = says.changed(before, told.game) || place.aloud;
    place.again();
  };

  const ask = async () => {
    if (asking || drop === "") return;
    asking = true;
    askedAt = performance.now();
    heard(await wire.game(drop));
    asking = false;
  };

  /** Who brought him is said once, and no copy of the address says it again. */
  const came = async () => {
    if (ref === "" || drop === "") return;
    const told = await wire.came(drop, ref);
    if ("code" in told && told.code === "away") return;
    const clean = new URL(location.href);
    clean.searchParams.delete("ref");
    history.replaceState(history.state, "", clean);
    heard(told);
  };

  place.heard = heard;
  document.addEventListener("told", (event) => {
    const { after, now } = /** @type {CustomEvent<{after: State, now: number}>} */ (event).detail;
    const first = drop === "";
    drop = after.drop.id;
    place.show(after, now);
    if (first) void came().then(ask);
    // Every answer about places says how many points they have: another number has a reason, and that is asked for.
    const has = (after.you?.entries ?? []).reduce((sum, entry) => Math.max(sum, entry.points), 0);
    if (points !== has && points !== -1) {
      void ask();
      setTimeout(ask, SOON_MS);
    }
    points = has;
    if (!document.hidden && performance.now() - askedAt > AGAIN_MS) void ask();
    if (confetti.due(after, now)) confetti.fall(after.drop.id);
  });
  // Who was let in as a watcher has a ticket now.
  document.addEventListener("ticket", () => void came().then(ask));
}
