/** The wall: the same channel, nothing to press. */

import { game } from "./game_wire.js";
import "./link.js";
import { begin } from "./page.js";
import { DropWall } from "./wall.js";

/** What is everybody's of the game of the line is asked for so often. */
const AGAIN_MS = 10_000;

const live = begin(["drop-link", "drop-wall"]);
const wall = document.querySelector("drop-wall");

if (wall instanceof DropWall && live.state.drop.game) {
  const ask = async () => {
    const told = await game(live.state.drop.id);
    if ("game" in told) wall.game = told.game;
    wall.again();
    setTimeout(ask, AGAIN_MS);
  };
  void ask();
}
