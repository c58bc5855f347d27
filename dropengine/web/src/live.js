/**
 * The live channel of a page: keeps one connection, comes back when it is lost, and says since when the page is
 * stale while it is. What is heard goes into one state object; `shown` is called with every new one.
 *
 * @import {Command, Message, Snapshot} from "./wire.js"
 * @import {Answer, Asked} from "./commands.js"
 * @import {Line, Where} from "./lines.js"
 * @import {State} from "./state.js"
 */

import { delay } from "./backoff.js";
import { Clock } from "./clock.js";
import { Commands } from "./commands.js";
import { Later } from "./later.js";
import { personal, poll, posted, socket, stream } from "./lines.js";
import { begun, heard } from "./state.js";
import { closed } from "./words.js";
import { mayComeBack } from "./wire.js";

/** How late a tick or a beat may be before the page ceases to say that it is up to date. */
const LATE_MS = 800;
/** A word that was so long on its way says what was, not what is. */
const OLD_MS = 1_500;
/** The same where the page asks every few seconds, which its words say. */
const POLL_LATE_MS = 8_000;
/** Silence after which the other side is asked whether it is there: dear where the question is two requests. */
const SILENCE_MS = { socket: 4_000, stream: 6_000, poll: 15_000 };
/** Up to so much more, so that a crowd that heard the same last word does not ask in one moment. */
const SPREAD_MS = 1_000;
/** How long it may take to say so. */
const ANSWER_MS = { socket: 2_000, stream: 5_000, poll: 5_000 };
const WATCH_MS = 1_000;
/** A connection that lasted this long was a good one: the next loss starts counting anew. */
const STEADY_MS = 10_000;
/** On a fallback the socket is tried again beside it: first after this long, then twice as long, and so on. */
const BETTER_MS = 20_000;
const BETTER_MS_MAX = 600_000;
/** Round trips measured when a connection opens; afterwards one a minute keeps the clock. */
const FIRST_TRIPS = 3;
const TRIP_MS = 60_000;
/** A log that went back shows as ticks that stay behind; after so many the drop is asked for whole. */
const BEHIND = 5;

const WAYS = /** @type {const} */ (["socket", "stream", "poll"]);
const OPENERS = { socket, stream, poll };
/** How often a way may fail to open before the next one is tried. A socket is also refused in a rush. */
const PATIENCE = { socket: 4, stream: 2, poll: 2 };


export class Live {
  /**
   * @param {object} given
   * @param {Snapshot} given.first what the server rendered into the page
   * @param {(state: State) => void} given.shown called with every new state
   * @param {string | null} [given.ticket] for those without a cookie
   */
  constructor({ first, shown, ticket = null }) {
    this.clock = new Clock();
    this.clock.hear(first.drop.now);
    this.state = begun(first);
    this.shown = shown;
    /** @type {Where} */
    this.where = { drop: first.drop.id, ticket, timer: this.clock.timer };
    this.commands = new Commands();
    this.later = new Later((command) => void this.ask(command), () => this.#show({}), this.clock.timer);
    /** @type {Line | null} */
    this.line = null;
    this.way = 0;
    this.failures = 0;
    this.attempt = 0;
    this.opened = 0;
    this.heardAt = 0;
    this.toldAt = 0;
    this.doubt = 0;
    this.measuring = 0;
    this.askedAt = -Infinity;
    this.trippedAt = -Infinity;
    /** @type {Line | null} */
    this.trial = null;
    this.trialAt = 0;
    this.trialMs = BETTER_MS;
    this.behind = 0;
    this.spread = Math.random() * SPREAD_MS;
    this.asking = false;
    this.back = 0;
    this.watch = 0;
  }

  start() {
    this.watch = window.setInterval(() => this.#look(), WATCH_MS);
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#wake();
    });
    // A page that a browser stopped runs again: before anything else of it.
    document.addEventListener("resume", () => this.#wake());
    window.addEventListener("online", () => this.#wake());
    // The device knows first: what is shown may be old from this moment on.
    window.addEventListener("offline", () => {
      if (!this.state.link.over) this.#lost(0);
    });
    // A page kept for the back button holds no connection, and is stale when it is shown again.
    window.addEventListener("pagehide", () => {
      // What was told not to come back stays away.
      if (!this.state.link.over) this.#drop("");
      clearTimeout(this.back);
    });
    window.addEventListener("pageshow", (event) => {
      if (event.persisted) this.#wake();
    });
    this.#open();
  }

  /**
   * @param {Command} command
   * @returns {Promise<Answer>} never rejects: a fault is a refusal with a sentence
   */
  ask(command) {
    return new Promise((resolve) => {
      this.commands.ask(command, this.#time(), (answer) => {
        if (answer.t === "refused") this.#show({ refusal: { command, refused: answer } });
        resolve(answer);
      });
      this.#show({ asked: this.commands.list(), refusal: null });
      this.#send();
    });
  }

  /** The same in a while, unless it is undone. @param {Command} command */
  askLater(command) {
    this.later.begin(command, this.state.you);
  }

  /** @param {Command} command */
  undo(command) {
    this.later.undo(command);
  }

  /** The browser has a ticket now: come back with it, as its fan. */
  again() {
    this.#drop("");
    this.#show({ watching: false });
    this.#open();
  }

  /** The server's clock, ms. */
  now() {
    return this.clock.now();
  }

  #time() {
    return this.clock.timer();
  }

