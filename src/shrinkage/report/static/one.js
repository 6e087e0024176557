// One dimension: value, slope and proximal map; the trajectory of one weight; the prior view.
"use strict";

const NAMES = { L1: "L1", L2: "L2", L0: "L0", ElasticNet: "elastic net", MCP: "MCP" };

function oneDimension(host) {
  const controls = element("div", host, { className: "controls" });
  const read = choice(controls, "penalty", NAMES, "L1", draw);
  const strength = slider(controls, "strength s", { low: 0, high: 2, start: 0.8 }, draw);
  const row = element("div", host, { className: "row" });
  const plots = [
    new Plot(row, { x: [-3, 3], y: [0, 4], labels: ["w", "Ω(w)"], title: "the penalty" }),
    new Plot(row, { x: [-3, 3], y: [-3, 3], labels: ["w", "slope"], title: "its slope" }),
    new Plot(row, { x: [-3, 3], y: [-3, 3], labels: ["u", "w"], title: "its proximal map" }),
  ];
  const said = element("p", host, { className: "said" });
  function draw() {
    const [kind, s] = [read(), strength()];
    const penalty = PENALTIES[kind];
    plots.forEach(plot => plot.clear());
    const [value, slope, map] = plots;
    value.curve(w => penalty.value(w, s), "main");
    slope.line(half(-3, w => penalty.slope(w, s)), "main");
    slope.line(half(3, w => penalty.slope(w, s)), "main");
    const kink = Math.min(penalty.kink(s), 9);
    if (kink > 0) slope.line([[0, -kink], [0, kink]], "main");
    map.line([[-3, -3], [3, 3]], "faint");
    map.curve(u => prox(kind, u, s), "main", 1200);
    const rest = kind === "L0" ? Math.sqrt(2 * s) : penalty.kink(s);
    if (rest > 0) map.line([[-rest, 0], [rest, 0]], "rest");
    said.textContent = rest > 0
      ? `Whoever starts within |u| ≤ ${short(rest)} rests at exactly 0: at w = 0 the slope may be anything between −${kink < 9 ? short(kink) : "∞"} and ${kink < 9 ? short(kink) : "∞"}, and the loss must pull harder than that.`
      : `At 0 the slope is 0: the smallest pull moves the weight away. L2 multiplies by 1/(1 + s) = ${short(1 / (1 + s))}, and never arrives at 0.`;
  }
  draw();
}

const half = (end, f) => Array.from({ length: 120 }, (_, i) => { const w = 1e-9 * Math.sign(end) + (end * i) / 119; return [w, f(w)]; });

function oneWeight(host) {
  const controls = element("div", host, { className: "controls" });
  const target = slider(controls, "where the loss alone would go", { low: 0, high: 2, start: 0.35 }, draw);
  const strength = slider(controls, "strength s", { low: 0, high: 2, start: 0.6 }, draw);
  const rate = slider(controls, "learning rate", { low: 0.02, high: 0.9, start: 0.3 }, draw);
  const plot = new Plot(host, { x: [0, 40], y: [-1.2, 2.2], width: 640, labels: ["step", "w"], title: "one weight over the steps" });
  const said = element("p", host, { className: "said" });
  function draw() {
    const [a, s] = [target(), strength()];
    const { sub, proximal } = trajectories(2, a, s, rate(), 40);
    plot.clear();
    plot.line(sub.map((w, i) => [i, w]), "second");
    plot.line(proximal.map((w, i) => [i, w]), "main");
    const first = proximal.findIndex(w => w === 0);
    said.textContent = Math.abs(a) <= s
      ? `At w = 0 the loss pulls with ${short(a)} ≤ s = ${short(s)}: the solution is exactly 0. Proximal steps (solid) are there from step ${first} on; steps along a subgradient (dashed) jump from side to side for ever, by about ${short(rate() * s)}.`
      : `At w = 0 the loss pulls with ${short(a)} > s = ${short(s)}: the solution is ${short(a - s)}, shrunk by s.`;
  }
  draw();
}

function priorView(host) {
  const controls = element("div", host, { className: "controls" });
  const kind = choice(controls, "prior", { L1: "Laplace (L1)", L2: "normal (L2)" }, "L1", draw);
  const strength = slider(controls, "strength s", { low: 0.02, high: 1.5, start: 0.5 }, draw);
  const samples = slider(controls, "samples n", { low: 1, high: 50, start: 5, step: 1 }, draw);
  const best = slider(controls, "least-squares estimate", { low: -2, high: 2, start: 0.8 }, draw);
  const plot = new Plot(host, { x: [-3, 3], y: [0, 1.05], width: 640, labels: ["w", "density, over its largest"], title: "prior, likelihood and posterior" });
  const said = element("p", host, { className: "said" });
  function draw() {
    const [s, n, u] = [strength(), samples(), best()];
    const penalty = w => PENALTIES[kind()].value(w, s);
    const top = prox(kind(), u, s);
    const log = w => -n * (0.5 * (w - u) ** 2 + penalty(w));
    plot.clear();
    plot.curve(w => Math.exp(-n * penalty(w)), "third");
    plot.curve(w => Math.exp(-0.5 * n * (w - u) ** 2), "second");
    plot.curve(w => Math.exp(log(w) - log(top)), "main", 1200);
    plot.dot([top, 1], "main");
    said.textContent = `With a mean loss and unit noise, s is the prior exp(−n·Ω(w)): ${kind() === "L1" ? `Laplace of scale 1/(n·s) = ${short(1 / (n * s))}` : `normal of variance 1/(n·s) = ${short(1 / (n * s))}`}. The posterior's highest point, the MAP, is the penalised estimate ${short(top)}${top === 0 ? ": exactly 0, because the Laplace density has an edge there" : ""}.`;
  }
  draw();
}
