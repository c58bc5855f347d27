/**
 * Stands in the page itself, before everything else: dials while the page's modules are still on their way, and keeps
 * what is said meanwhile for whoever takes the line over (`socket` of `lines.js`).
 */

const address = `${location.origin.replace("http", "ws")}${location.pathname.replace(/\/wall$/, "")}/live`;
const ws = new WebSocket(address, "drop.v1");
const heard = /** @type {unknown[]} */ ([]);
ws.onmessage = (event) => heard.push(event.data);
Object.assign(globalThis, { dialled: { ws, heard } });
