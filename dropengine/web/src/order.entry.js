/** The page of an order: all of it is in the page; this prints it, and tells its times by the reader's clock. */

import { tellTimes } from "./times.js";

tellTimes();

document.querySelector("#print")?.addEventListener("click", () => globalThis.print());
