"""A convolutional network whose filters go to exactly 0, whole ones, while its head stays small.

Run: python examples/conv_net.py
"""

import torch
from torch import nn

from shrinkage import L2, GroupL2
from shrinkage.nn import Rule, regularize


def images(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise with a bright square in one of four corners; the label is the corner."""
    x, y = 0.5 * torch.randn(count, 1, 12, 12), torch.randint(4, (count,))
    for image, corner in zip(x, y, strict=True):
        row, column = 6 * (corner // 2), 6 * (corner % 2)
        image[0, row + 1 : row + 5, column + 1 : column + 5] += 1.0
    return x, y


def main() -> None:
    """Train, then print the table and what became of the filters."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3), nn.Flatten(), nn.Linear(16 * 16, 4)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    rules = [
        Rule(nn.Conv2d, GroupL2(2e-2, axis=0)),  # axis 0 of a convolution's weight: one group a filter
        Rule("4", L2(1e-3)),  # the last layer, by its path
    ]
    reg = regularize(model, rules, optimizer)
    print(reg)
    for _ in range(300):
        x, y = images(64)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    print(reg.summary(loss))
    x, y = images(1000)
    accuracy = (model(x).argmax(dim=1) == y).float().mean()
    filters = reg.summary().rows[0]
    print(f"accuracy {accuracy:.3f}, {filters.zero_groups} of {filters.groups} filters are exactly 0")


if __name__ == "__main__":
    main()
