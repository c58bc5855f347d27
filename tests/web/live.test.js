/** The channel: it comes back, repeats by key, asks when it is silent, and never goes stale silently. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { NOW, drop, entry, snapshot, tick, you } from "./sale.js";

/** The browser around the module, as far as it is used; time moves only when a test says so. */
class Socket {
  static OPEN = 1;
  static all = [];
  readyState = 0;
  sent = [];
  constructor(url, protocol) {
    Object.assign(this, { url: String(url), protocol });
    Socket.all.push(this);
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  // What the server does:
  accept(first = snapshot()) {
    this.readyState = 1;
    this.onopen?.();
    this.say(first);
  }
  say(message) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  end(code) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
  asked = (kind) => this.sent.filter((message) => message.t === kind);
}

class Stream {
  static all = [];
  listeners = {};
  constructor(url) {
    this.url = url;
    Stream.all.push(this);
  }
  addEventListener(kind, listener) {
    this.listeners[kind] = listener;
  }
  close() {}
}

const listeners = {};
const on = (kind, listener) => ((listeners[kind] ??= []).push(listener));
let fetched = [];
let answer = () => ({ ok: false, status: 503 });

Object.assign(globalThis, {
  WebSocket: Socket,
  EventSource: Stream,
  location: { href: "https://shop.example/drops/eclipse-pin" },
  document: { addEventListener: on, visibilityState: "visible" },
  window: globalThis,
  addEventListener: on,
  fetch: async (url, options = {}) => {
    fetched.push({ url, ...options });
    const { ok, status, body } = answer(url, options);
    return { ok, status, text: async () => JSON.stringify(body), json: async () => body };
  },
});
mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: NOW });
const zero = NOW - 1_000;
performance.now = () => Date.now() - zero;
const { Live } = await import("../../dropengine/web/src/live.js");

const pass = (ms) => mock.timers.tick(ms);
/** Lets what was promised happen; no time passes. */
const settle = async () => {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
};

function begin() {
  const live = new Live({ first: snapshot(), shown: () => undefined });
  live.start();
  return { live, socket: Socket.all[0] };
}

beforeEach(() => {
  Socket.all = [];
  Stream.all = [];
  fetched = [];
  for (const kind of Object.keys(listeners)) listeners[kind] = [];
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: NOW });
});

test("it speaks drop.v1 to its own drop, over tls where the page came that way", () => {
  const { socket } = begin();
  assert.deepEqual([socket.url, socket.protocol], ["wss://shop.example/drops/eclipse-pin/live", "drop.v1"]);
});

/** What `dial.entry.js` leaves for the modules. */
function dialled(readyState = 1) {
  const ws = Object.assign(new Socket("early", "drop.v1"), { readyState });
  globalThis.dialled = { ws, heard: [] };
  return globalThis.dialled;
}

test("what the page itself dialled is taken over, with what it has said by then", async () => {
  const { ws, heard } = dialled();
  heard.push(JSON.stringify(snapshot({ seq: 12 })));
  const { live } = begin();
  await settle();
  assert.deepEqual([Socket.all.length, live.state.link.live, live.state.seq], [1, true, 12]);
  ws.say(tick({ seq: 13 }));
  assert.equal(live.state.seq, 13);
  ws.end(1012);
  pass(1_001);
  assert.deepEqual([Socket.all.length, live.state.link.live], [2, false]);
});

test("a dialled socket that has ended by then is dialled again", () => {
  dialled(3);
  begin();
  assert.equal(Socket.all.length, 2);
});

test("the page is live from the first snapshot on, not before", () => {
  const { live, socket } = begin();
  assert.equal(live.state.link.live, false);
  socket.accept();
  assert.equal(live.state.link.live, true);
});

test("a lost connection shows at once, with the time it was last true", () => {
  const { live, socket } = begin();
  socket.accept();
  pass(4_000);
  socket.say(tick({ now: NOW + 4_000 }));
  pass(3_000);
  const heardAt = live.now() - 3_000;
  socket.end(1012);
  assert.equal(live.state.link.live, false);
  assert.ok(Math.abs(live.state.link.since - heardAt) <= 1_000);
});

test("it comes back within a second and is live again", () => {
  const { live, socket } = begin();
  socket.accept();
  socket.end(1012);
  pass(1_001);
  assert.equal(Socket.all.length, 2);
  Socket.all[1].accept();
  assert.equal(live.state.link.live, true);
});

test("told not to come back, it does not, and says why", () => {
  const { live, socket } = begin();
  socket.accept();
  socket.end(4504);
  pass(600_000);
  assert.equal(Socket.all.length, 1);
  assert.equal(live.state.link.over, true);
  assert.match(live.state.link.why, /not here any more/);
});

