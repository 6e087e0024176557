"""Rules inside Hugging Face's Trainer and accelerate: known solutions, resuming, a pretrained model, LoRA."""

import json
from functools import partial

import pytest

pytest.importorskip("transformers", reason="transformers is not installed: make test-trainers")
pytest.importorskip("accelerate", reason="accelerate is not installed: make test-trainers")

import torch
from accelerate.state import AcceleratorState
from torch import nn
from torch.utils.data import SequentialSampler
from transformers import (
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from shrinkage import L0, L1
from shrinkage.interop.transformers import RegularizationCallback
from shrinkage.nn import Gates, Rule, regularize
from tests.interop.known import COLUMNS, PROBLEMS, SETTINGS, check, data
from tests.interop.trainers import MAKES, OPTIMIZERS, RESUMED, RULES, Blocks, assert_same, batches, by_hand

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*pin_memory.*:UserWarning"),
]
Adam = torch.optim.Adam


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """One thread, and nothing of the precision that a Trainer before may have left for the whole process."""
    monkeypatch.delenv("ACCELERATE_MIXED_PRECISION", raising=False)
    AcceleratorState._reset_state(reset_partial_state=True)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class InOrder(Trainer):
    def _get_train_sampler(self, *args, **kwargs):
        return SequentialSampler(self.train_dataset)


def trainer_of(model, batches, callbacks, folder, optimizers=(None, None), **options):
    """One batch is one sample of the data set."""
    usual = {"max_steps": len(batches), "max_grad_norm": 0.0, "save_strategy": "no", "report_to": "none"}
    args = TrainingArguments(
        str(folder),
        per_device_train_batch_size=1,
        use_cpu=True,
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        **(usual | options),
    )
    return InOrder(
        model,
        args,
        train_dataset=batches,
        data_collator=lambda samples: samples[0],
        optimizers=optimizers,
        callbacks=callbacks,
    )


class Lasso(nn.Module):
    def __init__(self, dtype):
        super().__init__()
        self.linear = nn.Linear(COLUMNS, 1, bias=False, dtype=dtype)
        nn.init.constant_(self.linear.weight, 0.1)

    def forward(self, x, y):
        return {"loss": 0.5 * (y - self.linear(x).squeeze(1)).square().mean()}


@pytest.mark.parametrize(("dtype", "tol"), [(torch.float32, 1e-4), (torch.float64, 1e-6)], ids=["32", "64"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_known_lasso(name, dtype, tol, tmp_path):
    batch = dict(zip("xy", (torch.tensor(part, dtype=dtype) for part in data()), strict=True))
    model = Lasso(dtype)
    optimizer = OPTIMIZERS[name](model.parameters())
    steps, lr_of = SETTINGS[name]
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: lr_of(step / steps))
    callback = RegularizationCallback(PROBLEMS["lasso"][0])
    trainer_of(model, [batch] * steps, [callback], tmp_path, (optimizer, scheduler)).train()
    check(model.linear.weight.detach(), tol=tol)


class Net(Blocks, nn.Module):
    def __init__(self):
        super().__init__()
        self.build()

    def forward(self, x, y):
        return {"loss": self.loss(x, y)}


def named(count):
    """The batches, as the Trainer hands them to a model."""
    return [{"x": x, "y": y} for x, y in batches(count)]


def constant(make, model):
    optimizer = make(model.parameters())
    return optimizer, torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0)


@pytest.mark.parametrize("accumulate", [1, 4])
@pytest.mark.parametrize("clip", [0.0, 0.1])
@pytest.mark.parametrize("make", MAKES.values(), ids=list(MAKES))
def test_a_rule_a_block_as_by_hand(make, clip, accumulate, tmp_path):
    """A penalty counts once a step, and is not clipped."""
    callback, model = RegularizationCallback(RULES), Net()
    options = {"gradient_accumulation_steps": accumulate, "max_grad_norm": clip, "max_steps": 40}
    trainer_of(model, named(40 * accumulate), [callback], tmp_path, constant(make, model), **options).train()
    assert_same(model, by_hand(Net(), make, batches(40 * accumulate), accumulate, clip))
    early, late, head, _ = callback.regularizer.summary().rows
    assert callback.regularizer.steps == 40
    assert early.zeros > 0
    assert late.groups == 16
    assert head.zeros == 0


