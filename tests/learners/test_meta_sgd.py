"""Meta-SGD: rates of its own for every parameter, and nothing else that is not MAML's."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.learners import MAML, MetaSGD, as_dataset
from gaml_utils.learners.engine.functional import gradient_descent
from gaml_utils.tasks import SineTasks
from gaml_utils.weighting import agreement_weights, power_weights, uniform_weights
from tests.support.keras_learners import arrays, compiled
from tests.support.keras_models import as_data, batch_for, everything, make, tanh_net
from tests.support.plain_formulas import relative_error, same
from tests.support.strangers import sines

MODELS = ["batch norm", "conv, batch norm"]


def outer_loss(learner, batch, w):
    """sum_i w_i L_i at the learner's variables as they are now."""
    return float(np.dot(w, learner.meta_gradient(batch).query_losses))


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize(("steps", "first_order"), [(1, False), (3, False), (3, True)])
def test_frozen_rates_are_maml_to_the_last_bit(kind, steps, first_order):
    settings = {"weighting": agreement_weights, "inner_steps": steps, "first_order": first_order}
    frozen = compiled(MetaSGD(make(kind), 0.1, False, **settings))
    maml = compiled(MAML(make(kind), 0.1, **settings))
    assert same(arrays(frozen.meta_gradient(batch_for(kind))), arrays(maml.meta_gradient(batch_for(kind))))


@pytest.mark.parametrize("kind", MODELS)
def test_equal_rates_that_are_trained_change_nothing_about_theta(kind):
    learner = compiled(MetaSGD(make(kind), 0.1, weighting=agreement_weights))
    maml = compiled(MAML(make(kind), 0.1, weighting=agreement_weights))
    ours, theirs = learner.meta_gradient(batch_for(kind)), maml.meta_gradient(batch_for(kind))
    assert same(ours.gradient[: len(theirs.gradient)], theirs.gradient)
    assert len(ours.gradient) == 2 * len(theirs.gradient)


@pytest.mark.parametrize("first_order", [False, True])
def test_the_rates_gradient_is_the_product_of_support_and_query_gradients(first_order):
    """-G_support o G_query, one inner step, and it needs no second derivative."""
    model, batch = tanh_net(5), sines(3)
    learner = compiled(MetaSGD(model, 0.07, first_order=first_order))
    functional, theta = learner.functional, [tf.convert_to_tensor(v) for v in model.trainable_variables]
    products = []
    for i in range(3):
        gradients = []
        where = theta
        for x, y in ((batch.support_x[i], batch.support_y[i]), (batch.query_x[i], batch.query_y[i])):
            with tf.GradientTape() as tape:
                tape.watch(where)
                loss = functional.loss(where, tf.constant(x), tf.constant(y), functional.state(0))[0]
            gradients.append(tape.gradient(loss, where))
            where = gradient_descent(theta, gradients[0], 0.07)
        products.append([-(a * b).numpy() for a, b in zip(*gradients, strict=True)])
    by_hand = [np.mean([p[k] for p in products], axis=0) for k in range(len(theta))]
    assert relative_error([np.array(g) for g in learner.meta_gradient(batch).gradient[len(theta) :]], by_hand) < 1e-12


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("weighting", [uniform_weights, agreement_weights])
def test_the_gradient_is_that_of_central_differences(steps, weighting):
    model, batch = tanh_net(4), sines(3)
    learner = compiled(MetaSGD(model, 0.05, inner_steps=steps, weighting=weighting))
    result = learner.meta_gradient(batch)
    for variable, gradient in zip(learner.outer_variables, result.gradient, strict=True):
        value, found = variable.numpy(), np.zeros(variable.shape)
        for place in np.ndindex(*variable.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = value.copy()
                moved[place] += step
                variable.assign(moved)
                ends.append(outer_loss(learner, batch, result.weights))
            found[place] = (ends[0] - ends[1]) / 2e-5
        variable.assign(value)
        np.testing.assert_allclose(gradient, found, rtol=1e-5, atol=1e-7)


def test_rates_may_become_negative():
    keras.utils.set_random_seed(0)
    model = tanh_net(10)
    learner = compiled(MetaSGD(model, 0.01), keras.optimizers.Adam(0.01))
    learner.fit(as_dataset(SineTasks(), 5, 10, 10, dtype="float64"), steps_per_epoch=60, verbose=0)
    rates = np.concatenate([np.ravel(rate) for rate in learner.rates])
    assert rates.min() < 0 < rates.max()
    batch = sines(3)
    assert np.isfinite(learner.meta_gradient(batch).query_losses).all()


def test_outer_compares_both_parts_and_updates_are_the_rates_times_the_gradient():
    shown = {}

    def rule(name):
        def weighting(g):
            shown[name] = g.shape
            return uniform_weights(g)

        return weighting

    for source in ("updates", "outer"):
        model = tanh_net(5)
        compiled(MetaSGD(model, weighting=rule(source), source=source)).meta_gradient(sines(3))
    assert shown == {"updates": (3, 16), "outer": (3, 32)}


def test_inner_lr_is_where_the_rates_start_also_when_it_is_set_later():
    model = tanh_net(5)
    starts = [0.1, np.linspace(0.01, 0.05, 5), 0.3, 0.4]
    learner = compiled(MetaSGD(model, starts))
    assert [np.ptp(rate) > 0 for rate in learner.rates] == [False, True, False, False]
    np.testing.assert_allclose(learner.rates[1], starts[1])
    learner.inner_lr = 0.2
    assert all((rate.numpy() == 0.2).all() for rate in learner.rates)
    maml = compiled(MAML(model, 0.2))
    assert same(learner.meta_gradient(sines(3)).gradient[:4], maml.meta_gradient(sines(3)).gradient)


def test_only_what_the_inner_loop_moves_has_rates():
    model = tanh_net(5)
    learner = compiled(MetaSGD(model, 0.1, fast="last/*"))
    assert [rate.shape for rate in learner.rates] == [(5, 1), (1,)]
    assert len(learner.meta_gradient(sines(3)).gradient) == 6


@pytest.mark.parametrize(("name", "value"), [("fast", "*"), ("train_rates", False)])
def test_what_rates_there_are_stays_as_it_is(name, value):
    learner = MetaSGD(tanh_net(5))
    with pytest.raises(ValueError, match=f"{name} should stay as it is"):
        setattr(learner, name, value)


@pytest.mark.parametrize("given", [1, "yes", None, 0.5])
def test_train_rates_is_a_flag(given):
    with pytest.raises(ValueError, match="train_rates should be True or False"):
        MetaSGD(tanh_net(), 0.1, given)


@pytest.mark.parametrize("train_rates", [True, False])
def test_learned_rates_are_saved(train_rates, tmp_path):
    learner = compiled(MetaSGD(make("batch norm"), 0.1, train_rates), keras.optimizers.Adam(0.01))
    learner.fit(as_data(batch_for("batch norm")), steps_per_epoch=2, verbose=0)
    learner.save(tmp_path / "learner.keras")
    again = keras.models.load_model(tmp_path / "learner.keras")
    assert again.train_rates == train_rates and same(everything(again), everything(learner))
    batch = batch_for("batch norm")
    assert same(arrays(again.meta_gradient(batch)), arrays(learner.meta_gradient(batch)))


def test_power_weights_serve_it():
    learner = compiled(MetaSGD(make("batch norm"), 0.1, weighting=power_weights(-1), source="outer"))
    assert np.isfinite(learner.meta_gradient(batch_for("batch norm")).weights).all()