test("some seconds of silence: it asks; two more without an answer: it is lost", () => {
  const { live, socket } = begin();
  socket.accept();
  pass(1_300);
  const before = socket.asked("ping").length;
  pass(5_000);
  assert.equal(socket.asked("ping").length, before + 1);
  assert.equal(live.state.link.live, true);
  pass(3_000);
  assert.equal(live.state.link.live, false);
});

/** A word a second, as long as the shop reads its truth. */
function beats(live, socket, seconds, after = 1_000) {
  for (let i = 0; i < seconds; i += 1) {
    pass(after);
    socket.say({ t: "beat", now: Date.now() });
    assert.equal(live.state.link.quiet, false, `second ${i}`);
  }
}

/** A snapshot of a shop that beats once a second. */
const beating = (more = {}) => snapshot({ drop: drop({ beat_ms: 1_000, ...more }) });

test("whoever hears no tick and no beat for two seconds does not say any more that he is up to date", () => {
  const { live, socket } = begin();
  socket.accept(beating());
  beats(live, socket, 10);
  pass(1_999);
  assert.deepEqual([live.state.link.live, live.state.link.quiet], [true, true]);
  socket.say(tick({ now: Date.now() }));
  assert.equal(live.state.link.quiet, false);
});

test("a beat that is late by half a second makes no page doubt", () => {
  const { live, socket } = begin();
  socket.accept(beating());
  beats(live, socket, 10, 1_500);
});

test("that the shop answers is no proof that what is shown is true", () => {
  const { live, socket } = begin();
  socket.accept(beating());
  pass(1_999);
  socket.say({ t: "pong", id: 1, c: 0, s: live.now() });
  assert.equal(live.state.link.quiet, true);
  socket.say({ t: "done", id: 1, seq: 11 });
  assert.equal(live.state.link.quiet, true);
});

test("a page that stood still doubts before it is looked at again", () => {
  const { live, socket } = begin();
  socket.accept(beating());
  // Its timers stood still too: nothing of the page ran.
  const later = mock.method(performance, "now", () => Date.now() - zero + 5_000);
  for (const listener of listeners.resume) listener();
  assert.ok(live.state.link.quiet || !live.state.link.live);
  later.mock.restore();
});

test("what waited while a page stood still is no proof of the present", () => {
  const { live, socket } = begin();
  socket.accept(beating());
  pass(3_000);
  socket.say({ t: "beat", now: Date.now() - 2_900 });
  socket.say(tick({ now: Date.now() - 1_900 }));
  assert.equal(live.state.link.quiet, true);
  socket.say({ t: "beat", now: Date.now() });
  assert.equal(live.state.link.quiet, false);
});

/** An hour that the server's clock is set back; the device's goes on. */
const BACK = 3_600_000;

test("a server's clock that is set back is asked for, and the page doubts no longer than that takes", () => {
  const { live, socket } = begin();
  socket.accept(beating());
  pass(1_000);
  for (const { id, c } of socket.asked("ping")) socket.say({ t: "pong", id, c, s: Date.now() });
  beats(live, socket, 10);
  const before = socket.asked("ping").length;
  for (let i = 0; i < 3; i += 1) {
    pass(1_000);
    socket.say({ t: "beat", now: Date.now() - BACK });
    const ping = socket.asked("ping").slice(before).at(-1);
    if (ping) socket.say({ t: "pong", id: ping.id, c: ping.c, s: Date.now() - BACK });
  }
  pass(1_000);
  socket.say({ t: "beat", now: Date.now() - BACK });
  assert.equal(live.state.link.quiet, false);
  assert.ok(Math.abs(live.now() - (Date.now() - BACK)) <= 1_000);
});

test("on a fallback a clock that is set back is asked for too", async () => {
  const { live } = begin();
  for (let i = 0; i < 4; i += 1) {
    Socket.all.at(-1).end(1006);
    pass(30_001);
  }
  const say = (message) => Stream.all[0].onmessage({ type: "message", data: JSON.stringify(message) });
  const there = (at) => beating({ now: at });
  say(there(Date.now()));
  answer = (url) => (url.endsWith("/you") ? { ok: false, status: 401 } : { ok: true, status: 200, body: there(Date.now() - BACK) });
  for (let i = 0; i < 8; i += 1) {
    pass(1_000);
    say({ t: "beat", now: Date.now() - BACK });
    await settle();
  }
  assert.deepEqual([live.state.link.way, live.state.link.quiet], ["stream", false]);
  assert.ok(Math.abs(live.now() - (Date.now() - BACK)) <= 1_000);
});

