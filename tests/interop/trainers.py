"""What the tests of training loops that a framework owns share: a network, rules for it, and the loop by hand."""

from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from shrinkage import L1, L2, GroupL2
from shrinkage.nn import Rule, regularize

__all__ = ["MAKES", "OPTIMIZERS", "RESUMED", "RULES", "Blocks", "assert_same", "batches", "by_hand"]

SGD, Adam = torch.optim.SGD, torch.optim.Adam
# For the problems with known solutions; a scheduler multiplies lr.
OPTIMIZERS = {
    "sgd": partial(SGD, lr=1.0),
    "momentum": partial(SGD, lr=1.0, momentum=0.9),
    "adam": partial(Adam, lr=1.0),
}
MAKES = {"momentum": partial(SGD, lr=0.1, momentum=0.9), "adam": partial(Adam, lr=1e-2)}
RULES = [
    Rule("early", L1(2e-2)),
    Rule("late", GroupL2(2e-2, axis=0)),
    Rule("head", L2(0.1)),
    Rule("head.bias", L2(0.1)),
]
# Forms with a state of their own.
RESUMED = {
    "prox": (MAKES["adam"], [Rule("early", L1(2e-2), schedule=lambda k: min(k / 20, 1.0)), Rule("head", L2(0.1))]),
    "lagrangian": (MAKES["momentum"], [Rule("early", L2.ball(0.5), how="lagrangian"), Rule("*", L2(1e-3))]),
    "dual averaging": (partial(SGD, lr=0.1), [Rule("early", L1(2e-2), how="dual_averaging")]),
}


class Blocks:
    """Two blocks and a head, for a module that calls ``build()``."""

    def build(self):
        torch.manual_seed(0)
        self.early, self.late, self.head = nn.Linear(6, 16), nn.Linear(16, 16), nn.Linear(16, 3)

    def loss(self, x, y):
        return F.cross_entropy(self.head(torch.tanh(self.late(torch.tanh(self.early(x))))), y)


def batches(count, seed=0):
    g = torch.Generator().manual_seed(seed)
    return [(torch.randn(8, 6, generator=g), torch.randint(3, (8,), generator=g)) for _ in range(count)]


def by_hand(model, make, data, accumulate=1, clip=None):
    """The training loop as it is written without a trainer."""
    optimizer = make(model.parameters())
    regularize(model, RULES, optimizer)
    for i, batch in enumerate(data):
        (model.loss(*batch) / accumulate).backward()
        if (i + 1) % accumulate == 0:
            if clip:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            optimizer.zero_grad()
    return model


def assert_same(model, other):
    for (name, p), q in zip(model.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(p, q), name
