/** One's own account: where the browser has passkeys, a further one can be made. */

import { hasPasskeys, made } from "./passkey.js";
import { tellZone } from "./zone.js";

const form = document.querySelector("#new-passkey");
const unmade = document.querySelector("#unmade");

tellZone();

if (form instanceof HTMLFormElement && hasPasskeys()) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    const credential = form.elements.namedItem("credential");
    // With what the device made the form goes its own way.
    if (!(credential instanceof HTMLInputElement) || credential.value !== "") return;
    event.preventDefault();
    void make(form, credential);
  });
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLInputElement} credential
 */
async function make(form, credential) {
  const button = form.querySelector("button");
  if (button?.getAttribute("aria-disabled") === "true") return;
  button?.setAttribute("aria-disabled", "true");
  say("");
  try {
    credential.value = JSON.stringify(await made());
    form.requestSubmit();
  } catch (fault) {
    say(fault instanceof Error ? fault.message : String(fault));
  } finally {
    button?.setAttribute("aria-disabled", "false");
  }
}

/** @param {string} sentence */
function say(sentence) {
  if (!(unmade instanceof HTMLElement)) return;
  unmade.textContent = sentence;
  unmade.hidden = sentence === "";
}
