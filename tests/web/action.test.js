/** The one button: for every state one thing to say, and at most one thing to do. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { action, second } from "../../dropengine/web/src/action.js";
import { lately, timeOfDay } from "../../dropengine/web/src/formats.js";
import { night as quiet, ownCall } from "../../dropengine/web/src/quiet.js";
import { heard } from "../../dropengine/web/src/state.js";
import { NOW, choice, entry, hold, item, line, order, pool, state, tick } from "./sale.js";

const kindOf = (given, chosen = choice(), now = NOW) => action(state(given), chosen, now).kind;

test("before the opening it says when it opens and cannot be pressed; the countdown stands once, above", () => {
  const early = action(state({ drop: { state: "scheduled", opens_ms: NOW + 61_000 } }), choice(), NOW);
  assert.deepEqual([early.kind, early.label, early.clock, early.command], ["early", `Opens ${lately(NOW + 61_000, NOW)}`, "", null]);
  const due = action(state({ drop: { state: "scheduled", opens_ms: NOW - 5 } }), choice(), NOW);
  assert.deepEqual([due.label, due.command], ["Opening…", null], "screens open on the server's word, never by their clock");
});

test("while units are free it holds what was chosen", () => {
  const one = action(state(), choice({ qty: 2 }), NOW);
  assert.deepEqual(one.command, { t: "hold", pool: "pin", qty: 2 });
});

test("it asks for no more than is free or than the limit leaves", () => {
  assert.equal(action(state({ drop: { pools: { pin: pool({ free: 1 }) } } }), choice({ qty: 2 }), NOW).command.qty, 1);
  assert.equal(action(state({ you: { used: 1 } }), choice({ qty: 2 }), NOW).command.qty, 1);
});

test("a hold is paid, with its time", () => {
  const pay = action(state({ you: { used: 1, holds: [hold()] } }), choice(), NOW);
  assert.deepEqual([pay.label, pay.clock, pay.command], ["Pay €24.00", "04:59", { t: "pay", holds: ["h1"] }]);
});

test("only what spends sleeps: paying does; holding, taking and joining never", () => {
  const sleeps = (given) => [action(state(given), choice(), NOW)].map((one) => [one.kind, one.sleeps])[0];
  assert.deepEqual(sleeps({ you: { used: 1, holds: [hold()] } }), ["pay", true]);
  assert.deepEqual(sleeps({ you: { used: 1, holds: [hold({ state: "paying" })] } }), ["pay", true]);
  assert.deepEqual(sleeps({}), ["hold", false]);
  assert.deepEqual(sleeps({ you: { used: 1, holds: [hold({ origin: "line" })] } }), ["claim", false]);
  assert.deepEqual(sleeps({ drop: { pools: { pin: pool({ free: 0, held: 9 }) } } }), ["join", false]);
});

test("no state of the button gives anything up", () => {
  const entries = [entry(), entry({ lapses: 1, cool_ms: NOW + 30_000 }), entry({ state: "offered" })];
  const all = [{}, ...entries.map((one) => ({ entries: [one] })), { used: 1, holds: [hold()] }, { used: 1, holds: [hold({ origin: "line" })] }, { used: 1, orders: [order()] }];
  for (const you of all) {
    for (const pin of [pool(), pool({ free: 0, held: 200 }), pool({ free: 0, sold: 200 })]) {
      const { command } = action(state({ drop: { pools: { pin } }, you }), choice(), NOW);
      assert.ok(command === null || ["hold", "join", "pay", "claim"].includes(command.t), JSON.stringify(command));
    }
  }
});

test("a place is shown with its thing, whatever else is chosen", () => {
  const drop = { items: [item(), item({ id: "red", title: "Red", pools: ["red"] })], pools: { pin: pool({ free: 0, held: 9 }), red: pool({ item: "red", free: 0, held: 4 }) } };
  for (const chosen of ["pin", "red"]) assert.equal(action(state({ drop, you: { entries: [entry()] } }), choice({ pool: chosen }), NOW).thing, "Eclipse pin");
  assert.equal(action(state({ drop }), choice({ pool: "red" }), NOW).thing, "Red");
});

test("an offer comes before a hold, and is claimed", () => {
  const holds = [hold({ deadline_ms: NOW + 1_000 }), hold({ id: "h2", origin: "line", deadline_ms: NOW + 1_798_000 })];
  const claim = action(state({ you: { used: 2, holds } }), choice(), NOW);
  assert.deepEqual([claim.kind, claim.clock, claim.command], ["claim", "29:58", { t: "claim", hold: "h2" }]);
});

test("of several holds the one that ends first is paid first", () => {
  const holds = [hold({ deadline_ms: NOW + 9_000 }), hold({ id: "h2", deadline_ms: NOW + 4_000 })];
  assert.deepEqual(action(state({ you: { used: 2, holds } }), choice(), NOW).command, { t: "pay", holds: ["h2"] });
});

test("a deadline that is over can no longer be pressed", () => {
  assert.equal(action(state({ you: { used: 1, holds: [hold({ deadline_ms: NOW })] } }), choice(), NOW).command, null);
  assert.equal(action(state({ you: { used: 1, holds: [hold({ checking: true })] } }), choice(), NOW).command, null);
  assert.equal(action(state({ you: { used: 1, holds: [hold({ origin: "line", deadline_ms: NOW })] } }), choice(), NOW).command, null);
});

test("while the bank is asked about a payment the page says until when at most", () => {
  const asked = action(state({ you: { used: 1, holds: [hold({ state: "paying", checking: true, deadline_ms: NOW, asking: NOW + 120_000 })] } }), choice(), NOW);
  assert.deepEqual([asked.kind, asked.clock, asked.command], ["checking", "", null]);
  assert.ok(asked.hint.includes(`we are asking your bank, until ${timeOfDay(NOW + 120_000)} at most`));
});

test("all held: join the line, with what else one would take", () => {
  const pools = { pin: pool({ free: 0, held: 62, sold: 138 }), red: pool({ item: "red" }) };
  const join = action(state({ drop: { pools, items: [item(), item({ id: "red", pools: ["red"] })] } }), choice({ also: ["red", "pin"] }), NOW);
  assert.deepEqual(join.command, { t: "join", pools: ["pin", "red"], qty: 1 });
  assert.match(join.hint, /^All held: 62 in carts\./);
});

test("sold out: the line is still open", () => {
  assert.equal(kindOf({ drop: { state: "sold_out", pools: { pin: pool({ free: 0, sold: 200 }) } } }), "join");
});

test("a refusal for the line's sake turns the button to the line until the next tick", () => {
  const refusal = { command: { t: "hold", pool: "pin", qty: 1 }, refused: { t: "refused", id: 1, seq: 10, code: "all_held", text: "", free: 0, held: 3 } };
  assert.equal(kindOf({ state: { refusal } }), "join");
  assert.equal(kindOf({ state: { refusal, seq: 11 } }), "hold");
});

test("in line it shows the place with its thing, and no press can lose it", () => {
  const given = (buying) => ({ drop: { pools: { pin: pool({ free: 0, held: 62, sold: 138, buying }) } }, you: { entries: [entry()] } });
  const place = action(state(given(30)), choice(), NOW);
  assert.deepEqual([place.label, place.thing, place.command], ["In line: place 41", "Eclipse pin", null]);
  assert.equal(place.hint, "40 ahead of you, 12 of them buying. Your turn shows here and stands for 30 minutes.");
  // So many bought or let it go since the place was read.
  assert.match(action(state(given(7)), choice(), NOW).hint, /^40 ahead of you, 7 of them buying\./);
});

test("who holds reads beside the button what happens when he waits", () => {
  for (const [qty, words] of [[1, "it goes to others"], [2, "they go to others"]]) {
    const { hint } = action(state({ you: { used: qty, holds: [hold({ qty })] } }), choice(), NOW);
    assert.match(hint, new RegExp(`^Held for you until .*; then ${words}\\.$`));
  }
  const offer = action(state({ you: { used: 1, holds: [hold({ origin: "line" })] } }), choice(), NOW);
  assert.match(offer.hint, /^Your turn\. Take it before .* or it goes on; then you have 8 minutes to pay\.$/);
});

test("who cools reads beside the button that he keeps his place while he presses", () => {
  const entries = [entry({ lapses: 1, cool_ms: NOW + 60_000 })];
  const one = action(state({ you: { entries } }), choice(), NOW);
  assert.deepEqual([one.kind, one.hint.endsWith("You keep your place in line.")], ["hold", true]);
});

test("the head of the line is told so", () => {
  const entries = [entry({ lines: [line({ place: 1, buying: 0 })] })];
  assert.match(action(state({ drop: { pools: { pin: pool({ free: 0, held: 9 }) } }, you: { entries } }), choice(), NOW).hint, /^You are next/);
});

test("standing in one line keeps nobody from a free unit elsewhere", () => {
  const drop = { items: [item(), item({ id: "red", pools: ["red"] })], pools: { pin: pool({ free: 0, held: 9 }), red: pool({ item: "red", free: 4 }) } };
  assert.equal(kindOf({ drop, you: { entries: [entry()] } }, choice({ pool: "red" })), "hold");
  assert.equal(kindOf({ drop, you: { entries: [entry()] } }, choice({ pool: "pin" })), "line");
});

// They come with a later module.
Object.assign(globalThis, { told: { ...globalThis.told, night: quiet, ownCall } });
const MORNING = Date.UTC(2027, 6, 17, 6, 0, 0);
const night = (more = {}) => ({ calls_ms: MORNING, pools: { pin: pool({ free: 2, sold: 198, next: 77, buying: 12, ...more }) } });

test("in quiet hours whose call it would be is told so, and presses for it", () => {
  const one = action(state({ drop: night(), you: { entries: [entry({ qty: 2 })] } }), choice(), NOW);
  assert.deepEqual([one.kind, one.label, one.command], ["hold", "Hold 2 for me", { t: "hold", pool: "pin", qty: 2 }]);
  assert.match(one.hint, /^It would be your turn: press now, or be called at (15:00 \(08:00|3:00 PM \(8:00 AM), the maker's time\)\.$/);
});

test("who waits behind him reads when calls go on, and whoever comes joins the line", () => {
  const waits = action(state({ drop: night({ next: 12 }), you: { entries: [entry()] } }), choice(), NOW);
  assert.equal(waits.kind, "line");
  assert.match(waits.hint, /^40 ahead of you, 12 of them buying\. At night nobody is called/);
  const comes = action(state({ drop: night({ next: 12 }) }), choice(), NOW);
  assert.deepEqual([comes.kind, comes.command.t], ["join", "join"]);
  assert.match(comes.hint, /Calls go on at .*\.$/);
});

test("when calls begin again the night is over on the next tick", () => {
  const { state: later } = heard(state({ drop: night(), you: { entries: [entry()] } }), tick({ pools: { pin: pool({ free: 0, held: 2 }) } }));
  assert.equal(later.drop.calls_ms, 0);
  assert.equal(action(later, choice(), NOW).kind, "line");
});

test("who cools may press for what is free, and sees the place again when nothing is", () => {
  const cooling = { entries: [entry({ lapses: 1, cool_ms: NOW + 30_000, lines: [line({ place: 1, buying: 0 })] })] };
  const one = action(state({ drop: { pools: { pin: pool({ free: 1, sold: 199 }) } }, you: cooling }), choice(), NOW);
  assert.deepEqual(one.command, { t: "hold", pool: "pin", qty: 1 });
  assert.equal(kindOf({ drop: { pools: { pin: pool({ free: 0, held: 9 }) } }, you: cooling }), "line");
  assert.equal(kindOf({ drop: { pools: { pin: pool({ free: 1, sold: 199 }) } }, you: cooling }, choice(), NOW + 30_000), "line", "called before anybody presses");
  assert.equal(kindOf({ drop: { state: "paused", pools: { pin: pool({ free: 1 }) } }, you: cooling }), "line");
  assert.equal(kindOf({ drop: { limit: 1, pools: { pin: pool({ free: 1 }) } }, you: { ...cooling, used: 1, orders: [order()] } }), "yours", "what he has bought stands above a place that nobody may call");
});

test("a press that the line goes before shows the place that the fan has, not a line to join", () => {
  const refusal = { command: { t: "hold", pool: "pin", qty: 1 }, refused: { t: "refused", id: 1, seq: 10, code: "all_held", text: "", free: 0, held: 3 } };
  const cooling = { entries: [entry({ lapses: 1, cool_ms: NOW + 30_000 })] };
  assert.equal(kindOf({ you: cooling, state: { refusal } }), "line");
  assert.equal(second(state({ you: { used: 1, ...cooling, orders: [order()] }, state: { refusal } }), choice(), NOW), null);
});

test("who cools and has one already may hold one more", () => {
  const given = { you: { used: 1, orders: [order()], entries: [entry({ lapses: 1, cool_ms: NOW + 30_000 })] } };
  assert.equal(kindOf(given), "yours", "the win stands");
  assert.deepEqual(second(state(given), choice(), NOW).command, { t: "hold", pool: "pin", qty: 1 });
});

test("stopped: whatever the fan has, nothing can be pressed, and what is held is said to be safe", () => {
  for (const more of [{}, { holds: [hold()] }, { holds: [hold({ origin: "line" })] }, { holds: [hold({ state: "paying" })] }, { entries: [entry()] }]) {
    const stopped = action(state({ drop: { state: "frozen" }, you: more }), choice(), NOW);
    assert.deepEqual([stopped.kind, stopped.command], ["over", null]);
    assert.match(stopped.hint, more.holds ? /^Set aside for you\. Its time stands still/ : /What was confirmed stays/);
    assert.equal(stopped.thing, more.holds ? "1 × Eclipse pin" : "", "what he holds is named");
    assert.equal(second(state({ drop: { state: "frozen" }, you: more }), choice(), NOW), null);
  }
});

test("paused: no holds, but the line is open and what is held can be paid", () => {
  assert.equal(kindOf({ drop: { state: "paused" } }), "join");
  assert.equal(kindOf({ drop: { state: "paused" }, you: { used: 1, holds: [hold()] } }), "pay");
});

test("closing: nothing new, but holds and offers finish", () => {
  assert.equal(kindOf({ drop: { state: "closing" } }), "over");
  assert.equal(kindOf({ drop: { state: "closing" }, you: { used: 1, holds: [hold({ origin: "line" })] } }), "claim");
  assert.equal(kindOf({ drop: { state: "settled" }, you: { used: 1, orders: [order()] } }), "yours");
});

test("bought: the numbers of the edition", () => {
  const yours = action(state({ you: { used: 2, orders: [order(), order({ id: "h10", serials: [121] })] } }), choice(), NOW);
  assert.deepEqual([yours.label, yours.command], ["Yours: #17, #121 of 200", null]);
});

test("who has one is offered the line for more beside it", () => {
  const given = { drop: { state: "sold_out", pools: { pin: pool({ free: 0, sold: 200 }) } }, you: { used: 1, orders: [order()] } };
  assert.equal(kindOf(given), "yours");
  assert.deepEqual(second(state(given), choice(), NOW).command, { t: "join", pools: ["pin"], qty: 1 });
});

test("a refunded order is nobody's any more", () => {
  for (const gone of ["refund_pending", "refunded", "refund_failed"]) assert.equal(kindOf({ you: { used: 0, orders: [order({ state: gone })] } }), "hold");
});

test("while a command is under way nothing can be pressed twice", () => {
  assert.equal(action(state({ state: { asked: [{ t: "hold", pool: "pin", qty: 1 }] } }), choice(), NOW).command, null);
});

test("beside a hold a further one can be begun, but not an equal one", () => {
  const given = { you: { used: 1, holds: [hold()] }, drop: { limit: 3 } };
  assert.equal(second(state(given), choice(), NOW), null);
  assert.deepEqual(second(state(given), choice({ qty: 2 }), NOW).command, { t: "hold", pool: "pin", qty: 2 });
  assert.equal(second(state({ you: { used: 2, holds: [hold({ qty: 2 })] } }), choice(), NOW), null, "no room");
});

test("every drop state has something to say", () => {
  for (const name of ["scheduled", "live", "paused", "sold_out", "closing", "settled", "cancelled", "frozen"]) {
    const one = action(state({ drop: { state: name } }), choice(), NOW);
    assert.ok(one.label.length > 0, name);
  }
});

test("who was let in as a watcher is told so and cannot press; what is over is over for him too", () => {
  const watching = action(state({ you: null }), choice(), NOW);
  assert.deepEqual([watching.kind, watching.command], ["watch", null]);
  assert.match(watching.hint, /lets you in by itself/);
  assert.equal(kindOf({ you: null, drop: { state: "settled" } }), "over");
  assert.equal(kindOf({ you: null, drop: { state: "scheduled" } }), "watch");
  // A page that came with a ticket and lost it is no watcher: its press is told what to do.
  assert.equal(kindOf({ you: null, state: { watching: false } }), "hold");
});

test("a place is asked for in no more lines than a command may name", () => {
  const names = Array.from({ length: 40 }, (_, at) => `p${at}`);
  const pools = Object.fromEntries(names.map((name) => [name, pool({ free: 0, held: 200 })]));
  const { command } = action(state({ drop: { pools, items: [item({ pools: names })] } }), choice({ pool: "p39", also: names.slice(0, 30) }), NOW);
  assert.deepEqual(command.pools, ["p39", ...names.slice(0, 15)]);
});
