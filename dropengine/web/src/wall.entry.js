/** The wall: the same channel, nothing to press. */

import "./link.js";
import { begin } from "./page.js";
import "./wall.js";

begin(["drop-link", "drop-wall"]);
