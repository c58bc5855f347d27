/** The list of drops: the server wrote it; this turns its moments into the reader's own time. */

import { moment } from "./formats.js";

for (const time of document.querySelectorAll("time[data-ms]")) {
  if (time instanceof HTMLElement) time.textContent = moment(Number(time.dataset["ms"]));
}
