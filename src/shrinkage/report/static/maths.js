// The mathematics of the page. Each function does what the library's of the same name does, and is tested against it.
"use strict";

const PENALTIES = {
  L1: { value: (w, s) => s * Math.abs(w), slope: (w, s) => s * Math.sign(w), kink: s => s },
  L2: { value: (w, s) => 0.5 * s * w * w, slope: (w, s) => s * w, kink: () => 0 },
  L0: { value: (w, s) => (w !== 0 ? s : 0), slope: () => 0, kink: () => Infinity },
  ElasticNet: {
    value: (w, s) => s * (0.5 * Math.abs(w) + 0.25 * w * w),
    slope: (w, s) => s * (0.5 * Math.sign(w) + 0.5 * w),
    kink: s => 0.5 * s,
  },
  MCP: {
    value: (w, s) => {
      const a = Math.abs(w);
      return a <= GAMMA * s ? s * a - (a * a) / (2 * GAMMA) : 0.5 * GAMMA * s * s;
    },
    slope: (w, s) => (Math.abs(w) <= GAMMA * s ? Math.sign(w) * (s - Math.abs(w) / GAMMA) : 0),
    kink: s => s,
  },
};
const GAMMA = 3; // MCP's

const soft = (u, t) => Math.sign(u) * Math.max(Math.abs(u) - t, 0);

// argmin over w of (w - u)²/2 + Ω(w)
function prox(kind, u, s) {
  if (kind === "L1") return soft(u, s);
  if (kind === "L2") return u / (1 + s);
  if (kind === "L0") return u * u > 2 * s ? u : 0;
  if (kind === "ElasticNet") return soft(u, 0.5 * s) / (1 + 0.5 * s);
  return Math.abs(u) <= GAMMA * s ? soft(u, s) / (1 - 1 / GAMMA) : u; // MCP
}

// ½ w'Hw - c'w + Ω(w) by coordinate descent; H is an array of rows, penalised[j] false leaves a coefficient free
function descend(kind, H, c, s, start, penalised, sweeps = 2000) {
  const w = start ? start.slice() : c.map(() => 0);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    let moved = 0;
    for (let j = 0; j < w.length; j++) {
      if (!(H[j][j] > 0)) continue;
      let pull = c[j];
      for (let k = 0; k < w.length; k++) if (k !== j) pull -= H[j][k] * w[k];
      // in units where the coordinate's curvature is 1 the strength is s/H_jj for all but the curvature of L2
      const next = penalised && !penalised[j] ? pull / H[j][j] : threshold(kind, pull, H[j][j], s);
      moved = Math.max(moved, Math.abs(next - w[j]) * Math.sqrt(H[j][j]));
      w[j] = next;
    }
    if (moved < 1e-12) break;
  }
  return w;
}

// argmin over w of h/2·w² - pull·w + Ω(w)
function threshold(kind, pull, h, s) {
  if (kind === "L1") return soft(pull, s) / h;
  if (kind === "L2") return pull / (h + s);
  if (kind === "ElasticNet") return soft(pull, 0.5 * s) / (h + 0.5 * s);
  return pull * pull > 2 * s * h ? pull / h : 0; // L0
}

const total = (kind, w, s = 1) => w.reduce((sum, x) => sum + PENALTIES[kind].value(x, s), 0);
// what bounds the ball: ‖w‖₂ for L2, else Ω itself
const size = (kind, w) => (kind === "L2" ? Math.hypot(...w) : total(kind, w));

// min ½ (w - centre)'H(w - centre) within the ball, in two dimensions: { w, multiplier }
function constrained(kind, H, centre, radius) {
  if (size(kind, centre) <= radius + 1e-12) return { w: centre.slice(), multiplier: 0 };
  const c = [H[0][0] * centre[0] + H[0][1] * centre[1], H[1][0] * centre[0] + H[1][1] * centre[1]];
  if (kind === "L0") return { w: sparsest(H, centre, c, radius), multiplier: NaN };
  let low = 0;
  let high = 1;
  const at = t => descend(kind, H, c, t, centre);
  while (size(kind, at(high)) > radius && high < 1e12) high *= 2;
  for (let i = 0; i < 100; i++) {
    const middle = 0.5 * (low + high);
    if (size(kind, at(middle)) > radius) low = middle;
    else high = middle;
  }
  return { w: at(high), multiplier: high };
}

function sparsest(H, centre, c, radius) {
  if (radius < 1) return [0, 0];
  const candidates = [[c[0] / H[0][0], 0], [0, c[1] / H[1][1]]];
  const loss = w => quadratic(H, centre, w);
  return loss(candidates[0]) <= loss(candidates[1]) ? candidates[0] : candidates[1];
}

function quadratic(H, centre, w) {
  const d = [w[0] - centre[0], w[1] - centre[1]];
  return 0.5 * (d[0] * (H[0][0] * d[0] + H[0][1] * d[1]) + d[1] * (H[1][0] * d[0] + H[1][1] * d[1]));
}

