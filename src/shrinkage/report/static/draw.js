// Plots as SVG: axes, lines, points that can be dragged by pointer or arrow keys, and controls that call back.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const clip = (x, low, high) => Math.min(Math.max(x, low), high);
const PAD = { left: 46, right: 10, top: 18, bottom: 30 };

function make(name, attributes, parent, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  if (parent) parent.append(node);
  return node;
}

const short = x => (Math.abs(x) < 5e-4 ? "0" : Math.abs(x) >= 1000 ? Math.round(x).toLocaleString("en") : String(Number(x.toPrecision(3)))).replace("-", "−");

class Plot {
  constructor(host, { x, y, width = 320, height = 240, labels = ["", ""], title }) {
    Object.assign(this, { x, y, width, height, labels });
    this.svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title });
    host.append(this.svg);
    this.clear();
  }

  clear() {
    const focused = this.svg.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.svg.replaceChildren();
    this.focused = focused;
    const { left, top } = PAD;
    const clip = `clip${(Plot.count = (Plot.count || 0) + 1)}`;
    const inner = { x: left, y: top, width: this.width - left - PAD.right, height: this.height - top - PAD.bottom };
    make("rect", inner, make("clipPath", { id: clip }, this.svg));
    make("rect", { ...inner, class: "frame" }, this.svg);
    for (const v of ticks(...this.x)) this.tick(v, true);
    for (const v of ticks(...this.y)) this.tick(v, false);
    const [across, up] = this.labels;
    make("text", { x: this.width - PAD.right, y: this.height - 3, class: "label end" }, this.svg, across);
    make("text", { x: 3, y: 9, class: "label" }, this.svg, up);
    this.area = make("g", { "clip-path": `url(#${clip})` }, this.svg);
  }

  tick(v, across) {
    const zero = v === 0 ? " zero" : "";
    const p = across ? this.px(v) : this.py(v);
    const ends = across
      ? { x1: p, x2: p, y1: PAD.top, y2: this.height - PAD.bottom }
      : { y1: p, y2: p, x1: PAD.left, x2: this.width - PAD.right };
    make("line", { ...ends, class: `grid${zero}` }, this.svg);
    const at = across ? { x: p, y: this.height - PAD.bottom + 12, class: "tick mid" } : { x: PAD.left - 4, y: p + 3, class: "tick end" };
    make("text", at, this.svg, short(v));
  }

  px(v) { return PAD.left + ((v - this.x[0]) / (this.x[1] - this.x[0])) * (this.width - PAD.left - PAD.right); }
  py(v) { return this.height - PAD.bottom - ((v - this.y[0]) / (this.y[1] - this.y[0])) * (this.height - PAD.top - PAD.bottom); }

  line(points, style, closed) {
    const path = points.map(([a, b], i) => `${i ? "L" : "M"}${this.px(a).toFixed(2)} ${this.py(b).toFixed(2)}`).join("");
    return make("path", { d: path + (closed ? "Z" : ""), class: style }, this.area);
  }

  curve(f, style, count = 400) {
    const [a, b] = this.x;
    return this.line(Array.from({ length: count + 1 }, (_, i) => { const v = a + ((b - a) * i) / count; return [v, f(v)]; }), style);
  }

  dot(at, style, title) {
    const node = make("circle", { cx: this.px(at[0]), cy: this.py(at[1]), r: 4.5, class: style }, this.area);
    if (title) make("title", {}, node, title);
    return node;
  }

  bar(at, width, height, style, title) {
    if (height === 0) return;
    const [base, tip] = [this.py(0), this.py(height)];
    const node = make("rect", {
      x: this.px(at) - width / 2, width, y: Math.min(base, tip), height: Math.max(Math.abs(base - tip), 0.5), class: style,
    }, this.area);
    if (title) make("title", {}, node, title);
  }

  // a point to drag; ``moved`` gets its new place
  handle(at, style, label, moved) {
    const node = this.dot(at, `handle ${style}`);
    if (!style.includes("small")) node.setAttribute("r", 8);
    node.setAttribute("tabindex", 0);
    node.setAttribute("role", "slider");
    node.setAttribute("aria-label", `${label}: ${short(at[0])}, ${short(at[1])}`);
    node.dataset.key = label;
    const put = (a, b) => moved([clip(a, ...this.x), clip(b, ...this.y)]);
    node.addEventListener("pointerdown", event => {
      event.preventDefault();
      const follow = e => {
        const box = this.svg.getBoundingClientRect();
        const across = ((e.clientX - box.left) / box.width) * this.width;
        const down = ((e.clientY - box.top) / box.height) * this.height;
        const inner = [this.width - PAD.left - PAD.right, this.height - PAD.top - PAD.bottom];
        put(this.x[0] + ((across - PAD.left) / inner[0]) * (this.x[1] - this.x[0]),
          this.y[1] - ((down - PAD.top) / inner[1]) * (this.y[1] - this.y[0]));
      };
      const done = () => { removeEventListener("pointermove", follow); removeEventListener("pointerup", done); };
      addEventListener("pointermove", follow);
      addEventListener("pointerup", done);
    });
    node.addEventListener("keydown", event => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!step) return;
      event.preventDefault();
      put(at[0] + (step[0] * (this.x[1] - this.x[0])) / 60, at[1] + (step[1] * (this.y[1] - this.y[0])) / 60);
    });
    if (this.focused === label) node.focus();
    return node;
  }
}

function ticks(from, to) {
  const [low, high] = [Math.min(from, to), Math.max(from, to)];
  const rough = (high - low) / 5;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(k => k * unit).find(k => k >= rough);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9; i++) found.push(i * step);
  return found;
}

// Controls: each returns a function that reads it.

function element(name, parent, properties = {}) {
  const node = Object.assign(document.createElement(name), properties);
  parent.append(node);
  return node;
}

function choice(host, label, options, chosen, changed) {
  const set = element("fieldset", host, { className: "choice" });
  element("legend", set, { textContent: label });
  const name = `choice${(choice.count = (choice.count || 0) + 1)}`;
  let value = chosen;
  for (const [key, text] of Object.entries(options)) {
    const holder = element("label", set);
    const input = element("input", holder, { type: "radio", name, value: key, checked: key === chosen });
    element("span", holder, { textContent: text });
    input.addEventListener("change", () => { value = key; changed(); });
  }
  return () => value;
}

function slider(host, label, { low, high, start, logarithmic, step, show = short }, changed) {
  const holder = element("label", host, { className: "slider" });
  element("span", holder, { textContent: label });
  const input = element("input", holder, { type: "range" });
  const to = logarithmic ? Math.log10 : v => v;
  const from = logarithmic ? v => 10 ** v : v => v;
  Object.assign(input, { min: to(low), max: to(high), step: step || (logarithmic ? 0.05 : 0.01) });
  input.value = to(start);
  const output = element("output", holder);
  const read = () => from(Number(input.value));
  const tell = () => { output.textContent = show(read()); };
  input.addEventListener("input", () => { tell(); changed(); });
  tell();
  return read;
}

function tick(host, label, changed) {
  const holder = element("label", host, { className: "tick-box" });
  const input = element("input", holder, { type: "checkbox" });
  element("span", holder, { textContent: label });
  input.addEventListener("change", changed);
  return () => input.checked;
}
