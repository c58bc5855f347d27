/**
 * The live parts of the night.
 *
 * @import {DropView} from "../wire.js"
 * @import {Night, Page, Units} from "./wire.js"
 */

import { html, nothing } from "lit/html.js";
import { repeat } from "lit/directives/repeat.js";
import { carts, lately, left, money, number, poolName } from "../formats.js";
import { phase, total } from "../state.js";
import { DeskPart, DropPart, Part, pairs } from "./part.js";
import * as words from "./words.js";

/** So near an end is worth a colour. */
const SOON_MS = 60_000;

/**
 * The six numbers of a drop, as its ticks tell them.
 * @param {DropView} drop
 * @returns {Units}
 */
export function units(drop) {
  const sum = total(Object.values(drop.pools));
  return { left: sum.free, offered: sum.offered, carts: carts(sum), sold: sum.sold, withheld: sum.back, made: sum.cap };
}

/**
 * The commands that make sense now.
 * @param {Page} page
 * @param {DropView} drop
 * @param {string} now
 */
const fitting = ({ commands }, drop, now) => commands.filter(({ verb, states }) => states.includes(now) && (verb !== "widen" || drop.early?.lasts === true));

customElements.define(
  "night-units",
  class extends DropPart {
    /** @override @param {Night} night */
    shown({ drop }) {
      if (drop === null) return nothing;
      const found = units(drop);
      const names = /** @type {(keyof Units)[]} */ (Object.keys(words.UNITS));
      return html`<dl class="sums">${names.map((name) => html`<div class=${name}><dt>${words.UNITS[name]}</dt><dd>${number(found[name])}</dd></div>`)}</dl>`;
    }
  },
);

customElements.define(
  "night-phase",
  class extends DropPart {
    /** @override @param {Night} night */
    shown({ drop }) {
      if (drop === null) return nothing;
      const now = phase(drop);
      return html`<p class="state ${now}">${words.STATES[now] ?? now}${drop.practice ? " · practice" : ""}</p>`;
    }
  },
);

customElements.define(
  "night-why",
  class extends DropPart {
    /** @override @param {Night} night */
    shown({ drop }) {
      return drop?.why ? html`<p class="note" dir="auto">${drop.why}</p>` : nothing;
    }
  },
);

customElements.define(
  "night-commands",
  class extends DropPart {
    /** @override @param {Night} night */
    shown({ page, drop }) {
      if (drop === null) return nothing;
      const now = phase(drop);
      const fit = fitting(page, drop, now);
      if (fit.length === 0) return html`<p class="quiet">Nothing any more.</p>`;
      return html`<ul class="commands">
        ${repeat(fit, ({ verb }) => verb, ({ verb, name, letter, grave }, place) => html`<li><a class=${place === 0 ? "main" : grave ? "danger" : "plain"} href="${page.night}/${verb}" accesskey=${letter}>${name}<kbd aria-hidden="true">${letter}</kbd></a></li>`)}
      </ul>`;
    }
  },
);

customElements.define(
  "night-thumb",
  class extends DropPart {
    /** @override @param {Night} night */
    shown({ page, drop }) {
      if (drop === null) return nothing;
      const now = phase(drop);
      const fit = fitting(page, drop, now);
      const [first] = fit;
      if (first === undefined) return nothing;
      const speak = first.verb !== "message" && fit.some(({ verb }) => verb === "message");
      return html`<p class="thumb"><a class="main" href="${page.night}/${first.verb}">${first.name}</a> ${speak ? html`<a class="plain" href="${page.night}/message">Message</a>` : nothing} <a class="plain" href="#commands">More</a></p>`;
    }
  },
);

customElements.define(
  "night-link",
  class extends Part {
    /** @override @param {Night} night */
    shown({ link, drop, desk, page }) {
      if (link.live && drop !== null && "away" in drop && drop.away === true) {
        return html`<p class="link stale"><span class="dot"></span><span><strong>${words.AWAY}</strong></span></p>`;
      }
      if (link.live) {
        const others = (desk?.people ?? []).filter((name) => name !== page.me);
        return html`<p class="link live"><span class="dot"></span><span>${words.UP_TO_DATE}. ${others.length === 0 ? words.ALONE : words.alsoLook(others)}</span></p>`;
      }
      if (link.since === 0 && link.why === "") return html`<p class="link"><span class="dot"></span>${words.CONNECTING}</p>`;
      return html`<p class="link stale"><span class="dot"></span><span><strong>${words.notSince(link.since)}.</strong> ${link.why}</span></p>`;
    }
  },
);

