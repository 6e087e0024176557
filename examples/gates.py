"""A network that learns which of its inputs and hidden units it needs: gates with a target, then plain weights.

Run: python examples/gates.py
"""

import torch
from torch import nn

from shrinkage import GroupL0
from shrinkage.nn import Rule, regularize
from shrinkage.rules import WarmUp

INPUTS, NEEDED = 20, [2, 5, 11]


def samples(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Three of the inputs carry the answer."""
    x = torch.randn(count, INPUTS)
    a, b, c = (x[:, i] for i in NEEDED)
    return x, (a + torch.sin(2 * b) + c.abs()).unsqueeze(1)


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> None:
    """The loop as it always is."""
    for _ in range(steps):
        x, y = samples(128)
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()


def main() -> None:
    """Gate the columns of the first layer and the rows of the second, train, fold, train on."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(INPUTS, 64), nn.Tanh(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    rules = [
        # Axis 1 of a linear weight: one gate an input. The network may learn what it needs before it pays.
        Rule("0", GroupL0.ball(3, axis=1), how="gates", schedule=WarmUp(500, start=300)),
        Rule("2", GroupL0(3e-3, axis=0), how="gates"),  # axis 0: one gate a hidden unit, at a price
    ]
    reg = regularize(model, rules, optimizer)
    print(reg)
    train(model, optimizer, 1500)
    print(reg.summary())
    print(reg.fold())  # plain Linear layers again; the shut gates' weights are exactly 0, and stay so
    train(model, optimizer, 500)
    x, y = samples(10_000)
    model.eval()
    error = nn.functional.mse_loss(model(x), y).item() / y.var().item()
    used = torch.nonzero((model[0].weight != 0).any(dim=0)).flatten().tolist()
    units = int((model[2].weight != 0).any(dim=1).sum())
    print(f"inputs in use: {used}; {units} of 32 hidden units; unexplained variance {error:.1%}")


if __name__ == "__main__":
    main()
