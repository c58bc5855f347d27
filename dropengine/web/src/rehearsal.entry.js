/** The page of a rehearsal that goes on: asks once a second how far it is, and loads anew when it has ended. */

/**
 * @typedef {{ name: string, cpu: number, rss_mib: number }} Load
 * @typedef {Record<string, number | string> & { done: number, processes: Load[] }} Progress
 * @typedef {{ goes_on: boolean, stage: string, progress: Progress | null }} Now
 */

const EVERY_MS = 1_000;
const place = document.querySelector("[data-now]");
const address = place?.getAttribute("data-now") ?? "";

/** @param {Now} now */
function show(now) {
  say(document.querySelector('[data-of="stage"]'), now.stage);
  const { progress } = now;
  if (progress === null) return;
  for (const part of document.querySelectorAll("[data-of]")) {
    const value = progress[part.getAttribute("data-of") ?? ""];
    if (typeof value === "number") say(part, Math.round(value).toLocaleString("en"));
    if (typeof value === "string" && part.getAttribute("data-of") === "says") say(part, value);
  }
  for (const load of progress.processes) {
    const [cpu, memory] = document.querySelectorAll(`[data-process="${load.name}"] td`);
    say(cpu, `${String(Math.round(100 * load.cpu))}%`);
    if (load.rss_mib > 0) say(memory, `${load.rss_mib.toLocaleString("en")} MiB`);
  }
  const bar = document.querySelector("progress");
  if (bar !== null) bar.value = progress.done;
}

/**
 * @param {Element | null | undefined} part
 * @param {string} words
 */
function say(part, words) {
  if (part && part.textContent !== words) part.textContent = words;
}

for (let goesOn = place !== null; goesOn; ) {
  await new Promise((done) => setTimeout(done, EVERY_MS));
  /** @type {Now | null} */
  const now = await fetch(address, { cache: "no-store", credentials: "same-origin" }).then(
    (answer) => (answer.ok ? answer.json() : null),
    () => null,
  );
  if (now !== null) show(now);
  goesOn = now === null || now.goes_on;
}
if (place !== null) location.reload();

export {};
