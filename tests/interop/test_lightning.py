"""Rules inside Lightning's Trainer: known solutions, accumulation, precision, several optimisers, resuming."""

from functools import partial

import pytest

pytest.importorskip("lightning", reason="Lightning is not installed: make test-trainers")

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.loggers.logger import DummyLogger
from lightning.pytorch.plugins import MixedPrecision
from torch import nn
from torch.utils.data import DataLoader

from shrinkage import L0, L1, L2
from shrinkage.interop.lightning import RegularizationCallback
from shrinkage.nn import Gates, Rule, regularize
from tests.interop.known import COLUMNS, PROBLEMS, SETTINGS, check, data
from tests.interop.trainers import MAKES, OPTIMIZERS, RULES, Blocks, assert_same, batches, by_hand

# Lightning's advice on workers, loggers and batches, and what it calls of torch's that is on its way out.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::lightning.fabric.utilities.warnings.PossibleUserWarning"),
    pytest.mark.filterwarnings("ignore:.*GPU available:UserWarning"),
]
SGD, Adam = torch.optim.SGD, torch.optim.Adam


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def trainer_of(callbacks, **options):
    options = {"max_epochs": 1, "logger": False, "enable_checkpointing": False} | options
    quiet = {"enable_progress_bar": False, "enable_model_summary": False}
    return Trainer(accelerator="cpu", callbacks=callbacks, **quiet, **options)


def fit(trainer, model, batches, **options):
    trainer.fit(model, DataLoader(batches, batch_size=None), **options)


class Net(Blocks, LightningModule):
    def __init__(self, make):
        super().__init__()
        self.build()
        self.make = make

    def training_step(self, batch, _):
        return self.loss(*batch)

    def configure_optimizers(self):
        return self.make(self.parameters())


class Lasso(LightningModule):
    def __init__(self, name):
        super().__init__()
        self.linear = nn.Linear(COLUMNS, 1, bias=False)
        nn.init.constant_(self.linear.weight, 0.1)
        self.name = name

    def training_step(self, batch, _):
        return 0.5 * (batch[1] - self.linear(batch[0]).squeeze(1)).square().mean()

    def configure_optimizers(self):
        optimizer = OPTIMIZERS[self.name](self.parameters())
        steps, lr_of = SETTINGS[self.name]
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: lr_of(step / steps))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


@pytest.mark.parametrize(("precision", "tol"), [("32-true", 1e-4), ("64-true", 1e-6)])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_known_lasso(name, precision, tol):
    batch = tuple(torch.tensor(part, dtype=getattr(torch, f"float{precision[:2]}")) for part in data())
    model = Lasso(name)
    trainer = trainer_of([RegularizationCallback(PROBLEMS["lasso"][0])], precision=precision)
    fit(trainer, model, [batch] * SETTINGS[name][0])
    check(model.linear.weight.detach(), tol=tol)


@pytest.mark.parametrize("accumulate", [1, 4])
@pytest.mark.parametrize("clip", [None, 0.1])
@pytest.mark.parametrize("make", MAKES.values(), ids=list(MAKES))
def test_a_rule_a_block_as_by_hand(make, clip, accumulate):
    """A penalty counts once a step, and is not clipped."""
    callback, model = RegularizationCallback(RULES), Net(make)
    options = {"accumulate_grad_batches": accumulate, "gradient_clip_val": clip}
    fit(trainer_of([callback], **options), model, batches(40 * accumulate))
    assert_same(model, by_hand(Net(None), make, batches(40 * accumulate), accumulate, clip))
    early, late, head, _ = callback.regularizer.summary().rows
    assert callback.regularizer.steps == 40
    assert early.zeros > 0
    assert late.groups == 16
    assert head.zeros == 0


def test_the_loss_form_is_right_under_accumulation_too():
    class Adding(Net):
        def training_step(self, batch, i):
            return super().training_step(batch, i) + self.trainer.callbacks[0].regularizer.loss()

    found = []
    for kind, how in ((Adding, "loss"), (Net, "gradient")):
        model = kind(MAKES["momentum"])
        callback = RegularizationCallback([Rule("*", L2(0.1), how=how)])
        fit(trainer_of([callback], accumulate_grad_batches=4), model, batches(20))
        found.append(model)
    for p, q in zip(found[0].parameters(), found[1].parameters(), strict=True):
        torch.testing.assert_close(p, q)


@pytest.mark.parametrize("fused", [False, True])
def test_under_a_grad_scaler_skipped_steps_skip_the_penalty(fused):
    """A batch that overflows comes first: its step changes nothing, and the others are as without a scaler."""
    # Not SGD with momentum: torch's fused one goes on from memory that nobody set when its first step was skipped.
    make = partial(Adam, lr=1e-2, fused=fused)
    plain, low = Net(make), Net(make)
    fit(trainer_of([RegularizationCallback(RULES)]), plain, batches(30))
    precision = MixedPrecision("bf16-mixed", "cpu")  # what float16 has on a GPU: a scaler
    precision.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    precision.autocast_context_manager = lambda: torch.autocast("cpu", enabled=False)
    bad = (torch.full((8, 6), torch.inf), torch.zeros(8, dtype=torch.long))
    fit(trainer_of([RegularizationCallback(RULES)], plugins=[precision]), low, [bad, *batches(30)])
    assert precision.scaler.get_scale() == 2.0**9
    for p, q in zip(plain.parameters(), low.parameters(), strict=True):
        torch.testing.assert_close(p, q)
        assert torch.equal(p == 0, q == 0)


