/** The page of a drop whose list chance orders: what it says of the list, and the fan's page as it is. */

import "./listed.js";
import "./drawn.js";
import "./fan.entry.js";