@pytest.mark.parametrize("fused", [False, True])
def test_under_a_grad_scaler_skipped_steps_skip_the_penalty(fused, tmp_path):
    """A batch that overflows comes first: its step changes nothing, and the others are as without a scaler."""
    make, model = partial(Adam, lr=1e-2, fused=fused), Net()
    bad = {"x": torch.full((8, 6), torch.inf), "y": torch.zeros(8, dtype=torch.long)}
    trainer = trainer_of(model, [bad, *named(30)], [RegularizationCallback(RULES)], tmp_path, constant(make, model))
    scaler = trainer.accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    trainer.train()
    assert scaler.get_scale() == 2.0**9
    plain = by_hand(Net(), make, batches(30))
    for p, q in zip(plain.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(p, q)
        assert torch.equal(p == 0, q == 0)


def test_bfloat16_autocast_keeps_the_zeros(tmp_path):
    callback, model = RegularizationCallback(RULES), Net()
    trainer_of(model, named(40), [callback], tmp_path, constant(MAKES["adam"], model), bf16=True).train()
    plain = by_hand(Net(), MAKES["adam"], batches(40))
    assert model.early.weight.dtype == torch.float32
    zeros = [int((m.early.weight == 0).sum()) for m in (model, plain)]
    assert abs(zeros[0] - zeros[1]) <= 5 < zeros[1]


class FreezeAfter(TrainerCallback):
    def __init__(self, regularization, step):
        self.regularization, self.step = regularization, step

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == self.step:
            self.regularization.regularizer.freeze_zeros()


@pytest.mark.filterwarnings("ignore:the rule on 'early' did not act")  # a schedule that begins at 0
@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("name", RESUMED)
def test_a_resumed_run_is_the_same_to_the_last_bit(name, frozen, tmp_path):
    make, rules = RESUMED[name]
    if frozen and name == "lagrangian":
        pytest.skip("a ball of L2 makes no zeros")

    def train(folder, **options):
        model, callback = Net(), RegularizationCallback(rules)
        callbacks = [callback, *([FreezeAfter(callback, 30)] if frozen else [])]
        saves = {"save_strategy": "steps", "save_steps": 40}
        trainer_of(model, named(80), callbacks, folder, constant(make, model), **saves).train(**options)
        return model, callback.regularizer

    whole, reg = train(tmp_path)
    (tmp_path / "checkpoint-40").rename(tmp_path / "elsewhere")
    model, resumed = train(tmp_path / "other", resume_from_checkpoint=str(tmp_path / "elsewhere"))
    assert_same(whole, model)
    assert resumed.steps == reg.steps == 80
    assert str(resumed.summary()) == str(reg.summary())
    if frozen:
        assert "frozen" in str(reg.summary())


def test_the_rules_given_at_resume_win_and_say_so(tmp_path):
    def train(strength, steps, **options):
        model, callback = Net(), RegularizationCallback({"early": L1(strength)})
        saves = {"save_strategy": "steps", "save_steps": 3, "max_steps": steps}
        optimizers = constant(MAKES["adam"], model)
        trainer_of(model, named(6), [callback], tmp_path, optimizers, **saves).train(**options)
        return callback.regularizer

    train(0.1, 3)
    with pytest.warns(UserWarning, match=r"win over the checkpoint's.*had L1\(strength=0\.1\) by prox"):
        reg = train(0.2, 6, resume_from_checkpoint=True)
    assert "0.2" in str(reg)


def test_a_second_train_goes_on_with_the_optimizer_it_has(tmp_path):
    callback, model = RegularizationCallback({"early": L1(0.1)}), Net()
    trainer = trainer_of(model, named(5), [callback], tmp_path, learning_rate=1e-2)
    trainer.train()
    first = callback.regularizer
    trainer.train()
    assert callback.regularizer is first
    assert first.steps == 10
    trainer.optimizer = None
    trainer.train()
    assert callback.regularizer is not first
    assert callback.regularizer.steps == 5


def gated():
    model = Net()
    optimizer = Adam(model.parameters(), lr=1e-2)
    rule = Rule("early", L0.ball(20), how="gates", gates=Gates(lr=0.1))
    reg = regularize(model, [rule], optimizer)
    return model, reg, (optimizer, torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0))


def test_gates_come_attached_and_resume(tmp_path):
    with pytest.raises(ValueError, match="how=\"gates\" of the rule on 'early' adds parameters"):
        RegularizationCallback([Rule("early", L0.ball(20), how="gates")])

    def train(folder, **options):
        model, reg, optimizers = gated()
        saves = {"save_strategy": "steps", "save_steps": 40}
        trainer_of(model, named(80), [RegularizationCallback(reg)], folder, optimizers, **saves).train(**options)
        return model, reg

    whole, reg = train(tmp_path)
    model, resumed = train(tmp_path, resume_from_checkpoint=str(tmp_path / "checkpoint-40"))
    assert_same(whole, model)
    assert str(resumed.summary()) == str(reg.summary())


def test_what_would_not_act_is_refused(tmp_path):
    model, reg, optimizers = gated()
    reg.detach()
    with pytest.raises(ValueError, match="is not attached to the Adam that the trainer steps"):
        trainer_of(model, named(1), [RegularizationCallback(reg)], tmp_path, optimizers).train()
    with pytest.raises(ValueError, match="rule on 'middle' picks nothing trainable"):
        trainer_of(Net(), named(1), [RegularizationCallback({"middle": L1()})], tmp_path).train()
    with pytest.raises(ValueError, match="restore_callback_states_from_checkpoint=True makes callbacks anew"):
        trainer_of(
            Net(),
            named(1),
            [RegularizationCallback(L1())],
            tmp_path,
            restore_callback_states_from_checkpoint=True,
        )


class Recorder(TrainerCallback):
    def __init__(self):
        self.found = []

    def on_log(self, args, state, control, logs=None, **kwargs):
        self.found.append(dict(logs))


@pytest.mark.parametrize("details", [False, True])
def test_values_are_logged_where_the_trainer_logs(details, tmp_path):
    callback, recorder, model = RegularizationCallback(RULES, details=details), Recorder(), Net()
    trainer = trainer_of(
        model, named(20), [callback, recorder], tmp_path, constant(MAKES["adam"], model), logging_steps=5
    )
    trainer.train()
    entries = [entry for entry in trainer.state.log_history if "shrinkage/value" in entry]
    assert [entry["step"] for entry in entries] == [5, 10, 15, 20]
    assert [logs["shrinkage/zeros"] for logs in recorder.found[:4]] == [e["shrinkage/zeros"] for e in entries]
    last = callback.regularizer.summary()
    assert entries[3]["shrinkage/value"] == pytest.approx(last.value)
    assert entries[3]["shrinkage/zeros"] == last.zeros > 0
    assert entries[3].get("shrinkage/late.weight/zero_groups") == (last.rows[1].zero_groups if details else None)
    assert not any(name.endswith("gradient_ratio") for name in entries[3])
    assert "shrinkage/value" not in recorder.found[-1]  # the run's own summary
    json.dumps(trainer.state.log_history)