def test_bfloat16_autocast_keeps_the_zeros():
    callback, model = RegularizationCallback(RULES), Net(MAKES["adam"])
    fit(trainer_of([callback], precision="bf16-mixed"), model, batches(40))
    plain = by_hand(Net(None), MAKES["adam"], batches(40))
    assert model.early.weight.dtype == torch.float32
    zeros = [int((m.early.weight == 0).sum()) for m in (model, plain)]
    assert abs(zeros[0] - zeros[1]) <= 5 < zeros[1]


class TwoOptimizers(Net):
    def __init__(self):
        super().__init__(None)
        self.automatic_optimization = False

    def configure_optimizers(self):
        return SGD(self.early.parameters(), lr=0.1, momentum=0.9), Adam(self.head.parameters(), lr=1e-2)

    def training_step(self, batch, i):
        for optimizer in self.optimizers():
            optimizer.zero_grad()
            self.manual_backward(super().training_step(batch, i))
            optimizer.step()


def test_several_optimizers_take_a_callback_each():
    model = TwoOptimizers()
    callbacks = [
        RegularizationCallback({"early": L1(2e-2)}, optimizer=0),
        RegularizationCallback({"head": L2(0.1)}, optimizer=1),
    ]
    fit(trainer_of(callbacks), model, batches(20))
    plain = TwoOptimizers()
    both = plain.configure_optimizers()
    regularize(plain, {"early": L1(2e-2)}, both[0])
    regularize(plain, {"head": L2(0.1)}, both[1])
    for batch in batches(20):
        for optimizer in both:
            optimizer.zero_grad()
            Net.training_step(plain, batch, 0).backward()
            optimizer.step()
    assert_same(model, plain)
    assert callbacks[0].regularizer.summary().zeros > 0
    assert {c.state_key for c in callbacks} == {f"RegularizationCallback{{'optimizer': {i}}}" for i in (0, 1)}


@pytest.mark.parametrize(
    ("callback", "told"),
    [
        (RegularizationCallback({"early": L1()}), "has 2 optimisers: say which by optimizer=0, 1"),
        (RegularizationCallback({"early": L1()}, optimizer=2), r"optimizer=2: the module has 2 optimiser\(s\)"),
        (RegularizationCallback({"early": L1()}, optimizer=1), "does not hold early.weight"),
    ],
    ids=["unnamed", "out of range", "another's"],
)
def test_several_optimizers_are_refused_by_name(callback, told):
    with pytest.raises(ValueError, match=told):
        fit(trainer_of([callback]), TwoOptimizers(), batches(1))


def gated():
    """A model whose optimiser is made with it, and the Regularizer."""
    model = Net(None)
    optimizer = Adam(model.parameters(), lr=1e-2)
    model.make = lambda _: optimizer
    rule = Rule("early", L0.ball(20), how="gates", gates=Gates(lr=0.1))
    return model, regularize(model, [rule], optimizer)


def test_a_regularizer_that_would_not_act_is_refused():
    model, reg = gated()
    reg.detach()
    with pytest.raises(ValueError, match="is not attached to the Adam that the trainer steps"):
        fit(trainer_of([RegularizationCallback(reg)]), model, batches(1))
    with pytest.raises(ValueError, match="metric goes with rules"):
        RegularizationCallback(reg, metric=lambda *_: 1.0)
    with pytest.raises(TypeError, match="optimizer must be the number"):
        RegularizationCallback(L1(), optimizer="adam")
    with pytest.raises(TypeError, match="rules must be a penalty"):
        RegularizationCallback(3)


class Recorder(DummyLogger):
    def __init__(self):
        super().__init__()
        self.found = []

    def log_metrics(self, metrics, step):
        self.found.append((step, dict(metrics)))


@pytest.mark.parametrize("details", [False, True])
def test_values_are_logged_where_the_trainer_logs(details, caplog):
    callback, logger = RegularizationCallback(RULES, details=details), Recorder()
    trainer = trainer_of([callback], logger=logger, log_every_n_steps=5)
    with caplog.at_level("INFO"):
        fit(trainer, Net(MAKES["adam"]), batches(20))
    assert "GroupL2(strength=0.02, axis=0)" in caplog.text
    values = {step: found for step, found in logger.found if "shrinkage/value" in found}
    assert sorted(values) == [4, 9, 14, 19]
    last = callback.regularizer.summary()
    assert values[19]["shrinkage/value"] == pytest.approx(last.value)
    assert values[19]["shrinkage/zeros"] == last.zeros > 0
    assert trainer.callback_metrics["shrinkage/zeros"] == last.zeros  # what ModelCheckpoint's monitor reads
    assert values[19].get("shrinkage/late.weight/zero_groups") == (last.rows[1].zero_groups if details else None)
    assert not any(name.endswith("gradient_ratio") for name in values[19])