customElements.define(
  "night-money",
  class extends DeskPart {
    /** @override @param {Night} night */
    shown({ drop, desk }) {
      if (drop === null || desk === null) return nothing;
      const { kept, refunded, owed, aside } = desk.money;
      return pairs([
        [words.MONEY.kept, money(kept, drop)],
        [words.MONEY.refunded, money(refunded, drop)],
        [words.MONEY.owed, owed],
        ...(aside > 0 ? [/** @type {[string, number]} */ ([words.MONEY.aside, aside])] : []),
      ]);
    }
  },
);

customElements.define(
  "night-funnel",
  class extends DeskPart {
    /** @override @param {Night} night */
    shown({ desk }) {
      if (desk === null) return nothing;
      const names = /** @type {(keyof typeof words.FUNNEL)[]} */ (Object.keys(words.FUNNEL));
      return pairs(names.map((name) => [words.FUNNEL[name], desk.funnel[name]]));
    }
  },
);

/**
 * @param {DropView} drop
 * @param {{qty: number, pool: string}} one
 */
const what = (drop, { qty, pool }) => html`<bdi>${number(qty)} × ${poolName(drop, pool)}</bdi>`;

customElements.define(
  "night-line",
  class extends DeskPart {
    /** @override @param {Night} night */
    shown({ drop, desk }) {
      if (drop === null || desk === null) return nothing;
      const { line } = desk;
      if (line.waiting === 0) return html`<p class="quiet">${words.NOBODY_WAITS}</p>`;
      return html`<p>${words.inLine(line)}</p>
        <ol class="list">
          ${line.next.map((one) => html`<li><span class="no">No. ${one.n}</span> ${what(drop, one)}${one.boost ? html` <span class="quiet">${words.BOOST_LANE}</span>` : nothing}</li>`)}
        </ol>`;
    }
  },
);

customElements.define(
  "night-ends",
  class extends DeskPart {
    /** @override @param {Night} night */
    shown({ drop, desk }) {
      if (drop === null || desk === null) return nothing;
      if (desk.line.ends.length === 0) return html`<p class="quiet">${words.NOTHING_HELD}</p>`;
      return html`<ul class="list">
        ${desk.line.ends.map((one) => {
          const rest = one.deadline_ms - desk.now;
          return html`<li><span>${what(drop, one)} <span class="quiet">${words.ENDS[one.what] ?? one.what}</span></span> <span class="digits ${rest < SOON_MS ? "soon" : ""}">${left(rest)}</span></li>`;
        })}
      </ul>`;
    }
  },
);

customElements.define(
  "night-refused",
  class extends DeskPart {
    /** @override @param {Night} night */
    shown({ desk }) {
      if (desk === null) return nothing;
      const rows = Object.entries(desk.refused);
      return rows.length === 0 ? html`<p class="quiet">${words.NOBODY}</p>` : pairs(rows.map(([code, times]) => [words.REFUSED[code] ?? code, times]));
    }
  },
);

customElements.define(
  "night-health",
  class extends DeskPart {
    /** @override @param {Night} night */
    shown({ desk }) {
      if (desk === null) return nothing;
      const { health } = desk;
      return html`<p>${words.sells(health)} ${words.memory(health.memory_percent)}</p>
        ${pairs(health.workers.map((one) => [`Web process ${one.pid}`, words.worker(one)]))}`;
    }
  },
);

customElements.define(
  "night-feed",
  class extends DeskPart {
    /** @override @param {Night} night */
    shown({ desk }) {
      if (desk === null) return nothing;
      return html`<ol class="feed" tabindex="0" aria-label="What happens">
        ${desk.feed.map(({ at_ms: at, text }) => html`<li><time datetime=${new Date(at).toISOString()}>${lately(at, desk.now)}</time> <span dir="auto">${text}</span></li>`)}
      </ol>`;
    }
  },
);

customElements.define(
  "studio-alarms",
  class extends DeskPart {
    /** @override @param {Night} night */
    shown({ desk }) {
      if (desk === null) return nothing;
      return html`${repeat(desk.alarms, ({ kind, drop, what: said }) => `${kind} ${drop} ${said}`, ({ what: said, then }) => html`<p class="alarm"><strong>${said}</strong> <span>${then}</span></p>`)}`;
    }
  },
);
