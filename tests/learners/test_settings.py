"""Any sequence of calls gives what a fresh learner gives: sizes that change, settings that are set anew."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.learners import MAML, Reptile, as_dataset, episode_accuracies, task_by_task
from gaml_utils.learners.engine.functional import gradient_descent
from gaml_utils.tasks import SineTasks
from gaml_utils.weighting import agreement_weights, power_weights, uniform_weights
from tests.support.strangers import L, made, net, numbers, of_shape, sines

SETTINGS = {
    "inner_lr": 0.3,
    "inner_steps": 3,
    "weighting": agreement_weights,
    "source": "outer",
    "fast": "dense/*",
    "inner_rule": lambda p, g, rate: [a - rate * tf.sign(b) for a, b in zip(p, g, strict=True)],
    "unrolled": True,
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_heard_by_every_call(name):
    value, batch = SETTINGS[name], sines()
    settings = {"weighting": power_weights(-1)} if name == "source" else {}
    if name == "fast":
        value = net().layers[0].kernel.path.split("/")[1] + "*"  # made anew below, with a name of its own

    def named(kind, **more):
        model = net()
        return made(
            model, kind, **settings | {k: f"{model.layers[0].path}/*" if k == "fast" else v for k, v in more.items()}
        )

    old = named(MAML)
    before = numbers(old)
    old.fit(batch, verbose=0, epochs=0)
    setattr(old, name, f"{old.model.layers[0].path}/*" if name == "fast" else value)
    fresh = named(MAML, **{name: value})
    np.testing.assert_array_equal(numbers(old), numbers(fresh))
    if name != "unrolled":
        assert np.abs(numbers(fresh) - before).max() > 0
    x, y = batch.support_x[0], batch.support_y[0]
    np.testing.assert_array_equal(old.answers(x, y, x), fresh.answers(x, y, x))
    assert old.fit(batch, verbose=0).history == fresh.fit(batch, verbose=0).history
    assert old.evaluate(batch, verbose=0) == fresh.evaluate(batch, verbose=0)


def test_settings_of_a_learner_of_ones_own_are_heard():
    learner = made(net(), MAML)
    numbers(learner)
    learner.first_order = True
    np.testing.assert_array_equal(numbers(learner), numbers(made(net(), first_order=True)))
    reptile = made(net(), Reptile, batch_size=3)
    numbers(reptile)
    reptile.batch_size, reptile.seed = 5, 7
    np.testing.assert_array_equal(numbers(reptile), numbers(made(net(), Reptile, batch_size=5, seed=7)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("inner_lr", -1),
        ("inner_steps", 0),
        ("weighting", "agreement"),
        ("source", "x"),
        ("fast", "no/such"),
        ("model", 3),
    ],
)
def test_a_setting_is_checked_when_it_is_set(name, value):
    learner = made(net())
    before = numbers(learner)
    with pytest.raises(ValueError, match=f"{name} should"):
        setattr(learner, name, value)
    np.testing.assert_array_equal(numbers(learner), before)


@pytest.mark.parametrize("kind", [MAML, Reptile])
def test_sizes_may_change_from_call_to_call(kind):
    batches = [sines(25), sines(3, 4), sines(1, 7, queries=2)]
    one = made(net(), kind)
    for batch in batches:
        np.testing.assert_array_equal(numbers(one, batch), numbers(made(net(), kind), batch))
    for batch in batches:
        assert one.evaluate(batch, verbose=0) == made(net(), kind).evaluate(batch, verbose=0)
    for batch in batches:
        one.fit(batch, verbose=0)
    assert one.optimizer.iterations == len(batches)


def test_datasets_of_other_sizes_may_follow():
    learner = made(net())
    for tasks, shots in ((4, 5), (6, 5), (4, 3)):
        data = as_dataset(SineTasks(), tasks, shots)
        learner.fit(data, steps_per_epoch=2, validation_data=data, validation_steps=1, verbose=0)
        learner.evaluate(data, steps=1, verbose=0)
    assert learner.optimizer.iterations == 6


def test_task_by_task_hears_settings_and_compilations():
    learner = made(net(), weighting=agreement_weights)
    slow = task_by_task(learner)
    slow(sines())
    learner.inner_lr = 0.2
    np.testing.assert_allclose(slow(sines()).weights, learner.meta_gradient(sines()).weights, rtol=1e-4)
    learner.compile("sgd", "mae")
    np.testing.assert_allclose(slow(sines(3)).query_losses, learner.meta_gradient(sines(3)).query_losses, rtol=1e-5)
    learner.weighting = uniform_weights
    with pytest.raises(ValueError, match="agreement_weights"):
        slow(sines())


def test_accuracies_hear_settings():
    def learner(**settings):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((2,)), L.Dense(3)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return made(model, loss=loss, **settings)

    y = np.random.default_rng(0).integers(3, size=(3, 5))
    batch = of_shape(2)._replace(support_y=y, query_y=y)
    one = learner()
    episode_accuracies(one, batch)
    one.inner_lr, one.inner_steps = 5.0, 4
    fresh = episode_accuracies(learner(inner_lr=5.0, inner_steps=4), batch)
    np.testing.assert_array_equal(episode_accuracies(one, batch), fresh)


def test_an_optimizers_loss_scale_does_not_shorten_the_step():
    weights = []
    for factor in (None, 8.0):
        learner = made(net(), optimizer=keras.optimizers.SGD(0.1, loss_scale_factor=factor))
        learner.fit(sines(), verbose=0, epochs=2)
        weights.append(learner.model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    assert gradient_descent is made(net()).inner_rule
