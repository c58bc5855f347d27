/** The fan's page: every part of it is a function of one state. */

import { html, nothing, render } from "lit/html.js";
import { action } from "./action.js";
import "./buy.js";
import "./link.js";
import "./news.js";
import { begin } from "./page.js";
import "./stock.js";
import "./yours.js";
import { tell } from "./words.js";

const name = document.title;

const live = begin(["drop-link", "drop-stock", "drop-buy", "drop-yours", "drop-news", "drop-drawn,drop-code"], (before, after, then, now) => {
  // Whoever speaks of it comes after this page can be used: see `voice.entry.js`.
  document.dispatchEvent(new CustomEvent("told", { detail: { before, after, then, now } }));
  // A fan who looks at another tab sees in its title that time runs.
  const { kind, label, clock } = action(after, { pool: "", qty: 1, also: [] }, now);
  document.title = kind === "pay" || kind === "claim" ? `${clock} ${label} · ${name}` : name;
});

// The till comes later: it draws with what draws this page, and asks through its one line.
tell({ lit: { html, nothing, render }, ask: live.ask.bind(live) });

// Who was let in as a watcher has a ticket now.
document.addEventListener("ticket", () => live.again());
