/**
 * A person's ticket lives for a day, and a page may stay open for longer: it asks for the next one by itself, well
 * before. Nothing of the page waits for it.
 */

const RENEW_MS = 6 * 3_600_000;
const LOOK_MS = 600_000;
/** Pages that were opened in one second do not ask in one second. */
const SPREAD_MS = 600_000;

let due = Date.now() + RENEW_MS + Math.random() * SPREAD_MS;

async function look() {
  if (Date.now() < due) return;
  const answer = await fetch("/you/renew", { method: "POST", credentials: "same-origin" }).catch(() => null);
  // Whoever is signed out has nothing to renew; whoever got no answer asks at the next look.
  if (answer !== null && (answer.ok || answer.status === 401)) due = Date.now() + RENEW_MS + Math.random() * SPREAD_MS;
}

setInterval(look, LOOK_MS);
// A device that slept knows no time that passed.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") void look();
});
