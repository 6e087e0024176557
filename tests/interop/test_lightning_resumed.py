"""Lightning's checkpoints: what is resumed, what begins anew, and what a file does not decide."""

import pytest

pytest.importorskip("lightning", reason="Lightning is not installed: make test-trainers")

from lightning.pytorch.callbacks import Callback
from torch.utils.data import DataLoader

from shrinkage import L0, L1
from shrinkage.interop.lightning import RegularizationCallback
from shrinkage.nn import Rule
from tests.interop.test_lightning import Net, fit, gated, one_thread, pytestmark, trainer_of
from tests.interop.trainers import MAKES, RESUMED, assert_same, batches

__all__ = ["one_thread", "pytestmark"]  # for pytest: what goes for the other tests goes for these


class FreezeAfter(Callback):
    def __init__(self, step):
        self.step = step

    def on_train_batch_end(self, trainer, *args):
        reg = trainer.callbacks[0].regularizer
        if reg.steps == self.step:
            reg.freeze_zeros()


@pytest.mark.filterwarnings("ignore:the rule on 'early' did not act")  # a schedule that begins at 0
@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("name", RESUMED)
def test_a_resumed_fit_is_the_same_to_the_last_bit(name, frozen, tmp_path):
    make, rules = RESUMED[name]
    if frozen and name == "lagrangian":
        pytest.skip("a ball of L2 makes no zeros")
    extra = [FreezeAfter(30)] if frozen else []

    def trained(epochs, path=None):
        model, callback = Net(make), RegularizationCallback(rules)
        trainer = trainer_of([callback, *extra], max_epochs=epochs)
        fit(trainer, model, batches(20), ckpt_path=path)
        return trainer, model, callback.regularizer

    _, whole, reg = trained(4)
    trainer, _, _ = trained(2)
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    _, model, resumed = trained(4, tmp_path / "half.ckpt")
    assert_same(whole, model)
    assert resumed.steps == reg.steps == 80
    assert str(resumed.summary()) == str(reg.summary())
    if frozen:
        assert "frozen" in str(reg.summary())


def test_the_rules_given_at_resume_win_and_say_so(tmp_path):
    trainer = trainer_of([RegularizationCallback({"early": L1(0.1)})])
    fit(trainer, Net(MAKES["adam"]), batches(3))
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    callback = RegularizationCallback({"early": L1(0.2)})
    with pytest.warns(UserWarning, match=r"win over the checkpoint's.*had L1\(strength=0\.1\) by prox"):
        fit(trainer_of([callback], max_epochs=2), Net(MAKES["adam"]), batches(3), ckpt_path=tmp_path / "a.ckpt")
    assert "0.2" in str(callback.regularizer)


def test_a_fit_without_a_checkpoint_begins_anew(tmp_path):
    """Whatever a test before it loaded."""
    callback, model = RegularizationCallback({"early": L1(0.1)}), Net(MAKES["adam"])
    trainer = trainer_of([callback])
    fit(trainer, model, batches(3))
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    first = callback.regularizer
    model.test_step = lambda batch, batch_idx: None
    trainer.test(model, DataLoader(batches(2), batch_size=None), ckpt_path=tmp_path / "a.ckpt", verbose=False)
    trainer.fit_loop.max_epochs = 2
    fit(trainer, model, batches(5))
    assert callback.regularizer is not first
    assert callback.regularizer.steps == 5


def test_gates_come_attached_and_resume(tmp_path):
    with pytest.raises(ValueError, match="how=\"gates\" of the rule on 'early' adds parameters"):
        RegularizationCallback([Rule("early", L0.ball(20), how="gates")])

    def trained(epochs, path=None):
        model, reg = gated()
        trainer = trainer_of([RegularizationCallback(reg)], max_epochs=epochs)
        fit(trainer, model, batches(20), ckpt_path=path)
        return trainer, model, reg

    _, whole, reg = trained(4)
    trainer, _, _ = trained(2)
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    _, model, resumed = trained(4, tmp_path / "half.ckpt")
    assert_same(whole, model)
    assert str(resumed.summary()) == str(reg.summary())
