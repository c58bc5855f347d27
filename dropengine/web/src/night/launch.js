/**
 * A list that chance orders, and the networks that were limited: written alike in studio-launch-parts.html.
 *
 * @import {DropView} from "../wire.js"
 * @import {Launch, Network, Night, Page, Placed} from "./wire.js"
 */

import { html, nothing } from "lit/html.js";
import { lately, left, number, poolName } from "../formats.js";
import { DeskPart, pairs } from "./part.js";
import * as words from "./words.js";

/** So near the seal is worth a colour. */
const SOON_MS = 60_000;

/**
 * What is known of the list now.
 * @param {Launch} launch
 * @param {DropView} drop
 * @param {number} now
 * @returns {[string, unknown][]}
 */
function known(launch, drop, now) {
  const { LIST } = words;
  /** @type {[string, unknown][]} */
  const rows = [];
  if (launch.persons !== launch.entries) {
    rows.push([LIST.persons, launch.persons < 0 ? LIST.unknown : launch.persons], [LIST.guests, launch.guests < 0 ? LIST.unknown : launch.guests]);
  }
  if (launch.seals_ms > 0) {
    const rest = launch.seals_ms - now;
    rows.push([LIST.seals, html`<span class="digits ${rest < SOON_MS ? "soon" : ""}">${left(rest)}</span>`]);
  }
  if (launch.sealed_ms > 0) rows.push([LIST.sealed, lately(launch.sealed_ms, now)]);
  if (drop.state !== "ordering") return rows;
  if (launch.waits === "round") {
    rows.push([LIST.waits, words.beacon(launch.round)]);
    const rest = launch.due_ms - now;
    if (launch.due_ms > 0) rows.push([LIST.due, rest > 0 ? html`<span class="digits">${left(rest)}</span>` : LIST.late]);
  } else if (launch.waits === "secret") {
    rows.push([LIST.waits, LIST.secret]);
  }
  rows.push([LIST.placed, words.of(launch.placed, launch.entries)]);
  return rows;
}

/** @param {Launch} launch */
function firstRound({ offers, taken, lapsed, declined, called, over }) {
  if (offers === 0 && !over) return nothing;
  const { ROUND } = words;
  return html`<h3>${over ? ROUND.over : ROUND.name}</h3>
    ${pairs([
      [ROUND.offers, offers],
      [ROUND.taken, taken],
      [ROUND.open, offers - taken - lapsed - declined],
      [ROUND.lapsed, lapsed],
      [ROUND.declined, declined],
      [ROUND.called, called],
    ])}`;
}

/**
 * @param {Placed} place
 * @param {DropView} drop
 */
const placed = ({ n, qty, pools, state }, drop) =>
  html`<li><span><span class="no">No. ${number(n)}</span> <bdi>${number(qty)} × ${pools.map((pool) => poolName(drop, pool)).join(" or ")}</bdi></span> <span class=${state}>${words.PLACED[state] ?? state}</span></li>`;

customElements.define(
  "night-list",
  class extends DeskPart {
    /** @override @param {Night} night */
    shown({ drop, desk }) {
      const launch = desk?.launch ?? null;
      if (drop === null || desk === null || launch === null) return nothing;
      const rest = launch.entries - launch.head.length;
      return html`<p class="big">${words.entries(launch.entries)}</p>
        ${pairs(known(launch, drop, desk.now))} ${firstRound(launch)}
        ${launch.head.length === 0
          ? nothing
          : html`<h3>${words.LIST.order}</h3>
              <ol class="list">
                ${launch.head.map((place) => placed(place, drop))}
              </ol>
              ${rest > 0 ? html`<p class="quiet">${words.more(rest)}</p>` : nothing}
              ${drop.state === "ordering" ? nothing : html`<p><a href="/drops/${drop.id}/order.json">${words.LIST.whole}</a>${words.LIST.everybodys}</p>`}`}
        ${launch.root === "" ? nothing : html`<p class="quiet">${words.LIST.root} <span class="hash">${launch.root}</span></p>`}`;
    }
  },
);