// the boundary of the ball {w : size(w) ≤ radius}, as points around it; for L0 with radius 1 the two axes
function boundary(kind, radius, count = 240) {
  const points = [];
  for (let i = 0; i <= count; i++) {
    const angle = (2 * Math.PI * i) / count;
    const ray = [Math.cos(angle), Math.sin(angle)];
    let low = 0;
    let high = 8 * radius + 8;
    for (let k = 0; k < 60; k++) {
      const r = 0.5 * (low + high);
      if (size(kind, [r * ray[0], r * ray[1]]) > radius) high = r;
      else low = r;
    }
    points.push([low * ray[0], low * ray[1]]);
  }
  return points;
}

// columns 1, x, …, x^degree; all but the first with mean 0 and deviation 1 on the x given
function monomials(xs, degree, like) {
  const raw = xs.map(x => Array.from({ length: degree + 1 }, (_, d) => x ** d));
  const means = [];
  const scales = [];
  for (let d = 0; d <= degree; d++) {
    const column = (like ? like.map(x => x ** d) : raw.map(row => row[d]));
    const mean = d ? column.reduce((a, b) => a + b, 0) / column.length : 0;
    const variance = column.reduce((a, b) => a + (b - mean) ** 2, 0) / column.length;
    means.push(mean);
    scales.push(d && variance > 0 ? Math.sqrt(variance) : 1);
  }
  return raw.map(row => row.map((x, d) => (x - means[d]) / scales[d]));
}

function gram(rows, y) {
  const p = rows[0].length;
  const H = Array.from({ length: p }, () => new Array(p).fill(0));
  const c = new Array(p).fill(0);
  rows.forEach((row, i) => {
    for (let j = 0; j < p; j++) {
      c[j] += (row[j] * y[i]) / rows.length;
      for (let k = 0; k < p; k++) H[j][k] += (row[j] * row[k]) / rows.length;
    }
  });
  return { H, c };
}

// solves Hw = c by Cholesky with a trace of ridge, for the fit without a penalty
function solve(H, c, ridge) {
  const p = c.length;
  const L = H.map(row => row.slice());
  const w = c.slice();
  for (let j = 0; j < p; j++) {
    L[j][j] += ridge;
    for (let k = 0; k < j; k++) L[j][j] -= L[j][k] * L[j][k];
    L[j][j] = Math.sqrt(Math.max(L[j][j], 1e-300));
    for (let i = j + 1; i < p; i++) {
      for (let k = 0; k < j; k++) L[i][j] -= L[i][k] * L[j][k];
      L[i][j] /= L[j][j];
    }
  }
  for (let i = 0; i < p; i++) {
    for (let k = 0; k < i; k++) w[i] -= L[i][k] * w[k];
    w[i] /= L[i][i];
  }
  for (let i = p - 1; i >= 0; i--) {
    for (let k = i + 1; k < p; k++) w[i] -= L[k][i] * w[k];
    w[i] /= L[i][i];
  }
  return w;
}

// polynomial of a degree through points, by penalised least squares; the intercept is free unless asked otherwise
function fitPolynomial(xs, ys, degree, kind, s, interceptToo) {
  const { H, c } = gram(monomials(xs, degree), ys);
  const held = c.map((_, j) => j > 0 || interceptToo);
  let w;
  if (kind === "none") w = solve(H, c, 1e-12);
  else if (kind === "L2") w = solve(H.map((row, j) => row.map((h, k) => h + (j === k && held[j] ? s : 0))), c, 0);
  else w = descend(kind, H, c, s, null, held, 20000);
  return { w, predict: x => monomials(x, degree, xs).map(row => row.reduce((sum, v, j) => sum + v * w[j], 0)), H };
}

// how many coefficients the fit really spends, the intercept included
function degreesOfFreedom(fit, kind, s) {
  const p = fit.w.length;
  if (kind === "none") return p;
  if (kind !== "L2") return 1 + fit.w.slice(1).filter(w => w !== 0).length;
  let trace = 1;
  for (let j = 1; j < p; j++) {
    const unit = fit.H.slice(1).map(row => row[j]);
    const block = fit.H.slice(1).map((row, i) => row.slice(1).map((h, k) => h + (i === k ? s : 0)));
    trace += solve(block, unit, 0)[j - 1];
  }
  return trace;
}

// one weight under (w - target)²/2 + s|w|: steps along a subgradient, and proximal steps
function trajectories(start, target, s, rate, steps) {
  const sub = [start];
  const proximal = [start];
  for (let i = 0; i < steps; i++) {
    const a = sub[i];
    sub.push(a - rate * (a - target + s * Math.sign(a)));
    const b = proximal[i];
    proximal.push(soft(b - rate * (b - target), rate * s));
  }
  return { sub, proximal };
}

if (typeof module !== "undefined") {
  module.exports = {
    PENALTIES, prox, descend, constrained, boundary, fitPolynomial, degreesOfFreedom, trajectories, size, quadratic,
  };
}
