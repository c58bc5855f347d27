/** The moments that the server wrote into a page, in the reader's zone and, where that reads differently, the maker's. */

import { moments } from "./formats.js";
import { MAKERS_TIME } from "./words.js";

export function tellTimes() {
  for (const time of document.querySelectorAll("time")) {
    const { here, there } = moments(Date.parse(time.dateTime), time.dataset["zone"] ?? "");
    time.textContent = there === "" ? here : `${here} (${there}, ${MAKERS_TIME})`;
  }
}
