/** The clock of the test provider's page, and its times by the reader's. */

import { countDown } from "./countdown.js";
import { timeOfDay } from "./formats.js";

const clock = document.querySelector("#left");
const voice = document.querySelector("#voice");

for (const time of document.querySelectorAll("time")) time.textContent = timeOfDay(Date.parse(time.dateTime));

if (clock instanceof HTMLElement && voice !== null) countDown(clock, voice);
