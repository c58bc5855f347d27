/** The page of a fan: where the browser has passkeys, one signs in, and a further one can be made. */

import { ask, asked, hasPasskeys, signed } from "./passkey.js";
import { tellZone } from "./zone.js";

const API = "/you";

const form = document.querySelector("#new-passkey");
const sheet = document.querySelector("#passkey");

// Whoever signs in brings it along; on the page of who is signed in another module tells it.
if (sheet !== null) tellZone();

if (hasPasskeys()) {
  if (form instanceof HTMLFormElement) made(form);
  if (sheet instanceof HTMLElement) bySheet(sheet);
}

/** @param {HTMLFormElement} form */
function made(form) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    const credential = form.elements.namedItem("credential");
    // With what the device made the form goes its own way.
    if (!(credential instanceof HTMLInputElement) || credential.value !== "") return;
    event.preventDefault();
    void once(form.querySelector("button"), document.querySelector("#unmade"), async () => {
      const { options } = await ask("/passkeys/challenge", {}, API);
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
      credential.value = JSON.stringify(await signed(navigator.credentials.create({ publicKey })));
      form.requestSubmit();
    });
  });
}

/** @param {HTMLElement} sheet */
function bySheet(sheet) {
  const button = sheet.querySelector("button");
  sheet.hidden = false;
  button?.addEventListener("click", () =>
    once(button, document.querySelector("#unsigned"), async () => {
      const { options } = await ask("/sign-in/challenge", {}, API);
      const credential = await asked(options);
      const { to } = await ask("/sign-in/passkey", { credential, to: button.dataset.to ?? "" }, API);
      location.assign(to);
    }),
  );
}

/**
 * One at a time; what goes wrong is said.
 * @param {Element | null} button
 * @param {Element | null} place
 * @param {() => Promise<void>} work
 */
async function once(button, place, work) {
  if (button?.getAttribute("aria-disabled") === "true") return;
  button?.setAttribute("aria-disabled", "true");
  const say = (/** @type {string} */ sentence) => {
    if (!(place instanceof HTMLElement)) return;
    place.textContent = sentence;
    place.hidden = sentence === "";
  };
  say("");
  try {
    await work();
  } catch (fault) {
    say(fault instanceof Error ? fault.message : String(fault));
  } finally {
    button?.setAttribute("aria-disabled", "false");
  }
}
