"""regularize() and the optimiser that is to enforce it: a new one, of another model, with effects of its own."""

import warnings

import pytest

from tests.interop.backend import BACKEND, keras, numbers, pytestmark, small_threads  # noqa: F401
from tests.interop.test_keras_models import batch, two_layers

from shrinkage.interop.keras import Rule, attached, regularize  # isort: skip
from shrinkage.penalties import L0, L1, L2  # isort: skip

layers, optimizers = keras.layers, keras.optimizers


@pytest.fixture(autouse=True)
def one_thread():
    small_threads()


def zeros(model):
    return int((numbers(model.get_layer("fc1").kernel) == 0).sum())


def test_a_model_that_is_thawed_and_compiled_anew_takes_rules_again():
    """As in every fine-tuning: the first Regularizer says that its optimiser is gone."""
    model = two_layers()
    model.get_layer("fc1").trainable = False
    model.compile(optimizers.SGD(0.1), "mse")
    first = regularize(model, L1(100.0))
    model.fit(*batch(), verbose=0)
    model.get_layer("fc1").trainable = True
    model.compile(optimizers.SGD(0.1), "mse")
    with pytest.raises(
        ValueError, match=r"compiled with another optimiser \(SGD\).*regularize\(model, rules\) again"
    ):
        model.fit(*batch(), verbose=0)
    second = regularize(model, L1(100.0))
    model.fit(*batch(), verbose=0)
    assert zeros(model) == 12
    first.detach()  # takes nothing from the second
    model.compile(optimizers.SGD(0.1), "mse")
    with pytest.raises(ValueError, match="another optimiser"):
        model.fit(*batch(), verbose=0)
    second.detach()
    model.fit(*batch(), verbose=0)


def test_a_fitted_model_may_be_compiled_with_its_new_optimiser_after_regularize():
    model, optimizer = two_layers(), optimizers.SGD(0.1)
    model.fit(*batch(), verbose=0)
    regularize(model, {"fc1": L1(100.0)}, optimizer)
    with pytest.raises(ValueError, match="compiled with another optimiser"):
        model.fit(*batch(), verbose=0)
    model.compile(optimizer, "mse")
    model.fit(*batch(), verbose=0)
    assert zeros(model) == 12


def test_another_optimiser_may_enforce_rules_where_a_model_makes_its_own_steps():
    """As adversarial models do: what they are compiled with is not what steps."""

    class Own(keras.Model):
        def train_step(self, *arguments):
            raise NotImplementedError

    entry = keras.Input((4,))
    own = Own(entry, layers.Dense(1, name="fc1")(entry))
    plain = two_layers()
    for model in (own, plain):
        model.compile("sgd", "mse")
        reg = regularize(model, {"fc1": L1(0.1)}, optimizers.SGD(0.1))
        if model is own:
            assert len(reg.summary().rows) == 1
            continue
        with pytest.raises(ValueError, match="another optimiser"):
            reg.summary()
    own.compile("adam", "mse")
    with pytest.raises(ValueError, match=r"another optimiser \(Adam\)"):
        own.fit(*batch(), verbose=0)


@pytest.mark.parametrize("built", [False, True])
def test_a_weight_that_the_optimiser_does_not_train_is_refused(built):
    """Its rule would never act: neither with another model's optimiser, nor with one of a part."""
    model, optimizer = two_layers(), optimizers.Adam(0.1)
    part = model.get_layer("head").trainable_variables
    if built:
        optimizer.build(part)
        with pytest.raises(ValueError, match=r"does not hold fc1.kernel, which the rule on 'fc1' picks"):
            regularize(model, {"fc1": L1(0.1)}, optimizer)
        assert type(optimizer) is type(optimizers.Adam(0.1))
    else:
        regularize(model, {"fc1": L1(0.1)}, optimizer)
        for _ in range(2):  # and not the first time alone
            with pytest.raises(ValueError, match=r"does not hold fc1.kernel.*narrow the rule"):
                optimizer.build(part)
    model.get_layer("fc1").trainable = False
    frozen = optimizers.Adam(0.1)
    regularize(model, L1(0.1), frozen)
    frozen.build(part)