  /** @param {Partial<State>} change */
  #show(change) {
    const next = { ...this.state, ...change };
    this.later.look(next.you, next.asked.length > 0);
    this.state = { ...next, later: this.later.list() };
    this.shown(this.state);
  }

  // --- The connection. ---

  #open() {
    clearTimeout(this.back);
    this.line?.close();
    this.opened = this.heardAt = this.trialAt = this.#time();
    this.askedAt = this.trippedAt = -Infinity;
    this.behind = 0;
    this.line = this.#way(this.way);
  }

  /**
   * One connection that reports here; a socket tried beside a fallback takes its place with its first word.
   * @param {number} way
   * @returns {Line}
   */
  #way(way) {
    /** @type {Line} */
    const line = OPENERS[WAYS[way] ?? "socket"](this.where, {
      hear: (message) => {
        if (this.trial === line) this.#better(line);
        if (this.line === line) this.#hear(message);
      },
      lost: (code) => {
        if (this.trial === line) this.trial = null;
        if (this.line === line) this.#lost(code);
      },
      trip: (sent, got, server) => this.clock.trip(sent, got, server),
    });
    return line;
  }

  /** @param {Line} line a socket that works after all */
  #better(line) {
    this.line?.close();
    this.line = line;
    this.trial = null;
    this.trialMs = BETTER_MS;
    this.way = 0;
    this.opened = this.#time();
    this.commands.lost();
    this.#trips();
  }

  #try() {
    this.trial?.close();
    this.trialAt = this.#time();
    this.trialMs = Math.min(BETTER_MS_MAX, 2 * this.trialMs);
    this.trial = this.#way(0);
  }

  /** @param {Message} message */
  #hear(message) {
    const first = !this.state.link.live;
    this.heardAt = this.#time();
    this.askedAt = -Infinity;
    if (message.t === "tick" || message.t === "beat") this.clock.hear(message.now);
    if (message.t === "snapshot") this.clock.hear(message.drop.now);
    const { state, missed, behind } = heard(this.state, message);
    this.state = state;
    if (message.t === "snapshot") {
      this.failures = 0;
      this.state = { ...state, link: { live: true, quiet: false, way: this.#kind(), since: 0, over: false, why: "" } };
      if (this.state.you !== null) this.commands.settled(this.state.you);
      if (first) this.#trips();
    }
    if (message.t === "done" || message.t === "refused") this.commands.answered(message, this.#time());
    if (message.t === "tick") this.behind = behind ? this.behind + 1 : 0;
    const at = message.t === "tick" || message.t === "beat" ? message.now : message.t === "snapshot" ? message.drop.now : -Infinity;
    // What waited in a page that stood still is old news: it proves nothing of the present.
    if (message.t === "snapshot" || this.clock.now() - at <= OLD_MS) this.#told();
    else if (at > -Infinity) this.#measure();
    if (missed) void this.#personal(Math.random() * 1_000);
    if (this.behind >= BEHIND) this.#whole();
    this.#show({ asked: this.commands.list() });
    this.#send();
  }

  /** What the page shows was the truth a moment ago. */
  #told() {
    this.toldAt = this.#time();
    const { link } = this.state;
    if (link.quiet) this.state = { ...this.state, link: { ...link, quiet: false } };
    if (this.doubt === 0) this.#doubts();
  }

  /** Whether that was too long ago to say that it still is. */
  #doubts() {
    clearTimeout(this.doubt);
    this.doubt = 0;
    const { link, drop } = this.state;
    if (!link.live || link.quiet || !drop.beat_ms) return;
    const rest = this.toldAt + (this.#kind() === "poll" ? POLL_LATE_MS : drop.beat_ms + LATE_MS) - this.#time();
    if (rest > 0) this.doubt = window.setTimeout(() => this.#doubts(), rest);
    else this.#show({ link: { ...link, quiet: true } });
  }

  /** @param {number} code */
  #lost(code) {
    const over = !mayComeBack(code);
    const steady = this.state.link.live && this.#time() - this.opened >= STEADY_MS;
    if (!this.state.link.live) this.failures += 1;
    if (steady) this.attempt = 0;
    if (this.failures >= PATIENCE[this.#kind()] && !over) {
      this.failures = 0;
      this.way = (this.way + 1) % WAYS.length;
    }
    this.#drop(over ? closed(code) : "", over);
    if (over) return;
    this.back = window.setTimeout(() => this.#open(), delay(this.attempt));
    this.attempt += 1;
  }

  /**
   * From here on the page is stale, and says so.
   * @param {string} why
   * @param {boolean} [over]
   */
  #drop(why, over = false) {
    this.line?.close();
    this.trial?.close();
    this.line = this.trial = null;
    this.commands.lost();
    const { link } = this.state;
    const since = link.live ? this.clock.now() - (this.#time() - this.toldAt) : link.since;
    this.#show({ link: { live: false, quiet: false, way: link.way, since, over, why } });
  }

  /** Once a second: is anybody there, is anything to be asked again. */
  #look() {
    const now = this.#time();
    // Nobody knows what happened meanwhile: shown as old until the shop has spoken.
    if (this.clock.slept() && this.line !== null) this.#renew();
    if (this.line === null) return;
    if (now - this.askedAt > ANSWER_MS[this.#kind()] && this.#silent()) {
      if (this.askedAt !== -Infinity || !this.state.link.live) {
        this.#lost(0);
        return;
      }
      this.#question();
    }
    if (this.#kind() === "socket" && this.state.link.live && now - this.trippedAt > TRIP_MS) this.#trip();
    if (this.way > 0 && this.state.link.live && now - this.trialAt > this.trialMs) this.#try();
    this.#send();
  }

  /** The device slept, the page came back, or the network did. */
  #wake() {
    if (this.state.link.over) return;
    this.#doubts();
    const slept = this.clock.slept();
    if (this.line === null || slept || this.#silent()) this.#renew();
    else this.#question();
  }

  /** A fresh connection at once. */
  #renew() {
    this.attempt = 0;
    this.#drop("");
    this.#open();
  }

  #kind() {
    return WAYS[this.way] ?? "socket";
  }

  #silent() {
    return this.#time() - this.heardAt > SILENCE_MS[this.#kind()] + this.spread;
  }

  #question() {
    this.askedAt = this.#time();
    this.line?.ask();
  }

  #trip() {
    this.trippedAt = this.#time();
    this.line?.ask();
  }

  #trips() {
    if (this.#kind() !== "socket") return;
    for (let i = 0; i < FIRST_TRIPS; i += 1) window.setTimeout(() => this.#trip(), i * 400);
  }

  /** A word came late, or the server's clock was set back: which of the two, a round trip tells. */
  #measure() {
    if (this.measuring !== 0 || this.#time() - this.trippedAt < ANSWER_MS[this.#kind()]) return;
    this.measuring = window.setTimeout(() => {
      this.measuring = 0;
      this.#trip();
    }, this.spread);
  }

  // --- Questions and commands. ---

  /** @param {number} wait ms, so that ten thousand screens do not ask at once */
  async #personal(wait) {
    if (this.asking) return;
    this.asking = true;
    await new Promise((done) => setTimeout(done, wait));
    try {
      const you = await personal(this.where);
      if (you !== null) this.#hear({ ...you, t: "you" });
    } catch {
      // The next tick shows the same gap and asks again; a lost connection says so by itself.
    } finally {
      this.asking = false;
    }
  }

  /** The whole drop anew: every connection begins with a snapshot. */
  #whole() {
    this.behind = 0;
    this.#lost(0);
  }

  /** Sends what is open and not under way. */
  #send() {
    if (!this.state.link.live) return;
    for (const asked of this.commands.due(this.#time())) {
      asked.sent = this.#time();
      asked.tries += 1;
      const { id, key, command } = asked;
      if (this.line?.send(JSON.stringify({ ...command, id, key })) !== true) void this.#post(asked);
    }
    if (this.state.asked.length !== this.commands.open.size) this.#show({ asked: this.commands.list() });
  }

  /**
   * The same command by HTTP, for those whose network lets no socket through.
   * @param {Asked} asked
   */
  async #post(asked) {
    try {
      this.#hear(await posted(this.where, asked.key, asked.id, asked.command));
      void this.#personal(0);
    } catch {
      // No reply means unknown: asked again by its key after a moment.
      asked.sent = -Infinity;
      asked.wait = this.#time() + delay(asked.tries);
    }
  }
}
