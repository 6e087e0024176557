"""A small transformer with a rule for each part: by glob, by path, by class, and everything else.

Run: python examples/transformer.py
"""

import torch
from torch import nn

from shrinkage import L1, L2
from shrinkage.nn import Rule, regularize

WORDS, LENGTH, WIDTH = 16, 12, 32


class Transformer(nn.Module):
    """Predicts each next word; it sees the ones before."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(WORDS, WIDTH), nn.Embedding(LENGTH, WIDTH)
        block = nn.TransformerEncoderLayer(WIDTH, 4, 4 * WIDTH, dropout=0.0, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(block, 2, enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, WORDS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(texts, words) to (texts, words, logits)."""
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
        places = torch.arange(x.shape[1])
        return self.head(self.blocks(self.words(x) + self.places(places), mask=mask, is_causal=True))


def texts(count: int) -> torch.Tensor:
    """Each word is the one before plus the first, modulo the number of words."""
    first, start = torch.randint(1, WORDS, (count, 1)), torch.randint(WORDS, (count, 1))
    return (start + first * torch.arange(LENGTH + 1)) % WORDS


def main() -> None:
    """Train with AdamW, without its own decay: the rules say what is penalised."""
    torch.manual_seed(0)
    model = Transformer()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.0)
    rules = [
        Rule("blocks.*.linear1.weight", L1(2e-4)),  # a glob: sparse first halves of the MLPs
        Rule("blocks.*.linear2.weight", L1(2e-4)),
        Rule("head", L2.ball(6.0)),  # a path and a constraint: the norm never exceeds 6
        Rule(nn.Embedding, L2(1e-4)),  # a class
        Rule("*", L2(1e-4)),  # the rest: the attention; biases and norms are left out
    ]
    reg = regularize(model, rules, optimizer)
    print(reg)
    for _ in range(300):
        text = texts(64)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())
        loss.backward()
        optimizer.step()
    summary = reg.summary(loss)
    print(summary)
    print(f"loss {loss:.3f}; {summary.zeros} of {summary.size} weights are exactly 0")


if __name__ == "__main__":
    main()