def test_a_second_detach_takes_nothing_from_the_next():
    model = two_layers()
    first = regularize(model, [Rule("fc1", L1(100.0)), Rule("head", L2(0.1), how="loss")])
    first.detach()
    regularize(model, [Rule("fc1", L1(100.0)), Rule("head", L2(0.1), how="loss")])
    first.detach()
    model.fit(*batch(), verbose=0)
    assert zeros(model) == 12
    assert len(model.losses) == 1


def caught(rules, optimizer, model=None):
    model = model or two_layers(optimizer)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        reg = regularize(model, rules, optimizer)
    return [str(warning.message) for warning in found], str(reg)


def test_averages_in_the_weights_place_are_warned_of():
    for rules, warned in ((L1(0.1), True), (L0.ball(2), True), (L2.ball(1.0), False), (L2(0.1), False)):
        texts, _ = caught({"fc1": rules}, optimizers.SGD(0.1, use_ema=True))
        assert len(texts) == warned, rules
        assert all("use_ema=True" in text and "no exact zeros" in text for text in texts)
    left = []
    for averaged in (False, True):
        model = two_layers(optimizers.SGD(0.1, use_ema=averaged))
        caught({"fc1": L1(1.0)}, None, model)
        model.fit(*batch(), epochs=15, verbose=0)
        left.append(zeros(model))
    assert left[1] < left[0] == 12  # what the warning says


def test_a_weights_own_constraint_is_warned_of_and_shown():
    keras.utils.set_random_seed(0)
    held = layers.Dense(3, kernel_constraint=keras.constraints.MaxNorm(1.0), name="fc1")
    model = keras.Sequential([keras.Input((4,)), held])
    model.compile(optimizers.SGD(0.1), "mse")
    texts, table = caught({"fc1": L1(0.1)}, None, model)
    assert len(texts) == 1
    assert "fc1.kernel has a constraint of its own, MaxNorm(max_value=1.0, axis=0)" in texts[0]
    assert "own constraint MaxNorm" in table


def test_decay_is_warned_of_where_it_acts():
    optimizer = optimizers.AdamW(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["kernel"])
    texts, table = caught([Rule("fc1.bias", L1(0.1)), Rule("*", L1(0.1))], optimizer)
    assert len(texts) == 1
    assert "AdamW weight_decay=0.5 acts on 1 governed parameter(s), fc1.bias the first" in texts[0]
    assert table.count("weight_decay=0.5") == 1


@pytest.mark.skipif(BACKEND == "torch", reason="on torch a step is asked for by a Python number")
def test_a_schedule_that_cannot_be_compiled_is_refused():
    for schedule in (lambda step: 1.0 if step > 5 else 0.0, lambda step: min(step, 1.0)):
        with pytest.raises(ValueError, match="the schedule of the rule on 'fc1' asks a traced step for its value"):
            regularize(two_layers(), [Rule("fc1", L1(0.1), schedule=schedule)])
    regularize(two_layers(), [Rule("fc1", L1(0.1), schedule=lambda step: 1 / (1 + step))])


def test_rules_on_a_part_are_found_in_the_whole():
    """Their paths begin at the part; the weights are the same."""
    part = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="fc1")], name="part")
    entry = keras.Input((4,))
    whole = keras.Model(entry, layers.Dense(1, name="head")(part(entry)))
    whole.compile(optimizers.SGD(0.1), "mse")
    regularize(part, {"fc1": L1(0.1)}, whole.optimizer)
    whole.fit(*batch(), verbose=0)
    rows = attached(whole).summary().rows
    assert [(row.parameter, row.penalty) for row in rows] == [("part.fc1.kernel", "L1(strength=0.1)")]
