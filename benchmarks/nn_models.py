"""Three sizes of network, each with a loss on random data: 0.7 M, 11 M and 124 M weights."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F


class MLP(nn.Module):
    """784 → 512 → 512 → 10."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(784, 512), nn.Linear(512, 512), nn.Linear(512, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class Block(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        around = [nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)]
        self.around = nn.Sequential(*(around if inputs != outputs else []))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + self.around(x))


def resnet18() -> nn.Sequential:
    """Four stages of two blocks (He et al. 2015), for images of 32 × 32."""
    widths = [64, 64, 128, 256, 512]
    stages = [nn.Sequential(Block(a, b, 1 if a == b else 2), Block(b, b, 1)) for a, b in pairwise(widths)]
    stem = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    return nn.Sequential(*stem, *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


class GPT2(nn.Module):
    """GPT-2 small (Radford et al. 2019): 12 layers of width 768, 50,257 words, the head tied to the embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(50257, 768), nn.Embedding(1024, 768)
        layer = nn.TransformerEncoderLayer(768, 12, 3072, 0.0, F.gelu, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, 12, nn.LayerNorm(768), enable_nested_tensor=False)
        self.head = nn.Linear(768, 50257, bias=False)
        nn.init.normal_(self.words.weight, std=0.02)
        self.head.weight = self.words.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        length = x.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(length, device=x.device)
        places = torch.arange(length, device=x.device)
        return self.head(self.layers(self.words(x) + self.places(places), mask=mask, is_causal=True))


def _images(shape: tuple[int, ...]) -> Callable[[nn.Module, torch.device], torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(shape, generator=generator), torch.randint(10, (shape[0],), generator=generator)
    return lambda model, device: F.cross_entropy(model(x.to(device)), y.to(device))


def _text(model: nn.Module, device: torch.device) -> torch.Tensor:
    x = torch.arange(65, device=device)[None] * 7 % 50257
    return F.cross_entropy(model(x[:, :-1])[0], x[0, 1:])


MODELS: dict[str, Callable[[], tuple[nn.Module, Callable[[nn.Module, torch.device], torch.Tensor]]]] = {
    "MLP": lambda: (MLP(), _images((64, 784))),
    "ResNet-18": lambda: (resnet18(), _images((32, 3, 32, 32))),
    "GPT-2": lambda: (GPT2(), _text),
}
