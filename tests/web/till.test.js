import { test } from "node:test";
import assert from "node:assert/strict";
import { chooses, fitting, means, payable, reckon, swaps, unpaid, within } from "../../dropengine/web/src/till.js";
import { NOW, drop, hold, item, pool, state } from "./sale.js";

const stall = { id: "stall", kind: "pickup", title: "Stall", off: 200, cash: true };
const post = { id: "post", kind: "ship", title: "Post", amount: 690 };

test("the sum is that of its lines and of the way, as the shop reckons it", () => {
  const holds = [hold({ qty: 2 }), hold({ id: "h2", price: 150 })];
  assert.equal(reckon(holds, post).sum, 2 * 2400 + 150 + 690);
  const { lines, sum } = reckon(holds, stall);
  assert.deepEqual(lines.map(({ each }) => each), [2200, 0]);
  assert.equal(sum, 4400);
  assert.equal(reckon(holds, undefined).sum, 4950);
});

test("paid is what was taken, is in no payment and in time, the first to end first", () => {
  const holds = [
    hold({ id: "h1", deadline_ms: NOW + 9_000 }),
    hold({ id: "h2", deadline_ms: NOW + 5_000 }),
    hold({ id: "h3", origin: "line" }),
    hold({ id: "h4", origin: "line", claimed: true, deadline_ms: NOW + 7_000 }),
    hold({ id: "h5", state: "paying" }),
    hold({ id: "h6", deadline_ms: NOW }),
  ];
  assert.deepEqual(payable(state({ you: { holds } }), NOW).map(({ id }) => id), ["h2", "h4", "h1"]);
});

test("a payment that is open is told with what still stands in it", () => {
  const open = { id: "p2", holds: ["h1", "h2"], state: "open" };
  const one = state({ you: { holds: [hold({ state: "paying" }), hold({ id: "h2", state: "expired" })], payments: [{ id: "p1", holds: [], state: "ended" }, open] } });
  assert.deepEqual(unpaid(one), [open]);
  assert.deepEqual(within(one, unpaid(one)[0]).map(({ id }) => id), ["h1"]);
  assert.deepEqual(unpaid(state()), []);
});

test("cash is to be had where the way has it, and payments by hand are", () => {
  assert.deepEqual(means(drop({ pays: ["local", "by_hand"], hand_ms: 1 }), stall), ["local", "by_hand", "cash"]);
  assert.deepEqual(means(drop({ pays: ["local"] }), stall), ["local"]);
  assert.deepEqual(means(drop({ pays: ["local"], hand_ms: 1 }), post), ["local"]);
});

test("a drop with one way to pay and none to come by has nothing to choose", () => {
  assert.equal(chooses(drop({ pays: ["local"] })), false);
  assert.equal(chooses(drop()), false);
  assert.equal(chooses(drop({ ways: [post] })), true);
});

test("a swap is only for what costs the same and is there; what is not says why", () => {
  const all = drop({ items: [item({ pools: ["red", "blue", "green"] }), item({ id: "cup", price: 900, pools: ["cup"] })], pools: { red: pool(), blue: pool({ free: 1 }), green: pool({ free: 0 }), cup: pool({ item: "cup" }) } });
  assert.deepEqual(swaps(all, hold({ pool: "red" })), [{ pool: "blue", why: "" }, { pool: "green", why: "none" }, { pool: "cup", why: "price" }]);
});

test("a way that names places takes only what lies there", () => {
  const all = drop({ ways: [post, { ...stall, nodes: ["berlin"] }] });
  const ids = (/** @type {string[]} */ ...pools) => fitting(all, pools.map((name) => hold({ pool: name }))).map(({ id }) => id);
  assert.deepEqual(ids("cup@berlin", "pin"), ["post", "stall"]);
  assert.deepEqual(ids("cup@berlin", "cup@lima"), ["post"]);
});
