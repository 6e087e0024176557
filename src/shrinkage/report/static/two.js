// Two dimensions: contours of the loss, a ball, the solution where they touch, and the path as the radius grows.
"use strict";

const BALLS = { L1: "L1", L2: "L2", ElasticNet: "elastic net", L0: "L0" };
const LEAST = [[1, 0.55], [0.55, 1]]; // the loss's Hessian: two correlated columns

function twoDimensions(host) {
  let centre = [1.6, 1.1];
  const controls = element("div", host, { className: "controls" });
  const read = choice(controls, "ball", BALLS, "L1", draw);
  const radius = slider(controls, "radius C", { low: 0, high: 3, start: 1 }, draw);
  const plot = new Plot(host, { x: [-2.2, 2.8], y: [-2, 2.4], width: 560, height: 490, labels: ["w₁", "w₂"], title: "loss contours and ball" });
  const said = element("p", host, { className: "said" });
  function draw() {
    const [kind, C] = [read(), radius()];
    const { w, multiplier } = constrained(kind, LEAST, centre, C);
    plot.clear();
    if (kind === "L0") drawAxes(plot, C);
    else plot.line(boundary(kind, C), "ball", true);
    for (const level of [0.02, 0.1, 0.3, 0.7, 1.3, 2.2]) plot.line(ellipse(centre, level), "faint", true);
    const touching = quadratic(LEAST, centre, w);
    if (touching > 1e-9) plot.line(ellipse(centre, touching), "second", true);
    const path = Array.from({ length: 81 }, (_, i) => constrained(kind, LEAST, centre, (3.2 * i) / 80).w);
    if (kind !== "L0") plot.line(path, "third");
    plot.dot(w, "main", "the solution");
    plot.handle(centre, "grip", "least squares", to => { centre = to; draw(); });
    said.textContent = tell(kind, C, w, multiplier);
  }
  draw();
}

function tell(kind, C, w, multiplier) {
  const at = `w = (${short(w[0])}, ${short(w[1])})`;
  if (kind === "L0") return `At most ${Math.floor(C)} of the two weights other than 0: ${at}. Nothing is shrunk; no multiplier belongs to it.`;
  if (!(multiplier > 0)) return `Least squares lies inside the ball: ${at}, λ = 0. The constraint does nothing.`;
  const zero = w.some(x => Math.abs(x) < 1e-9);
  const name = kind === "L2" ? "L2" : kind === "L1" ? "L1" : "ElasticNet";
  return `${at}. The same solution has the penalty ${name}(λ) with λ = ${short(multiplier)}: at C = ${short(C)} the loss pulls outwards exactly as hard as the penalty pulls back.${zero ? " The ball's corner lies on an axis, so one weight is exactly 0." : ""}`;
}

function drawAxes(plot, C) {
  if (C >= 2) return;
  if (C >= 1) {
    plot.line([[plot.x[0], 0], [plot.x[1], 0]], "ball");
    plot.line([[0, plot.y[0]], [0, plot.y[1]]], "ball");
  }
  plot.dot([0, 0], "third");
}

// the points at which the loss is ``level``
function ellipse(centre, level) {
  const [[a, b], [, d]] = LEAST;
  const mean = 0.5 * (a + d);
  const gap = Math.hypot(0.5 * (a - d), b);
  const turn = 0.5 * Math.atan2(2 * b, a - d);
  const [long, small] = [Math.sqrt((2 * level) / (mean + gap)), Math.sqrt((2 * level) / (mean - gap))];
  return Array.from({ length: 120 }, (_, i) => {
    const t = (2 * Math.PI * i) / 120;
    const [u, v] = [long * Math.cos(t), small * Math.sin(t)];
    return [centre[0] + u * Math.cos(turn) - v * Math.sin(turn), centre[1] + u * Math.sin(turn) + v * Math.cos(turn)];
  });
}

// L2 scales each eigen-direction, L1 thresholds (where the columns are independent)
function directions(host) {
  const controls = element("div", host, { className: "controls" });
  const strength = slider(controls, "strength s", { low: 0.001, high: 3, start: 0.3, logarithmic: true }, draw);
  const row = element("div", host, { className: "row" });
  const { curvatures, estimates } = DATA.directions;
  const shape = { x: [0, curvatures.length + 1], y: [-2, 2], width: 400, labels: ["direction, by falling curvature h", "w"] };
  const left = new Plot(row, { ...shape, title: "L2" });
  const right = new Plot(row, { ...shape, title: "L1" });
  const said = element("p", host, { className: "said" });
  function draw() {
    const s = strength();
    for (const [plot, kind] of [[left, "L2"], [right, "L1"]]) {
      plot.clear();
      curvatures.forEach((h, i) => {
        const w = threshold(kind, h * estimates[i], h, s);
        plot.bar(i + 1, 18, estimates[i], "faint-fill", `least squares ${short(estimates[i])}, h = ${short(h)}`);
        plot.bar(i + 1, 12, w, "main-fill", `${kind}: ${short(w)}`);
      });
      make("text", { x: 60, y: 26, class: "label" }, plot.svg, kind === "L2" ? "L2: times h/(h + s)" : "L1: less s/h, to 0");
    }
    const kept = curvatures.map(h => h / (h + s));
    const zeros = curvatures.filter((h, i) => threshold("L1", h * estimates[i], h, s) === 0).length;
    said.textContent = `L2 keeps ${short(100 * kept[0])} % of the direction that the data see best and ${short(100 * kept[kept.length - 1])} % of the one they hardly see: none is 0. L1 has set ${zeros} of ${curvatures.length} to exactly 0.`;
  }
  draw();
}
