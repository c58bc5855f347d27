/**
 * The page of a drop whose line is a game, launched in whichever way; and the fan's page as it is.
 */

import "./playing.js";
import "./launch.entry.js";
