"""How many of a lasso's zeros an optimiser finds when each gradient comes from a few rows.

4,096 rows, 40 columns, 34 of them zero in the solution; every run makes as many steps, while lr falls by four
decades (not under dual averaging, whose steps shorten by themselves). Each cell: zeros found of 34, and the
relative gap of the objective on all rows. The last two columns are what people write by hand: a soft threshold at
lr·s, whatever the optimiser (right for plain SGD).
"""

from collections.abc import Callable, Iterable

import numpy as np
import torch

from benchmarks.timing import table
from shrinkage.linear import PenalizedRegressor
from shrinkage.nn import Rule, regularize
from shrinkage.penalties import L1

ROWS, COLUMNS, STEPS, S = 4096, 40, 6000, 0.05
BATCHES = (4, 32, 256, ROWS)
Parameters = Iterable[torch.nn.Parameter]
# Column: the optimiser, its first lr, and how the penalty is enforced; "by hand" is a soft threshold at lr·s.
Optimizer = Callable[[Parameters, float], torch.optim.Optimizer]
RUNS: dict[str, tuple[Optimizer, float, str]] = {
    "SGD": (lambda p, lr: torch.optim.SGD(p, lr=lr), 0.1, "prox"),
    "momentum": (lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9), 0.01, "prox"),
    "Adam": (lambda p, lr: torch.optim.Adam(p, lr=lr), 0.03, "prox"),
    "Adam, β₁ = .99": (lambda p, lr: torch.optim.Adam(p, lr=lr, betas=(0.99, 0.999)), 0.03, "prox"),
    "dual averaging": (lambda p, lr: torch.optim.SGD(p, lr=lr), 0.01, "dual_averaging"),
    "momentum, lr·s": (lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9), 0.01, "by hand"),
    "Adam, lr·s": (lambda p, lr: torch.optim.Adam(p, lr=lr), 0.03, "by hand"),
}


def problem() -> tuple[np.ndarray, np.ndarray]:
    """Six columns of forty carry the response."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((ROWS, COLUMNS))
    truth = np.zeros(COLUMNS)
    truth[:6] = (2.0, -1.5, 1.0, -0.8, 0.6, -0.5)
    return x, x @ truth + rng.standard_normal(ROWS)


def train(x: torch.Tensor, y: torch.Tensor, run: str, batch: int) -> np.ndarray:
    """The weights after all steps."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(COLUMNS, 1, bias=False, dtype=torch.float64)
    of, start, how = RUNS[run]
    optimizer = of(layer.parameters(), start)
    if how != "by hand":
        regularize(layer, [Rule("weight", L1(S), how=how)], optimizer)
    for step in range(STEPS):
        fall = 0 if how == "dual_averaging" else 4 * step / STEPS  # its own steps shorten by themselves
        lr = optimizer.param_groups[0]["lr"] = start * 10**-fall
        rows = torch.randint(ROWS, (batch,)) if batch < ROWS else slice(None)
        optimizer.zero_grad()
        (0.5 * (layer(x[rows]).squeeze(1) - y[rows]).square().mean()).backward()
        optimizer.step()
        if how == "by hand":
            with torch.no_grad():
                layer.weight.copy_(torch.nn.functional.softshrink(layer.weight, lr * S))
    return layer.weight.detach().numpy()[0]


def main() -> None:
    torch.set_num_threads(1)
    x, y = problem()

    def objective(w: np.ndarray) -> float:
        return 0.5 * float(((y - x @ w) ** 2).mean()) + S * float(np.abs(w).sum())

    best = PenalizedRegressor(L1(S), fit_intercept=False, tol=1e-12).fit(x, y).coef_
    held = torch.from_numpy(x), torch.from_numpy(y)
    rows = []
    for batch in BATCHES:
        found = [train(*held, run, batch) for run in RUNS]
        cells = [f"{int((w[best == 0] == 0).sum())}, {objective(w) / objective(best) - 1:.0e}" for w in found]
        rows.append(["full" if batch == ROWS else str(batch), *cells])
    header = ["batch", *RUNS]
    print(
        table(f"Zeros found of {int((best == 0).sum())}, and the relative gap, after {STEPS:,} steps", header, rows)
    )


if __name__ == "__main__":
    main()
