/**
 * The page of a drop that is launched otherwise than by who comes first: its list, its early access, the places that
 * were carried over to it; and the fan's page as it is.
 */

import "./launch.js";
import "./code.js";
import "./drawn.js";
import "./fan.entry.js";