test("words that stay late are asked about now and then, not each", () => {
  const { live, socket } = begin();
  socket.accept(beating());
  pass(1_000);
  for (const { id, c } of socket.asked("ping")) socket.say({ t: "pong", id, c, s: Date.now() });
  const before = socket.asked("ping").length;
  for (let i = 0; i < 100; i += 1) {
    pass(100);
    socket.say({ t: "beat", now: Date.now() - 1_600 });
  }
  assert.equal(live.state.link.quiet, true);
  const more = socket.asked("ping").length - before;
  assert.ok(more >= 2 && more <= 6, `${more}`);
});

test("a shop that does not say how often it speaks is not doubted for its silence", () => {
  const { live, socket } = begin();
  socket.accept();
  pass(3_000);
  assert.equal(live.state.link.quiet, false);
});

test("an answer to the question keeps it live", () => {
  const { live, socket } = begin();
  socket.accept();
  for (let i = 0; i < 50; i += 1) {
    pass(6_000);
    const ping = socket.asked("ping").at(-1);
    socket.say({ t: "pong", id: ping.id, c: ping.c, s: live.now() });
  }
  assert.equal(live.state.link.live, true);
  assert.equal(Socket.all.length, 1);
});

test("offline is shown at once, and left with what is online again", () => {
  const { live, socket } = begin();
  socket.accept();
  pass(1_000);
  for (const listener of listeners.offline) listener();
  assert.equal(live.state.link.live, false);
  assert.equal(socket.readyState, 3, "what may still come over the old line is not the present");
  for (const listener of listeners.online) listener();
  Socket.all.at(-1).accept();
  assert.equal(live.state.link.live, true);
});

test("a device that slept believes nothing until the shop has spoken", () => {
  const { live, socket } = begin();
  socket.accept();
  pass(1_000);
  const slept = mock.method(live.clock, "date", () => Date.now() + 3_600_000);
  pass(1_000);
  assert.equal(live.state.link.live, false);
  Socket.all.at(-1).accept();
  assert.equal(live.state.link.live, true);
  slept.mock.restore();
});

test("what is given up later is in the state until it is sent, and undone by any other press", () => {
  const { live, socket } = begin();
  socket.accept(snapshot({ you: you({ entries: [entry()] }) }));
  const leave = { t: "leave", entry: "e1" };
  live.askLater(leave);
  assert.deepEqual(live.state.later, [leave]);
  live.undo(leave);
  assert.deepEqual(live.state.later, []);
  live.askLater(leave);
  pass(3_999);
  assert.equal(socket.asked("leave").length, 0);
  pass(1);
  assert.equal(socket.asked("leave").length, 1);
  assert.deepEqual(live.state.later, []);
});

test("a press whose answer was lost is repeated with the same key, and one answer is enough", async () => {
  const { live, socket } = begin();
  socket.accept();
  const pressed = live.ask({ t: "hold", pool: "pin", qty: 1 });
  const [first] = socket.asked("hold");
  socket.end(1006);
  pass(1_001);
  Socket.all[1].accept();
  const [again] = Socket.all[1].asked("hold");
  assert.deepEqual([again.key, again.pool, again.qty], [first.key, "pin", 1]);
  Socket.all[1].say({ t: "done", id: again.id, seq: 12 });
  assert.equal((await pressed).t, "done");
  assert.deepEqual(live.state.asked, []);
});

test("a press that the fresh state already shows is not repeated", async () => {
  const { live, socket } = begin();
  socket.accept();
  const joined = live.ask({ t: "join", pools: ["pin"], qty: 1 });
  const { key } = socket.asked("join")[0];
  socket.end(1006);
  pass(1_001);
  Socket.all[1].accept(snapshot({ seq: 12, you: you({ seq: 12, entries: [entry({ key })] }) }));
  assert.equal((await joined).t, "done");
  assert.deepEqual(Socket.all[1].asked("join"), []);
});

test("a press made while the page is stale waits for the connection", () => {
  const { live, socket } = begin();
  socket.accept();
  socket.end(1012);
  void live.ask({ t: "hold", pool: "pin", qty: 1 });
  pass(1_001);
  assert.deepEqual(Socket.all[1].asked("hold"), []);
  Socket.all[1].accept();
  assert.equal(Socket.all[1].asked("hold").length, 1);
});