customElements.define(
  "night-early",
  class extends DeskPart {
    /** @override @param {Night} night */
    shown({ drop, desk }) {
      const early = drop?.early ?? null;
      if (desk === null || early === null) return nothing;
      const { EARLY } = words;
      const rest = early.public_ms - desk.now;
      const when = !early.lasts ? html`<p>${EARLY.open}</p>` : early.public_ms === 0 ? html`<p>${EARLY.byHand}</p>` : html`<p>${EARLY.widens} <span class="digits">${left(rest)}</span></p>`;
      return html`${when} ${pairs(desk.cohorts.map(({ title, used, most, sold }) => [title, words.ofCohort(used, most, sold)]))}`;
    }
  },
);

customElements.define(
  "night-shares",
  class extends DeskPart {
    /** @override @param {Night} night */
    shown({ desk }) {
      if (desk === null) return nothing;
      const ways = Object.entries(desk.shares);
      const all = ways.reduce((sum, [, units]) => sum + units, 0);
      const sold = all === 0 ? html`<p class="quiet">${words.NOTHING_SOLD}</p>` : pairs(ways.map(([way, units]) => [words.WAYS[way] ?? way, html`${number(units)} <span class="quiet">${number(Math.round((100 * units) / all))} %</span>`]));
      return html`${sold} ${desk.carried === 0 ? nothing : pairs([[words.OVER.carried, desk.carried], [words.OVER.confirmed, desk.confirmed]])}`;
    }
  },
);

customElements.define(
  "night-game",
  class extends DeskPart {
    /** @override @param {Night} night */
    shown({ desk }) {
      const game = desk?.game ?? null;
      if (game === null) return nothing;
      const { GAME } = words;
      return pairs([
        [GAME.boosts, game.boosts_hour],
        [GAME.ever, game.boosts],
        [GAME.pointed, game.pointed_hour],
        [GAME.ever, game.pointed],
      ]);
    }
  },
);

customElements.define(
  "night-networks",
  class extends DeskPart {
    /** What a press is known by, so that two quick ones are one. @type {Map<string, string>} */
    #keys = new Map();

    /** @param {string} of */
    #key(of) {
      const known = this.#keys.get(of) ?? `${crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`}`;
      this.#keys.set(of, known);
      return known;
    }

    /** @override @param {Night} night */
    shown({ drop, desk, page }) {
      if (drop === null || desk === null) return nothing;
      if (desk.networks.length === 0) return html`<p class="quiet">${words.noNetworks(drop.network_most ?? 0, drop.domain_most ?? 0)}</p>`;
      return html`<ul class="networks">
        ${desk.networks.map((one) => this.#row(one, drop, page))}
      </ul>`;
    }

    /**
     * @param {Network} one
     * @param {DropView} drop
     * @param {Page} page
     */
    #row({ network, open, most, refused, around, exempt, domain }, drop, page) {
      const verb = exempt ? "restrict" : "exempt";
      const { NETWORK } = words;
      return html`<li>
        <p><strong class="hash">${network}</strong>${around ? html` <span class="quiet">${NETWORK.around}</span>` : nothing}${domain ? html` <span class="quiet">${NETWORK.domain}</span>` : nothing}${exempt ? html` <span class="badge">${NETWORK.free}</span>` : nothing}</p>
        <p class="quiet">${exempt ? NETWORK.lifted : domain ? words.persons(open, most) : words.unpaid(open, most)} ${refused > 0 ? words.sentAway(refused) : nothing}</p>
        ${page.commands.length === 0
          ? nothing
          : html`<form method="post" action="${page.night}/${verb}">
              <input type="hidden" name="key" .value=${this.#key(`${verb} ${network} ${drop.revision}`)} />
              <input type="hidden" name="revision" .value=${String(drop.revision)} />
              <input type="hidden" name="network" .value=${network} />
              <button class="small" aria-label="${exempt ? NETWORK.set : NETWORK.lift}: ${network}">${exempt ? NETWORK.set : NETWORK.lift}</button>
              <a class="quiet" href="${page.night}/${verb}?network=${network}" aria-label="${NETWORK.what}: ${network}">${NETWORK.what}</a>
            </form>`}
      </li>`;
    }
  },
);
