"""Mixed precision with a GradScaler, and gradients accumulated over four micro-batches: nothing to be done for it.

The penalty acts once a step, at the right scale, and not at all in a step that the scaler skips.

Run: python examples/amp_accumulation.py
"""

import torch
from torch import nn

from shrinkage import L1
from shrinkage.nn import regularize


def main() -> None:
    """Fit ten inputs of which three matter."""
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.float16 if device == "cuda" else torch.bfloat16
    model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 1)).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    scaler = torch.amp.GradScaler(device)
    reg = regularize(model, {"0": L1(3e-3)}, optimizer)
    for _ in range(400):
        optimizer.zero_grad()
        for _ in range(4):
            x = torch.randn(32, 10, device=device)
            y = x[:, :1] - 2 * x[:, 1:2] + x[:, 2:3].abs()
            with torch.autocast(device, dtype=dtype):
                loss = nn.functional.mse_loss(model(x), y) / 4
            scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # clips the loss's gradient; the penalty comes after
        scaler.step(optimizer)
        scaler.update()
    print(reg.summary(4 * loss))
    used = (model[0].weight != 0).any(dim=0).nonzero().flatten().tolist()
    print(f"inputs in use: {used}")


if __name__ == "__main__":
    main()
