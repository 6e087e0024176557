// Complexity: polynomials through points that can be dragged; and lasso against best subset at equal size.
"use strict";

const KINDS = { none: "none", L2: "L2", L1: "L1", ElasticNet: "elastic net", L0: "L0" };

function complexity(host) {
  const points = DATA.points.x.map((x, i) => [x, DATA.points.y[i]]);
  const controls = element("div", host, { className: "controls" });
  const kind = choice(controls, "penalty", KINDS, "none", draw);
  const degree = slider(controls, "degree", { low: 1, high: 15, start: 9, step: 1, show: String }, draw);
  const strength = slider(controls, "strength s", { low: 1e-6, high: 1, start: 1e-3, logarithmic: true, show: x => x.toExponential(0) }, draw);
  const against = choice(controls, "errors against", { degree: "degree", freedom: "degrees of freedom" }, "degree", draw);
  const intercept = tick(controls, "penalise the intercept too", draw);
  const row = element("div", host, { className: "row" });
  const fitted = new Plot(row, { x: [-1.05, 1.05], y: [-0.5, 3.5], width: 460, height: 320, labels: ["x", "y"], title: "points and fit" });
  const errors = new Plot(row, { x: [0, 16], y: [-3, 1.5], width: 400, height: 320, labels: ["degree", "log₁₀ mean squared error"], title: "errors" });
  const said = element("p", host, { className: "said" });
  const test = DATA.points.test;
  const error = (fit, xs, ys) => fit.predict(xs).reduce((sum, v, i) => sum + (v - ys[i]) ** 2, 0) / xs.length;
  function fitAt(d) {
    return fitPolynomial(points.map(p => p[0]), points.map(p => p[1]), d, kind(), strength(), intercept());
  }
  function draw() {
    fitted.clear();
    errors.labels[0] = against() === "degree" ? "degree" : "degrees of freedom";
    errors.clear();
    const fit = fitAt(degree());
    const grid = Array.from({ length: 201 }, (_, i) => -1.05 + (2.1 * i) / 200);
    fitted.line(grid.map((x, i) => [x, DATA.points.truth[i]]), "faint");
    const values = fit.predict(grid);
    fitted.line(grid.map((x, i) => [x, values[i]]), "main");
    points.forEach((p, i) => fitted.handle(p, "grip small", `point ${i + 1}`, to => { points[i] = to; draw(); }));
    const all = Array.from({ length: 15 }, (_, i) => fitAt(i + 1));
    const log = x => Math.log10(Math.max(x, 1e-9));
    const [xs, ys] = [points.map(p => p[0]), points.map(p => p[1])];
    const place = (f, i) => (against() === "degree" ? i + 1 : degreesOfFreedom(f, kind(), strength()));
    errors.line(all.map((f, i) => [place(f, i), log(error(f, xs, ys))]), "second");
    errors.line(all.map((f, i) => [place(f, i), log(error(f, test.x, test.y))]), "main");
    const now = place(fit, degree() - 1);
    errors.line([[now, -3], [now, 1.5]], "faint");
    said.textContent = `${degree() + 1} coefficients (as many points can be shattered: the VC dimension of its sign), of which the fit spends ${short(degreesOfFreedom(fit, kind(), strength()))} degrees of freedom. Error on the points ${short(error(fit, xs, ys))} (dashed), on new ones ${short(error(fit, test.x, test.y))} (solid).${intercept() ? " The intercept is pulled to 0 as well: the whole curve sinks, which is under-fitting and not simplicity." : ""}`;
  }
  draw();
}

function subsets(host) {
  const controls = element("div", host, { className: "controls" });
  const { names, truth, rows } = DATA.subsets;
  const size_ = slider(controls, "features k", { low: 1, high: rows.length, start: 3, step: 1, show: String }, draw);
  const plot = new Plot(host, { x: [0, names.length + 1], y: [-1.5, 2.5], width: 640, labels: ["feature", "coefficient"], title: "lasso and best subset" });
  const said = element("p", host, { className: "said" });
  function draw() {
    const found = rows[size_() - 1];
    plot.clear();
    names.forEach((name, j) => {
      plot.bar(j + 1, 30, truth[j], "faint-fill", `${name}: the truth is ${short(truth[j])}`);
      plot.bar(j + 0.85, 9, found.lasso.coefs[j], "second-fill", `lasso, ${name}: ${short(found.lasso.coefs[j])}`);
      plot.bar(j + 1.15, 9, found.subset.coefs[j], "main-fill", `best subset, ${name}: ${short(found.subset.coefs[j])}`);
    });
    said.textContent = `With ${size_()} of ${names.length} features the lasso (left, orange) explains ${short(100 * found.lasso.explained)} % of the variance, the best subset (right, blue) ${short(100 * found.subset.explained)} %: the lasso shrinks what it keeps, and where features are correlated it may keep other ones. Pale: the truth.`;
  }
  draw();
}

for (const [id, build] of Object.entries({
  "one-dimension": oneDimension, "two-dimensions": twoDimensions, prior: priorView, complexity,
  "one-weight": oneWeight, directions, subsets,
})) build(document.getElementById(id));
