/** Sign-in and one-time links: where the browser has passkeys, their buttons come up. */

import { hasPasskeys, signIn, spend } from "./passkey.js";
import { tellZone } from "./zone.js";

tellZone();

const to = document.querySelector("#to");
/** Where the shop says that whoever comes in wanted to go. */
const HOME = to instanceof HTMLInputElement ? to.value : "/studio";

const place = document.querySelector("[data-passkey]");
const wrong = document.querySelector("#wrong");
const way = place instanceof HTMLFormElement ? place.querySelector("#passkey") : place;
const button = way?.querySelector("button");

if (way instanceof HTMLElement && button instanceof HTMLElement && hasPasskeys()) {
  way.hidden = false;
  button.addEventListener("click", () => void pressed(button));
}

/** @param {HTMLElement} pressed_ */
async function pressed(pressed_) {
  if (pressed_.getAttribute("aria-disabled") === "true" || !filled()) return;
  pressed_.setAttribute("aria-disabled", "true");
  say("");
  try {
    await (place instanceof HTMLFormElement ? spend(link(place)) : signIn());
    location.assign(HOME);
  } catch (fault) {
    say(fault instanceof Error ? fault.message : String(fault));
    pressed_.setAttribute("aria-disabled", "false");
  }
}

/** A passkey needs every field of the form but the password. */
function filled() {
  const fields = place instanceof HTMLFormElement ? [...place.querySelectorAll("input")] : [];
  return fields.filter((field) => field.name !== "password").every((field) => field.reportValidity());
}

/** @param {HTMLFormElement} form */
function link(form) {
  const said = new FormData(form);
  const token = location.pathname.split("/").at(-1) ?? "";
  return { token, name: String(said.get("name") ?? "").trim(), maker: String(said.get("maker") ?? "").trim() };
}

/** @param {string} sentence */
function say(sentence) {
  if (!(wrong instanceof HTMLElement)) return;
  wrong.textContent = sentence;
  wrong.hidden = sentence === "";
}
