// A fit: one slider over the strength moves coefficients, validation error and fitted curve together.
"use strict";

const span = (values, room = 0.06) => {
  const finite = values.flat().filter(Number.isFinite);
  const [low, high] = [Math.min(...finite, Infinity), Math.max(...finite, -Infinity)];
  if (!(low < high)) return [(low || 0) - 1, (low || 0) + 1];
  return [low - room * (high - low), high + room * (high - low)];
};

// Six colours, then the same ones in another stroke.
const hue = j => `hue${j % 6} stroke${Math.floor(j / 6) % 3}`;

function report() {
  const { at, places, kind, names, coefs, chosen, errors, curve } = DATA;
  const first = at[0], last = at[at.length - 1], sign = Math.sign(last - first) || -1;  // strengths fall, sizes rise
  const across = at.length > 1 ? [first - 0.02 * sign, last + 0.02 * sign] : [first + 1, first - 1];
  const controls = document.getElementById("controls");
  const plots = document.getElementById("plots");
  const which = slider(controls, kind, {
    low: 0, high: at.length - 1, start: chosen ?? Math.floor((at.length - 1) / 2), step: 1, show: i => places[i],
  }, draw);
  const label = kind === "size" ? "size" : "log₁₀ strength";
  const paths = new Plot(plots, { x: across, y: span(coefs), width: 480, height: 340, labels: [label, "coefficient"], title: `coefficients over ${kind}s` });
  const error = errors && new Plot(plots, {
    x: across, y: span([errors.low, errors.high]), width: 480, height: 340, labels: [label, errors.label], title: `validation error over ${kind}s`,
  });
  const fitted = curve && new Plot(plots, {
    x: span(curve.x, 0), y: span([...curve.y, curve.points.map(p => p[1])]), width: 480, height: 340, labels: [curve.feature, curve.target], title: "fitted curve",
  });

  function draw() {
    const i = which();
    paths.clear();
    coefs.forEach((path, j) => {
      if (!path.some(w => w !== 0)) return;
      const node = paths.line(path.map((w, k) => [at[k], w]), `path ${hue(j)}${path[i] === 0 ? " asleep" : ""}`);
      make("title", {}, node, `${names[j]}: ${short(path[i])}`);
    });
    paths.line([[at[i], paths.y[0]], [at[i], paths.y[1]]], "now");
    if (error) {
      error.clear();
      error.line([...errors.high.map((v, k) => [at[k], v]), ...errors.low.map((v, k) => [at[k], v]).reverse()], "band", true);
      error.line(errors.mean.map((v, k) => [at[k], v]), "main");
      error.dot([at[errors.least], errors.mean[errors.least]], "second", "the least error");
      error.dot([at[errors.sparser], errors.mean[errors.sparser]], "third", "within one standard error of it");
      error.line([[at[i], error.y[0]], [at[i], error.y[1]]], "now");
    }
    if (fitted) {
      fitted.clear();
      curve.points.forEach(p => fitted.dot(p, "point"));
      fitted.line(curve.x.map((x, k) => [x, curve.y[i][k]]), "main");
    }
    tell(i);
    list(i);
  }
  draw();
}

function tell(i) {
  const { errors, explained, nonzero, chosen, total } = DATA;
  const parts = [
    `${nonzero[i]} of ${total} coefficients are not 0`,
    `${(100 * explained[i]).toFixed(1)} % of the deviance explained on the data fitted`,
  ];
  if (errors) parts.push(`validation error ${short(errors.mean[i])} ± ${short(errors.mean[i] - errors.low[i])}`);
  if (i === chosen) parts.push("this is the model that was chosen");
  if (errors && i === errors.least) parts.push("the least validation error");
  if (errors && i === errors.sparser) parts.push("the sparsest within one standard error of the least error");
  document.getElementById("said").textContent = `${parts.join("; ")}.`;
}

function list(i) {
  const table = document.getElementById("coefficients");
  const { names, coefs, intercepts, hidden } = DATA;
  const rows = names.map((name, j) => [name, coefs[j][i], hue(j)]).filter(([, w]) => w !== 0).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  const body = table.tBodies[0];
  body.replaceChildren();
  for (const [name, w, mark] of [...intercepts.map(([name, b]) => [name, b[i]]), ...rows]) {
    const row = body.insertRow();
    const cell = row.insertCell();
    cell.textContent = name;
    cell.className = mark ? `mark ${mark}` : "mark";
    const figure = row.insertCell();
    figure.textContent = String(Number(w.toPrecision(6))).replace("-", "−");
    figure.title = w;
  }
  table.caption.textContent = hidden ? `The ${names.length} largest are shown; ${hidden} smaller ones are not.` : "";
}

report();
