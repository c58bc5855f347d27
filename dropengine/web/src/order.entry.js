/** The page of an order: all of it is in the page; this prints it, and tells its times by the reader's clock. */

import { moment } from "./formats.js";

for (const time of document.querySelectorAll("time")) time.textContent = moment(Date.parse(time.dateTime));

document.querySelector("#print")?.addEventListener("click", () => globalThis.print());