test("a refusal keeps its sentence until the next press", async () => {
  const { live, socket } = begin();
  socket.accept();
  const pressed = live.ask({ t: "hold", pool: "pin", qty: 1 });
  socket.say({ t: "refused", id: socket.asked("hold")[0].id, seq: 10, code: "all_held", text: "All held." });
  assert.equal((await pressed).code, "all_held");
  assert.equal(live.state.refusal.refused.text, "All held.");
  void live.ask({ t: "join", pools: ["pin"], qty: 1 });
  assert.equal(live.state.refusal, null);
});

test("missed moves are asked for once, however many ticks show the gap", async () => {
  const { live, socket } = begin();
  socket.accept(snapshot({ you: you({ entries: [entry()] }) }));
  answer = () => ({ ok: true, status: 200, body: { t: "you", ...you({ seq: 30, entries: [entry({ lines: [{ pool: "pin", place: 9, r: 40, buying: 0, latest: 12 }] })] }) } });
  for (let i = 0; i < 5; i += 1) socket.say(tick({ seq: 20 + i, lines: { pin: { r0: 30, left: [] } } }));
  pass(1_001);
  await settle();
  assert.equal(fetched.filter(({ url }) => url.endsWith("/you")).length, 1);
  assert.equal(live.state.you.entries[0].lines[0].place, 9);
});

test("a log that went back is asked for whole", () => {
  const { live, socket } = begin();
  socket.accept(snapshot({ seq: 50 }));
  for (let i = 0; i < 5; i += 1) socket.say(tick({ seq: 20 + i }));
  pass(30_000);
  Socket.all[1].accept(snapshot({ seq: 30, drop: drop({ epoch: "run-2" }) }));
  assert.equal(live.state.seq, 30);
});

test("where no socket gets through, events do, and commands go by http with their key", async () => {
  const { live } = begin();
  for (let i = 0; i < 4; i += 1) {
    Socket.all.at(-1).end(1006);
    pass(30_001);
  }
  const [events] = Stream.all;
  assert.equal(events.url, "/drops/eclipse-pin/events");
  events.onmessage({ type: "message", data: JSON.stringify(snapshot()) });
  assert.deepEqual([live.state.link.live, live.state.link.way], [true, "stream"]);
  answer = (url) => (url.endsWith("/hold") ? { ok: false, status: 409, body: { code: "all_held", title: "All held.", free: 0, held: 3 } } : { ok: false, status: 503 });
  const said = await live.ask({ t: "hold", pool: "pin", qty: 1 });
  assert.deepEqual([said.code, said.text, said.held], ["all_held", "All held.", 3]);
  const post = fetched.find(({ method }) => method === "POST");
  assert.equal(post.url, "/api/drops/eclipse-pin/hold");
  assert.match(post.headers["idempotency-key"], /^[0-9a-f]{32}$/);
  assert.deepEqual(JSON.parse(post.body), { pool: "pin", qty: 1 });
});

test("a socket that works after all takes over from a fallback without a stale moment", () => {
  const { live } = begin();
  for (let i = 0; i < 4; i += 1) {
    Socket.all.at(-1).end(1006);
    pass(30_001);
  }
  Stream.all[0].onmessage({ type: "message", data: JSON.stringify(snapshot()) });
  const before = Socket.all.length;
  for (let i = 0; i < 25; i += 1) {
    pass(1_000);
    Stream.all[0].onmessage({ type: "message", data: JSON.stringify(tick()) });
  }
  assert.equal(Socket.all.length, before + 1);
  assert.equal(live.state.link.live, true);
  Socket.all.at(-1).accept();
  assert.deepEqual([live.state.link.live, live.state.link.way], [true, "socket"]);
});

test("a page that was put away says since when it is stale, and is live again when it comes back", () => {
  const { live, socket } = begin();
  socket.accept();
  for (const listener of listeners.pagehide) listener();
  assert.equal(live.state.link.live, false);
  assert.ok(live.state.link.since > 0);
  for (const listener of listeners.pageshow) listener({ persisted: true });
  Socket.all.at(-1).accept();
  assert.equal(live.state.link.live, true);
});

for (const code of [4500, 4501, 4504]) {
  test(`told ${code}, it stays away: put away and shown again, online again, looked at again`, () => {
    const { live, socket } = begin();
    socket.accept();
    socket.end(code);
    const { why } = live.state.link;
    for (let i = 0; i < 2; i += 1) {
      for (const listener of listeners.pagehide) listener();
      for (const listener of listeners.pageshow) listener({ persisted: true });
      for (const listener of listeners.visibilitychange) listener();
      for (const listener of listeners.online) listener();
      pass(60_000);
    }
    assert.equal(Socket.all.length, 1);
    assert.deepEqual([live.state.link.over, live.state.link.why], [true, why]);
  });
}
