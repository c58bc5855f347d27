/** What the fan's page says otherwise in a drop that is launched otherwise: see `Told` in `words.js`. */

import * as carried from "./carried.js";
import * as early from "./early.js";
import * as list from "./listed.js";
import { tell } from "./words.js";

tell({
  head: (state, now, usual) => early.head(state, now, state.drop.chance ? list.head(state, now, usual) : usual),
  listed: (state, choice, now) => carried.button(state, now) ?? early.button(state, now) ?? early.ceiling(state, choice, now) ?? (state.drop.chance ? list.listed(state, choice, now) : undefined),
  entry: (state, entry, now) => carried.card(state, entry, now) ?? list.entry(state, entry, now),
  gone: (entry, drop) => (drop.chance ? list.gone(entry, drop) : undefined),
});
