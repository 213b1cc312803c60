"""Agreement task by task: the numbers are those of the learner's own meta_gradient, and T gradients are never held."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.learners import matrix_free
from gaml_utils.learners.engine.functional import gradient_descent
from gaml_utils.learners.maml import MAML
from gaml_utils.learners.matrix_free import Passes, task_by_task
from gaml_utils.learners.reptile import Reptile
from gaml_utils.records import TaskBatch
from gaml_utils.weighting.agreement import agreement_weights, uniform_weights
from gaml_utils.weighting.powers import power_weights
from tests.support.keras_learners import arrays, build, compiled
from tests.support.keras_models import batch_for, everything, make
from tests.support.plain_formulas import relative_error, same

LEARNERS = {
    "exact": (MAML, {}),
    "first order": (MAML, {"first_order": True}),
    "Reptile": (Reptile, {}),
    "minibatches": (Reptile, {"batch_size": 2}),
    "outer": (MAML, {"source": "outer"}),
    "outer, first order": (MAML, {"source": "outer", "first_order": True}),
}


def apart(learner, batch):
    """Relative distance of the results task by task and direct."""
    found, direct = task_by_task(learner)(batch), learner.meta_gradient(batch)
    return max(relative_error(arrays(found)[k:][:n], arrays(direct)[k:][:n]) for k, n in ((0, -2), (-2, 1), (-1, 1)))


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("name", LEARNERS)
def test_task_by_task_is_the_meta_gradient(name, steps):
    kind, settings = LEARNERS[name]
    learner = build("dense", kind, inner_steps=steps, **settings)
    assert apart(learner, batch_for("dense", tasks=5)) < 1e-10


@pytest.mark.parametrize(("kind", "steps"), [("conv", 2), ("embedding", 1), ("dropout", 2), ("batch norm", 2)])
def test_any_model(kind, steps):
    assert apart(build(kind, inner_steps=steps), batch_for(kind)) < 1e-10


@pytest.mark.parametrize("steps", [1, 4])
def test_weights_in_float32_are_the_direct_ones_to_a_hundred_thousandth(steps):
    keras.utils.set_random_seed(0)
    layers = keras.layers.Dense(40, "relu"), keras.layers.Dense(40, "relu"), keras.layers.Dense(3)
    model = keras.Sequential([keras.Input((2,)), *layers])
    learner = MAML(model, 0.05, steps, power_weights(1))
    learner.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    batch = batch_for("dense", tasks=8)
    labels = [np.random.default_rng(1).integers(0, 3, y.shape[:2]) for y in batch[1::2]]
    batch = TaskBatch(batch.support_x, labels[0], batch.query_x, labels[1])
    found, direct = task_by_task(learner)(batch), learner.meta_gradient(batch)
    assert np.ptp(direct.weights) > 1e-3
    np.testing.assert_allclose(found.weights, direct.weights, rtol=0, atol=1e-5)
    assert relative_error(arrays(found), arrays(direct)) < 1e-5


@pytest.mark.parametrize("name", ["exact", "Reptile", "minibatches"])
def test_scores_come_from_jacobian_vector_products(name, monkeypatch):
    """Once the sum is known no update is formed; a learner whose update is no sum of gradients forms it again."""
    kind, settings = LEARNERS[name]
    used = []
    along = matrix_free.update_along
    monkeypatch.setattr(matrix_free, "update_along", lambda *a: used.append(1) or along(*a))

    def bounded(theta, gradient, inner_lr):
        return [p - inner_lr * tf.tanh(g) for p, g in zip(theta, gradient, strict=True)]

    for rule, expected in ((gradient_descent, [1]), (bounded, [])):
        used.clear()
        learner = build("dense", kind, **settings, inner_rule=rule)
        assert apart(learner, batch_for("dense")) < 1e-10
        assert used == expected  # traced once, for all tasks


def test_a_score_is_the_update_along_the_vector():
    learner, batch = build("batch norm", inner_steps=3), batch_for("batch norm")
    passes, task = Passes(learner), TaskBatch(*(tf.constant(a[0]) for a in batch))
    update = passes.compared(task, ())
    for vector in (update, [tf.ones_like(a) for a in update]):
        expected = sum(np.sum(a.numpy() * v.numpy()) for a, v in zip(update, vector, strict=True))
        np.testing.assert_allclose(passes.score(task, (), vector), expected, rtol=1e-10)


@pytest.mark.parametrize("scale", [1e-165, 1e150])
def test_the_ends_of_the_scale(scale):
    """A linear model at 0, whose updates grow with y: their squares may be out of range, the weights are as ever."""
    weights, batch = [], batch_for("dense")
    for factor in (1.0, scale):
        model = keras.Sequential([keras.Input((2,), dtype="float64"), keras.layers.Dense(1, dtype="float64")])
        model.set_weights([np.zeros((2, 1)), np.zeros(1)])
        learner = compiled(Reptile(model, inner_steps=1, weighting=agreement_weights))
        weights.append(task_by_task(learner)(batch._replace(support_y=factor * batch.support_y)).weights)
    assert np.ptp(weights[0]) > 1e-3
    np.testing.assert_allclose(weights[1], weights[0], rtol=1e-10)


def test_tasks_that_cancel_up_to_rounding_get_uniform_weights():
    """A linear model at 0: on the same points updates go with y, so that they add up to 0 when the y do."""
    model = make("dense")
    for v in model.trainable_variables:
        v.assign(np.zeros(v.shape))
    batch = batch_for("dense", tasks=3)
    batch.support_x[:] = batch.support_x[0]
    batch.support_y[2] = -batch.support_y[0] - batch.support_y[1]
    learner = compiled(MAML(model, weighting=power_weights(1)))
    passes, total = Passes(learner), 0.0
    for i in range(3):
        total += passes.compared(TaskBatch(*(tf.constant(a[i]) for a in batch)), ())[-1].numpy()
    assert 0 < np.abs(total).max() < 1e-15
    assert np.array_equal(task_by_task(learner)(batch).weights, np.full(3, 1 / 3))


def test_nothing_changes():
    learner = build("dropout")
    before = everything(learner)
    task_by_task(learner)(batch_for("dropout"))
    assert same(everything(learner), before)


def test_another_batch_of_the_shape_is_not_traced_again(monkeypatch):
    traced = []
    compare = Passes.compare
    monkeypatch.setattr(Passes, "compare", lambda *a: traced.append(1) or compare(*a))
    meta_gradient = task_by_task(build("dense"))
    for seed in (0, 1):
        meta_gradient(batch_for("dense", seed))
    assert traced == [1]


@pytest.mark.parametrize(
    ("learner", "said"),
    [
        (lambda: MAML(make("dense")), "learner should be a compiled MetaLearner"),
        (lambda: make("dense"), "learner should be a compiled MetaLearner"),
        (lambda: build("dense", weighting=uniform_weights), "learner should have agreement_weights"),
        (lambda: build("dense", weighting=power_weights(-1)), r"agreement_weights.*PowerWeights\(p=-1"),
        (lambda: build("dense", source="losses"), 'should compare "updates" or "outer"'),
    ],
)
def test_other_learners_are_refused(learner, said):
    with pytest.raises(ValueError, match=said):
        task_by_task(learner())


def test_bad_batches_are_refused():
    with pytest.raises(ValueError, match="query_x holds 2 tasks"):
        task_by_task(build("dense"))(batch_for("dense")._replace(query_x=np.ones((2, 4, 2))))
