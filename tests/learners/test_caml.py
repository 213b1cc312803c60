"""CAML: only the context adapts, from 0, and the outer gradient goes through it."""

import keras
import numpy as np
import pytest

from gaml_utils.learners import CAML, MAML, as_dataset, check_second_derivative
from gaml_utils.networks import Context, FiLM, conv4
from gaml_utils.records import TaskBatch
from gaml_utils.tasks import SineTasks
from gaml_utils.weighting import agreement_weights, uniform_weights
from tests.support.keras_learners import arrays, compiled
from tests.support.keras_models import float64, functional, tanh_net
from tests.support.plain_formulas import same
from tests.support.strangers import sines


def in_context(k=2):
    return tanh_net(4, after=[lambda: Context(k, name="context"), lambda: keras.layers.Dense(3, "tanh")])


def film_net(k=3):
    """Images through a convolution whose channels a context scales and shifts."""
    keras.utils.set_random_seed(1)
    with float64():
        layers = keras.layers
        x = keras.Input((6, 6, 1), dtype="float64")
        context = Context(k, append=False)(x)
        h = FiLM()([layers.Conv2D(2, 3, activation="tanh")(x), context])
        h = FiLM()([layers.Conv2D(2, 3, activation="tanh")(h), context])
        return keras.Model(x, layers.Dense(1)(layers.Flatten()(h)))


def images(tasks=3, seed=0):
    rng = np.random.default_rng(seed)
    x = [rng.normal(size=(tasks, n, 6, 6, 1)) for n in (4, 5)]
    return TaskBatch(x[0], rng.normal(size=(tasks, 4, 1)), x[1], rng.normal(size=(tasks, 5, 1)))


MODELS = {"beside": (in_context, sines), "film": (film_net, images)}
each_model = pytest.mark.parametrize("kind", MODELS)


