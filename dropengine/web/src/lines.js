/**
 * The three ways to hear of a drop, best first: a socket, a stream of events, asking every few seconds. Each is
 * a function that opens one connection, calls `hear` with every message and `lost` once at its end.
 *
 * @import {Command, Done, Message, Refused} from "./wire.js"
 */

import { PROTOCOL, parse } from "./wire.js";

/**
 * @typedef {object} Ears
 * @property {(message: Message) => void} hear
 * @property {(code: number) => void} lost at most once; 0 where the way has no close codes
 * @property {(sent: number, got: number, server: number) => void} trip a round trip was measured
 */

/**
 * @typedef {object} Line
 * @property {(text: string) => boolean} send whether it was handed on; only a socket can
 * @property {() => void} ask make the other side say something
 * @property {() => void} close silently: `lost` is not called
 */

/** @typedef {{drop: string, ticket: string | null, timer: () => number}} Where */

const POLL_MS = 4_000;
const KINDS = ["snapshot", "tick", "beat", "you", "news", "done", "refused"];

/** @typedef {{ws: WebSocket, heard: unknown[]}} Dialled a socket, and what it said before anybody listened */

/** The socket that the page itself dialled (`dial.entry.js`), if it lives and nobody has it yet. */
function dialled() {
  const page = /** @type {{dialled?: Dialled}} */ (globalThis);
  const early = page.dialled;
  delete page.dialled;
  return early !== undefined && early.ws.readyState <= WebSocket.OPEN ? early : null;
}

/** @param {string} drop @returns {Dialled} */
function dial(drop) {
  const url = new URL(`/drops/${encodeURIComponent(drop)}/live`, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return { ws: new WebSocket(url, PROTOCOL), heard: [] };
}

/**
 * @param {Where} where
 * @param {Ears} ears
 * @returns {Line}
 */
export function socket(where, ears) {
  const { ws, heard } = dialled() ?? dial(where.drop);
  let asked = 0;
  const send = (/** @type {string} */ text) => {
    if (ws.readyState !== WebSocket.OPEN) return false;
    ws.send(text);
    return true;
  };
  ws.onopen = () => {
    if (where.ticket !== null) send(JSON.stringify({ t: "hello", ticket: where.ticket }));
  };
  const hear = (/** @type {unknown} */ data) => {
    const message = typeof data === "string" ? parse(data) : null;
    if (message === null) return;
    if (message.t === "pong") ears.trip(message.c, Math.round(where.timer()), message.s);
    ears.hear(message);
  };
  ws.onmessage = (event) => hear(event.data);
  ws.onclose = (event) => ears.lost(event.code);
  // Whoever asked for this line has it before it speaks.
  queueMicrotask(() => heard.forEach(hear));
  return {
    send,
    ask: () => {
      asked += 1;
      send(JSON.stringify({ t: "ping", id: asked, c: Math.round(where.timer()) }));
    },
    close: () => {
      ws.onopen = ws.onmessage = ws.onclose = null;
      ws.close();
    },
  };
}

/**
 * @param {Where} where
 * @param {Ears} ears
 * @returns {Line}
 */
export function stream(where, ears) {
  const events = new EventSource(`/drops/${encodeURIComponent(where.drop)}/events`);
  const hear = (/** @type {MessageEvent<string>} */ event) => {
    const message = parse(event.data, event.type === "message" ? undefined : event.type);
    if (message !== null) ears.hear(message);
  };
  events.onmessage = hear;
  for (const kind of KINDS) events.addEventListener(kind, hear);
  events.onerror = () => {
    // The browser would come back by its own, unjittered clock: coming back is ours.
    events.close();
    ears.lost(0);
  };
  return {
    send: () => false,
    ask: () => {
      void fetched(where, ears).catch(() => undefined);
    },
    close: () => {
      events.onerror = null;
      events.close();
    },
  };
}

/**
 * @param {Where} where
 * @param {Ears} ears
 * @returns {Line}
 */
export function poll(where, ears) {
  let timer = 0;
  let closed = false;
  const round = async () => {
    try {
      await fetched(where, ears);
      if (!closed) timer = setTimeout(round, POLL_MS * (0.75 + Math.random() / 2));
    } catch {
      if (!closed) ears.lost(0);
    }
  };
  void round();
  return {
    send: () => false,
    ask: () => undefined,
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/**
 * The same truth by two plain questions: the drop for everybody, and what is the fan's own.
 * @param {Where} where
 * @param {Ears} ears
 */
async function fetched(where, ears) {
  const sent = where.timer();
  const answer = await fetch(`/api/drops/${encodeURIComponent(where.drop)}`, options(where));
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
  const snapshot = parse(await answer.text(), "snapshot");
  if (snapshot?.t !== "snapshot") throw new Error("not a snapshot");
  ears.trip(sent, where.timer(), snapshot.drop.now);
  const you = await personal(where);
  ears.hear({ ...snapshot, you });
}

/**
 * The fan's whole personal state, by GET.
 * @param {Where} where
 * @returns {Promise<import("./wire.js").You | null>} null for a watcher without a ticket
 */
export async function personal(where) {
  const answer = await fetch(`/api/drops/${encodeURIComponent(where.drop)}/you`, options(where));
  if (answer.status === 401 || answer.status === 403) return null;
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
  const you = parse(await answer.text(), "you");
  return you?.t === "you" ? you : null;
}

/**
 * @param {Where} where
 * @returns {RequestInit}
 */
function options(where) {
  /** @type {Record<string, string>} */
  const headers = where.ticket === null ? {} : { authorization: `Bearer ${where.ticket}` };
  // A kept answer would carry a kept clock.
  return { headers, cache: "no-store", credentials: "same-origin" };
}

/**
 * A command by HTTP, for those whose network lets no socket through.
 * @param {Where} where
 * @param {string} key
 * @param {number} id
 * @param {Command} command
 * @returns {Promise<Done | Refused>}
 */
export async function posted(where, key, id, { t, ...body }) {
  const { headers } = options(where);
  const answer = await fetch(`/api/drops/${encodeURIComponent(where.drop)}/${t}`, {
    ...options(where),
    method: "POST",
    headers: { ...headers, "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok && typeof said.code !== "string") throw new Error(`answered ${answer.status}`);
  return answer.ok ? { ...said, t: "done", id } : problem(said, id);
}

/**
 * A problem document as the refusal it stands for.
 * @param {Record<string, any>} said
 * @param {number} id
 * @returns {Refused}
 */
function problem(said, id) {
  const text = [said["title"], said["detail"]].filter((part) => typeof part === "string" && part !== "").join(" ");
  // Its numbers and names are called as on a socket.
  return { seq: 0, code: "", ...said, t: "refused", id, text };
}
