/** A draft saves itself, and each mistake comes and goes beside its field while somebody writes. */

import { delay } from "./backoff.js";
import { DRAFT } from "./studio-words.js";

/** A photo of a phone is much larger than any page shows it: it is made smaller before it is sent. */
const SIDE_MAX = 2_400;
const SMALL_BYTES = 1_500_000;
/** After so long without a key. */
const QUIET_MS = 800;

const form = document.querySelector("#draft");
const said = document.querySelector("#saved");

const frame = document.querySelector("iframe[name=preview]");

// What is saved is shown, in the state that was looked at.
if (frame instanceof HTMLIFrameElement) {
  document.addEventListener("saved", () => frame.contentWindow?.location.reload());
  for (const link of document.querySelectorAll(".stages a")) {
    link.addEventListener("click", () => {
      for (const other of document.querySelectorAll(".stages a")) other.removeAttribute("aria-current");
      link.setAttribute("aria-current", "true");
    });
  }
}

if (form instanceof HTMLFormElement && said instanceof HTMLElement) keep(form, said);

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement} said
 */
function keep(form, said) {
  let timer = 0;
  let saving = false;
  let changed = false;
  let failures = 0;
  /** @type {HTMLElement | null | undefined} what was pressed while a save was on its way */
  let pressed;

  const later = (/** @type {number} */ ms) => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void save(), ms);
  };
  const zone = form.elements.namedItem("zone");
  if (zone instanceof HTMLInputElement && zone.value === "" && !zone.disabled) {
    zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
  }

  form.addEventListener("input", (event) => {
    if (event.target instanceof HTMLInputElement && event.target.type === "file") {
      const chosen = event.target;
      clearTimeout(timer);
      void smaller(chosen).then(() => {
        said.textContent = DRAFT.sending;
        form.requestSubmit();
      });
      return;
    }
    changed = true;
    said.textContent = DRAFT.writing;
    later(QUIET_MS);
  });
  // Whoever presses a button saves by it: after the save that is on its way, or he would overtake himself.
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    if (!saving) return;
    event.preventDefault();
    pressed = event.submitter;
  });

  async function save() {
    if (saving) return later(QUIET_MS);
    saving = true;
    changed = false;
    const body = new FormData(form);
    body.set("do", "auto");
    body.set("key", crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`);
    for (const [name, value] of [...body]) if (typeof value !== "string") body.delete(name);
    try {
      const answer = await fetch(form.action, { method: "POST", body });
      if (answer.status === 409) {
        said.textContent = DRAFT.overtaken;
        return;
      }
      // Trying again would change nothing: whoever writes has to do something first.
      if (answer.status === 401) {
        said.textContent = DRAFT.signedOut;
        return;
      }
      if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) {
        said.textContent = DRAFT.refused;
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      taken(/** @type {{version: number, mistakes: Record<string, string[]>}} */ (await answer.json()));
      failures = 0;
      if (changed) later(QUIET_MS);
    } catch {
      said.textContent = DRAFT.away;
      failures += 1;
      later(delay(failures));
    } finally {
      saving = false;
      if (pressed !== undefined) form.requestSubmit(pressed);
    }
  }

  /** @param {{version: number, mistakes: Record<string, string[]>}} answer */
  function taken({ version, mistakes }) {
    const seen = form.elements.namedItem("version");
    if (seen instanceof HTMLInputElement) seen.value = String(version);
    said.textContent = DRAFT.saved;
    for (const one of form.querySelectorAll(".field")) show(one, mistakes);
    // What was listed above and is right now is listed no more.
    for (const link of document.querySelectorAll("#mistakes a")) {
      const field = document.getElementById(decodeURIComponent(link.getAttribute("href")?.slice(1) ?? ""));
      if (field instanceof HTMLInputElement && field.value !== "" && mistakes[field.id] === undefined) link.closest("li")?.remove();
    }
    const list = document.querySelector("#mistakes");
    const head = list?.querySelector("p");
    // Their number was that of the save before.
    if (head) head.textContent = DRAFT.beside;
    if (list !== null && list.querySelector("li") === null) list.remove();
    document.dispatchEvent(new CustomEvent("saved"));
  }
}

/**
 * What is wrong with a field, below it.
 * @param {Element} field
 * @param {Record<string, string[]>} mistakes
 */
function show(field, mistakes) {
  const input = field.querySelector("input, textarea, select");
  if (input === null) return;
  const wrong = mistakes[input.id] ?? [];
  const empty = "value" in input && input.value === "";
  // That it is missing was said to who asked, and stays true.
  if (empty && wrong.length === 0 && field.querySelector(".fault") !== null) return;
  for (const old of field.querySelectorAll(".fault")) old.remove();
  const told = wrong.map((sentence, place) => {
    const one = document.createElement("span");
    one.className = "fault";
    one.id = `${input.id}-fault-${place + 1}`;
    one.textContent = `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`;
    field.append(one);
    return one.id;
  });
  const hint = field.querySelector(".hint");
  const by = [...told, ...(hint === null ? [] : [hint.id])].join(" ");
  if (by === "") input.removeAttribute("aria-describedby");
  else input.setAttribute("aria-describedby", by);
  if (wrong.length > 0) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

/**
 * Makes a photo smaller where the browser can; else it goes as it is.
 * @param {HTMLInputElement} input
 */
async function smaller(input) {
  const file = input.files?.[0];
  if (file === undefined || file.size <= SMALL_BYTES) return;
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, SIDE_MAX / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9));
    if (!(blob instanceof Blob) || blob.size >= file.size) return;
    const chosen = new DataTransfer();
    chosen.items.add(new File([blob], "picture.jpg", { type: "image/jpeg" }));
    input.files = chosen.files;
  } catch {
    // What this browser cannot read the shop says.
  }
}
