/**
 * The night of a drop: its parts follow the studio's channel.
 *
 * @import {Page, Pace} from "./night/wire.js"
 */

import { Channel } from "./night/channel.js";
import "./night/launch.js";
import { DeskPart, DropPart } from "./night/part.js";
import "./night/parts.js";

const block = document.getElementById("night");
const page = /** @type {Page} */ (JSON.parse(block?.textContent ?? "{}"));
const drops = [...document.querySelectorAll("*")].filter((one) => one instanceof DropPart);
const desks = [...document.querySelectorAll("*")].filter((one) => one instanceof DeskPart);
const link = document.querySelector("night-link");
const chart = /** @type {(HTMLElement & {pace: Pace}) | null} */ (document.querySelector("pace-chart"));

new Channel(page, (night, what) => {
  if (what === "drop") for (const part of drops) part.show(night);
  if (what === "desk") for (const part of desks) part.show(night);
  if (what !== "drop") /** @type {DeskPart | null} */ (link)?.show(night);
  // Its script is a large one and may come later: what it finds then is drawn.
  if (what === "desk" && chart !== null && night.desk !== null) chart.pace = night.desk.pace;
}).start();