@each_model
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("learn_start", [False, True])
def test_the_gradient_is_that_of_central_differences(kind, steps, learn_start):
    """Along five random directions: of all the shared parameters at once, through the inner steps of the context."""
    make, data = MODELS[kind]
    model, batch = make(), data(3)
    learner = compiled(CAML(model, 0.02, learn_start, inner_steps=steps, weighting=agreement_weights))
    result = learner.meta_gradient(batch)
    rng, values = np.random.default_rng(0), [v.numpy() for v in learner.outer_variables]
    for _ in range(5):
        along = [rng.normal(size=v.shape) for v in values]
        ends = []
        for step in (1e-5, -1e-5):
            for variable, value, a in zip(learner.outer_variables, values, along, strict=True):
                variable.assign(value + step * a)
            ends.append(np.dot(result.weights, learner.meta_gradient(batch).query_losses))
        for variable, value in zip(learner.outer_variables, values, strict=True):
            variable.assign(value)
        expected = sum(np.sum(np.array(g) * a) for g, a in zip(result.gradient, along, strict=True))
        assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(expected, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("source", ["updates", "outer"])
def test_all_parameters_as_context_with_a_learned_start_are_maml(steps, source):
    settings = {"inner_steps": steps, "weighting": agreement_weights, "source": source}
    batch = sines(3)
    ours = compiled(CAML(in_context(), 0.05, learn_start=True, fast="*", **settings)).meta_gradient(batch)
    theirs = compiled(MAML(in_context(), 0.05, **settings)).meta_gradient(batch)
    assert same(arrays(ours), arrays(theirs))


@each_model
def test_only_the_context_adapts_and_no_outer_step_moves_it(kind):
    make, data = MODELS[kind]
    model, batch = make(), data(3)
    learner = compiled(CAML(model), keras.optimizers.AdamW(0.01, weight_decay=0.1))
    contexts = [v for v in model.trainable_variables if v.path.endswith("context")]
    assert len(contexts) == 1 and not any(v is contexts[0] for v in learner.outer_variables)
    adapted = learner.adapt(batch.support_x[0], batch.support_y[0])
    changed = [not np.array_equal(a, b) for a, b in zip(adapted.get_weights(), model.get_weights(), strict=True)]
    assert changed == [v is contexts[0] for v in model.trainable_variables]
    before = model.get_weights()
    learner.fit(batch, epochs=3, verbose=0)
    assert not contexts[0].numpy().any()
    pairs = zip(model.get_weights(), before, model.trainable_variables, strict=True)
    assert all(np.abs(a - b).max() > 0 for a, b, v in pairs if v is not contexts[0])


def test_updates_are_as_many_numbers_as_the_context_has():
    shown = []

    def rule(g):
        shown.append(g.shape)
        return uniform_weights(g)

    compiled(CAML(in_context(4), weighting=rule)).meta_gradient(sines(3))
    assert set(shown) == {(3, 4)}


def test_two_equal_tasks_have_one_context_and_the_order_of_the_points_does_not_matter():
    learner, batch = compiled(CAML(in_context(), inner_steps=2)), sines(3)
    x, y = batch.support_x[0], batch.support_y[0]
    contexts = [learner.adapt(*pair).get_layer("context").context.numpy() for pair in ((x, y), (x, y))]
    turned = learner.adapt(x[::-1], y[::-1]).get_layer("context").context.numpy()
    np.testing.assert_array_equal(*contexts)
    np.testing.assert_allclose(turned, contexts[0], rtol=1e-10)


def test_a_linear_model_by_hand():
    """y = theta x + phi: one step from 0 takes phi to 2 alpha times the mean residual."""
    with float64():
        model = functional(Context(1, name="context"), keras.layers.Dense(1), shape=(1,))
    model.set_weights([np.zeros(1), np.array([[1.5], [1.0]]), np.zeros(1)])
    learner, batch = compiled(CAML(model, 0.3)), sines(3)
    adapted = learner.adapt(batch.support_x[0], batch.support_y[0])
    by_hand = 2 * 0.3 * np.mean(batch.support_y[0] - 1.5 * batch.support_x[0])
    np.testing.assert_allclose(adapted.get_layer("context").context.numpy(), [by_hand], rtol=1e-12)


def test_a_model_without_a_context_is_refused_with_the_remedy():
    with pytest.raises(ValueError, match="model should have a Context layer"):
        CAML(tanh_net())


def test_a_context_that_is_not_zero_is_refused_unless_its_start_is_learned():
    model = in_context()
    next(v for v in model.trainable_variables if v.path.endswith("context")).assign([1.0, 2.0])
    with pytest.raises(ValueError, match="context of 0"):
        CAML(model)
    learner = compiled(CAML(model, learn_start=True))
    assert len(learner.meta_gradient(sines(3)).gradient) == len(model.trainable_variables)
    with pytest.raises(ValueError, match="context of 0"):
        learner.learn_start = False


def test_whether_the_start_is_learned_stays_as_it_was_compiled():
    learner = compiled(CAML(in_context()))
    with pytest.raises(ValueError, match="learn_start should stay as it is"):
        learner.learn_start = True


@pytest.mark.parametrize("compile_it", [False, True])
def test_what_adapts_stays_as_it_is(compile_it):
    """Another variable would start at 0 for each task, whatever its value."""
    learner = compiled(CAML(in_context())) if compile_it else CAML(in_context())
    with pytest.raises(ValueError, match="fast should stay as it is"):
        learner.fast = "hidden/*"


@pytest.mark.parametrize("given", [1, None, "no"])
def test_learn_start_is_a_flag(given):
    with pytest.raises(ValueError, match="learn_start should be True or False"):
        CAML(in_context(), 1.0, given)


@each_model
def test_it_is_the_same_when_saved_and_loaded(kind, tmp_path):
    make, data = MODELS[kind]
    learner = compiled(CAML(make(), 0.5, inner_steps=2, weighting=agreement_weights), "adam")
    learner.fit(data(3), epochs=2, verbose=0)
    learner.save(tmp_path / "learner.keras")
    again = keras.models.load_model(tmp_path / "learner.keras")
    assert same(arrays(again.meta_gradient(data(3))), arrays(learner.meta_gradient(data(3))))
    assert again.fast == learner.fast


def test_a_context_learns_sines_that_a_network_without_one_cannot_tell_apart():
    keras.utils.set_random_seed(0)
    model = tanh_net(40, before=[lambda: Context(3)])
    learner = compiled(CAML(model), keras.optimizers.Adam(0.005))
    learner.fit(as_dataset(SineTasks(), 10, 10, 10, dtype="float64"), steps_per_epoch=400, verbose=0)
    found = learner.evaluate(as_dataset(SineTasks(), 100, 10, 10, seed=1, dtype="float64"), steps=1, return_dict=True)
    assert found["loss"] < 0.7 * found["loss_before"]


def test_conv4_takes_a_context():
    model = conv4(5, 4, context=7)
    assert [v.shape for v in model.trainable_variables if "film" in v.path] == [(7, 8), (8,)] * 2
    assert not any("film" in v.path or "context" in v.path for v in conv4(5, 4).trainable_variables)
    learner = CAML(model)
    assert [v.shape for v in learner.started_anew] == [(7,)]


def test_its_layers_are_known_to_be_exact():
    assert check_second_derivative(film_net(), images(1)).error < 1e-6
