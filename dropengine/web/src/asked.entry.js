/** What an order has to know: each field is kept as it is left, beside the clock. Without scripts it is one form. */

import * as say from "#said";
import { countDown } from "./countdown.js";
import { timeOfDay } from "./formats.js";

const form = document.querySelector("#asked");
const clock = document.querySelector("#left");
const voice = document.querySelector("#voice");

for (const time of document.querySelectorAll("time")) time.textContent = timeOfDay(Date.parse(time.dateTime));

if (clock instanceof HTMLElement && voice !== null) countDown(clock, voice);
if (form instanceof HTMLFormElement) form.addEventListener("change", ({ target }) => keep(target));

/** Fields are kept one after another: what was typed last stands. */
let before = Promise.resolve();

/** @param {EventTarget | null} field */
function keep(field) {
  if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement || field instanceof HTMLSelectElement)) return;
  const body = new URLSearchParams({ [field.name]: field.value });
  before = before.then(() => send(field, body));
}

/**
 * @param {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} field
 * @param {URLSearchParams} body
 */
async function send(field, body) {
  let wrong = say.ask.not_saved;
  let saved = false;
  try {
    const answer = await fetch(location.href, { method: "POST", body, headers: { Accept: "application/json" } });
    saved = answer.ok;
    if (answer.status === 400 || answer.status === 409) wrong = String((await answer.json()).title);
  } catch {
    // The button sends it again.
  }
  const told = document.getElementById(`${field.name}-fault`);
  if (told !== null) {
    told.textContent = saved ? say.ask.saved : wrong;
    told.classList.toggle("kept", saved);
  }
  if (saved) field.removeAttribute("aria-invalid");
  else field.setAttribute("aria-invalid", "true");
  field.closest(".field")?.classList.toggle("bad", !saved);
}
