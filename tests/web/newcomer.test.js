import assert from "node:assert/strict";
import { test } from "node:test";

import { LEAST_MS, ticket } from "../../dropengine/web/src/newcomer.js";

const answer = (retry, status = 200) => new Response("", { status, headers: retry === null ? {} : { "retry-after": retry } });

test("a watcher asks until an answer names no time to come back", async () => {
  const answers = [answer("1"), answer("7"), new Error("no network"), answer("5", 503), answer(null, 500), answer(null)];
  const pauses = [];
  const asked = [];
  await ticket(
    "/drops/pin",
    async (page, how) => {
      asked.push([page, how.cache, how.credentials]);
      const next = answers.shift();
      if (next instanceof Error) throw next;
      return next;
    },
    async (ms) => pauses.push(ms),
  );
  assert.deepEqual(answers, []);
  assert.deepEqual(new Set(asked.map(String)), new Set(["/drops/pin,no-store,same-origin"]));
  assert.ok(pauses.every((ms) => ms >= LEAST_MS));
  assert.ok(pauses[2] >= 7_000);
  assert.ok(pauses[3] >= 7_000);
});
