/**
 * How fast presses are decided, as a chart: an entry of its own, for its library is as large as all of the page.
 *
 * @import {Pace} from "./night/wire.js"
 */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { PACE, paced } from "./night/words.js";

const HEIGHT = 180;

class PaceChart extends HTMLElement {
  /** @type {uPlot | null} */
  #plot = null;
  /** @type {Pace | null} */
  #pace = null;
  #drawn = "";
  #figure = document.createElement("div");
  #said = document.createElement("p");

  constructor() {
    super();
    // A page may have told it before this script came.
    const told = Object.getOwnPropertyDescriptor(this, "pace")?.value;
    delete /** @type {{pace?: Pace}} */ (this).pace;
    this.#figure.setAttribute("aria-hidden", "true");
    this.#said.className = "quiet";
    if (told !== undefined) this.pace = told;
  }

  connectedCallback() {
    this.replaceChildren(this.#figure, this.#said);
    new ResizeObserver(() => this.#plot?.setSize({ width: this.clientWidth, height: HEIGHT })).observe(this);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#anew());
    this.#draw();
  }

  /** @param {Pace} pace */
  set pace(pace) {
    this.#pace = pace;
    this.#draw();
  }

  #anew() {
    this.#plot?.destroy();
    this.#plot = null;
    this.#drawn = "";
    this.#draw();
  }

  #draw() {
    const pace = this.#pace;
    if (pace === null || !this.isConnected) return;
    const key = `${pace.from_ms} ${pace.commands.join()} ${pace.most_ms.join()}`;
    if (key === this.#drawn) return;
    this.#drawn = key;
    const at = pace.commands.map((_, i) => (pace.from_ms + i * pace.each_ms) / 1_000);
    const none = (/** @type {number[]} */ times) => times.map((ms) => (ms === 0 ? null : ms));
    const data = /** @type {uPlot.AlignedData} */ ([at, pace.commands, none(pace.half_ms), none(pace.most_ms)]);
    if (this.#plot === null) this.#plot = new uPlot(this.#options(), data, this.#figure);
    else this.#plot.setData(data);
    const last = pace.commands.map((commands) => commands > 0).lastIndexOf(true);
    this.#said.textContent = paced(pace.commands.reduce((a, b) => a + b, 0), pace.half_ms[last] ?? 0, pace.most_ms[last] ?? 0);
  }

  /** @returns {uPlot.Options} */
  #options() {
    const style = getComputedStyle(this);
    const ink = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    const axis = { stroke: ink("--quiet"), grid: { stroke: ink("--line"), width: 1 }, ticks: { show: false }, font: `12px ${style.fontFamily}` };
    return {
      width: Math.max(200, this.clientWidth),
      height: HEIGHT,
      cursor: { show: false },
      legend: { show: false },
      scales: { ms: { distr: 3, range: (_plot, _min, max) => [1, Math.max(100, max ?? 1)] }, y: { range: (_plot, _min, max) => [0, Math.max(4, max ?? 1)] } },
      axes: [axis, { ...axis, label: PACE.commands, labelSize: 20, labelFont: axis.font, size: 44 }, { ...axis, scale: "ms", side: 1, grid: { show: false }, label: "ms", labelSize: 20, labelFont: axis.font, size: 44 }],
      series: [
        {},
        { label: PACE.commands, stroke: ink("--free"), fill: `${ink("--free")}33`, width: 1, ...(uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}), points: { show: false } },
        { label: PACE.half, scale: "ms", stroke: ink("--quiet"), width: 2, points: { size: 4 } },
        { label: PACE.most, scale: "ms", stroke: ink("--ink"), width: 2, points: { size: 4 } },
      ],
    };
  }
}

customElements.define("pace-chart", PaceChart);
