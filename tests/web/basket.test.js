import { test } from "node:test";
import assert from "node:assert/strict";
import { WANTS_MAX, keep, put, read, second } from "../../dropengine/web/src/basket.js";
import { putAlways } from "../../dropengine/web/src/storage.js";
import { drop, item, pool } from "./sale.js";

const two = drop({ id: "two", items: [item(), item({ id: "cup", pools: ["cup"], most: 1 })], pools: { pin: pool(), cup: pool({ item: "cup" }) } });
const none = { wants: [], all: false };

test("what was chosen is there again, in the order it was chosen", () => {
  const chosen = { ...put(two, put(two, none, "cup", 1), "pin", 2), all: true };
  keep(two, second(chosen, "cup", "pin"));
  assert.deepEqual(read(two), { wants: [{ pools: ["cup", "pin"], qty: 1 }, { pools: ["pin"], qty: 2 }], all: true });
});

test("no more is asked for than one press may have, and nothing of a kind takes it out", () => {
  const one = put(two, none, "cup", 7);
  assert.equal(one.wants[0]?.qty, 1);
  assert.deepEqual(put(two, one, "cup", 0).wants, []);
});

test("a second choice can be taken back", () => {
  const chosen = second(put(two, none, "cup", 1), "cup", "pin");
  assert.deepEqual(second(chosen, "cup", "").wants, [{ pools: ["cup"], qty: 1 }]);
});

test("whatever a browser kept, a basket is read from it", () => {
  const odd = [{ pools: ["gone", "pin", "pin"], qty: "2" }, { pools: ["gone"], qty: 1 }];
  putAlways("dropengine.basket.two", JSON.stringify({ wants: odd, all: "yes" }));
  assert.deepEqual(read(two), { wants: [{ pools: ["pin"], qty: 2 }], all: false });
  for (const kept of ["", "{", "null", "[]", '{"wants":{}}', '{"wants":[{"pools":7}]}']) {
    putAlways("dropengine.basket.two", kept);
    assert.deepEqual(read(two), none, kept);
  }
});

test("a basket names no more than one command may", () => {
  const names = Array.from({ length: WANTS_MAX + 4 }, (_, i) => `p${i}`);
  const wide = drop({ id: "wide", items: [item({ pools: names })], pools: Object.fromEntries(names.map((name) => [name, pool()])) });
  assert.equal(names.reduce((all, name) => put(wide, all, name, 1), none).wants.length, WANTS_MAX);
});
