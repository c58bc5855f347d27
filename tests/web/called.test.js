/** What a call looks like, and where it may lead. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { link, shown, shows } from "../../dropengine/web/src/called.js";

const SHOP = "https://pins.example";
const NOW = Date.UTC(2027, 6, 16, 16, 0);
const CALL = {
  title: "Moon pin",
  body: "Your turn. Take it before {time}.",
  lang: "de",
  path: "/drops/moon",
  tag: "moon.offer",
  at: NOW + 90 * 60_000,
  quiet: false,
  again: true,
};

test("a time is written as the browser's owner reads clocks, where he is", () => {
  // These tests run in Tokyo.
  assert.equal(shown(CALL, NOW, false).options.body, "Your turn. Take it before 02:30.");
  const far = shown({ ...CALL, at: NOW + 40 * 3_600_000 }, NOW, false).options.body;
  assert.match(far, /18\. Juli/);
});

test("what a maker wrote is never a time", () => {
  const { options } = shown({ ...CALL, body: "Doors at {time}", at: 0 }, NOW, false);
  assert.equal(options.body, "Doors at {time}");
});

test("an offer rings again in the place of the one before it, and stays", () => {
  const { title, options } = shown(CALL, NOW, false);
  assert.equal(title, "Moon pin");
  assert.deepEqual(
    [options.tag, options.renotify, options.silent, options.requireInteraction, options.lang],
    ["moon.offer", true, false, true, "de"],
  );
});

test("who wants no sound, or looks at the page, hears none", () => {
  // A browser refuses what is to ring again without a sound.
  for (const one of [shown({ ...CALL, quiet: true }, NOW, false), shown(CALL, NOW, true)]) {
    assert.deepEqual([one.options.silent, one.options.renotify], [true, false]);
  }
});

test("a call leads to a drop of this shop, whatever was sent", () => {
  assert.equal(link("/drops/moon", SHOP), `${SHOP}/drops/moon`);
  assert.equal(link("/drops/moon?next=https://evil.example#x", SHOP), `${SHOP}/drops/moon`);
  for (const path of [
    "https://evil.example/drops/moon",
    "//evil.example/drops/moon",
    "\\\\evil.example\\drops\\moon",
    "/\\evil.example/drops/moon",
    "javascript:alert(1)",
    "data:text/html,x",
    "/drops/../studio",
    "/studio",
    "",
    "http://[",
    null,
    undefined,
    7,
    { toString: () => "/drops/moon" },
  ]) {
    assert.equal(link(path, SHOP), `${SHOP}/`, String(path));
  }
});

test("a page is open whatever its address says after the path", () => {
  assert.ok(shows(`${SHOP}/drops/moon?via=mail#buy`, `${SHOP}/drops/moon`));
  assert.ok(!shows(`${SHOP}/drops/moonlight`, `${SHOP}/drops/moon`));
  assert.ok(!shows("https://evil.example/drops/moon", `${SHOP}/drops/moon`));
});
