/** Exact places: every screen counts for itself, never wrong, never rising, asking only when it missed something. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { follow, moved, newer } from "../../dropengine/web/src/places.js";
import { entry, line, you } from "./sale.js";

test("only those who stood before me bring me forward", () => {
  const after = follow(77, line({ place: 41, r: 5 }), { r0: 5, left: [12, 99, 70] });
  assert.deepEqual([after.place, after.r], [39, 8]);
});

test("moves that were applied already change nothing", () => {
  const here = line({ place: 39, r: 8 });
  assert.equal(follow(77, here, { r0: 5, left: [12, 99, 70] }), here);
  assert.equal(follow(77, here, { r0: 8, left: [] }), here);
});

test("moves that overlap are applied from where the place stands", () => {
  const after = follow(77, line({ place: 40, r: 6 }), { r0: 5, left: [12, 13, 14] });
  assert.deepEqual([after.place, after.r], [38, 8]);
});

test("a gap is never guessed over", () => {
  assert.equal(follow(77, line({ r: 5 }), { r0: 6, left: [12] }), null);
  assert.equal(follow(77, line({ r: 5 }), { r0: 6, left: [] }), null);
});

test("nobody can be buying ahead of the first", () => {
  assert.equal(follow(77, line({ place: 3, buying: 2, r: 0 }), { r0: 0, left: [1, 2] }).buying, 0);
});

test("a place in the boost lane is left to who follows it", () => {
  const mine = you({ entries: [entry({ lane: "boost" })] });
  assert.equal(moved(mine, { pin: { r0: 9, left: [1] } }).you, mine);
  assert.equal(moved(mine, { pin: { r0: 9, left: [1] } }).missed, false);
});

test("each line of an entry moves by itself, and one gap does not stop the other", () => {
  const mine = you({ entries: [entry({ lines: [line({ pool: "red", place: 4, r: 0 }), line({ pool: "blue", place: 9, r: 0 })] })] });
  const after = moved(mine, { red: { r0: 3, left: [1] }, blue: { r0: 0, left: [1, 2] } });
  assert.equal(after.missed, true);
  assert.deepEqual(after.you.entries[0].lines.map((one) => one.place), [4, 7]);
});

test("an older you is dropped, whatever it says", () => {
  const have = you({ seq: 20, entries: [entry()] });
  assert.equal(newer(have, you({ seq: 19 })), have);
});

test("an older place inside a newer you does not replace a newer place", () => {
  const have = you({ seq: 20, entries: [entry({ lines: [line({ place: 30, r: 16, buying: 3 })] })] });
  const after = newer(have, you({ seq: 21, entries: [entry({ state: "offered", lines: [line({ place: 33, r: 12, buying: 9 })] })] }));
  assert.equal(after.entries[0].state, "offered");
  assert.deepEqual([after.entries[0].lines[0].place, after.entries[0].lines[0].r], [30, 16]);
});

test("another fan's state replaces everything", () => {
  assert.equal(newer(you({ seq: 20 }), you({ seq: 3, fan: "g" })).fan, "g");
});

test("in a long random sale with lost ticks no place is wrong and none rises", () => {
  let seed = 7;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  for (let round = 0; round < 200; round += 1) {
    const waiting = Array.from({ length: 40 }, (_, i) => i + 1);
    const me = 1 + Math.floor(random() * 40);
    const removed = [];
    const truth = () => waiting.filter((n) => n < me).length + 1;
    const ask = () => line({ place: truth(), r: removed.length });
    let mine = ask();
    let questions = 0;
    let lost = 0;
    let told = 0;
    while (waiting.some((n) => n !== me)) {
      for (let burst = Math.floor(random() * 4); burst > 0; burst -= 1) {
        const others = waiting.filter((n) => n !== me);
        if (others.length === 0) break;
        const [gone] = waiting.splice(waiting.indexOf(others[Math.floor(random() * others.length)]), 1);
        removed.push(gone);
      }
      const r0 = Math.max(0, told - Math.floor(random() * 3));
      const frame = { r0, left: removed.slice(r0) };
      told = removed.length;
      if (random() < 0.2) {
        lost += 1;
        continue;
      }
      const after = follow(me, mine, frame);
      if (after === null) questions += 1;
      const next = after ?? ask();
      assert.ok(next.place <= mine.place, "a place rose");
      mine = next;
      assert.equal(mine.place, truth());
    }
    assert.ok(questions <= lost, `${questions} questions for ${lost} lost frames`);
  }
});
