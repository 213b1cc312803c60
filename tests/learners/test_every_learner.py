"""What every learner keeps, over the list of their names, and two toys that learn in ways of their own.

A learner that is added to LEARNERS is tested here without a line of its own.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.learners import LEARNERS, MetaLearner, as_dataset, episode_accuracies, task_by_task
from gaml_utils.learners.engine.meta_batch import Learned
from gaml_utils.learners.maml import MAML
from gaml_utils.learners.without_inner_loop import WithoutInnerLoop
from gaml_utils.networks import Context
from gaml_utils.records import TaskBatch
from gaml_utils.tasks import SineTasks
from gaml_utils.weighting.agreement import agreement_weights
from tests.support.keras_learners import arrays
from tests.support.keras_models import everything, float64, functional
from tests.support.plain_formulas import relative_error, same


@keras.saving.register_keras_serializable("gaml_tests")
class WithRates(MAML):
    """Meta-SGD in small: a learned step size for every parameter."""

    def __init__(self, model, *args, **kwargs):
        super().__init__(model, *args, **kwargs)
        start = keras.initializers.Constant(0.05)
        self.rates = [
            self.add_weight(v.shape, start, name=f"rate_{k}") for k, v in enumerate(model.trainable_variables)
        ]

    @property
    def outer_variables(self):
        return [*super().outer_variables, *self.rates]

    def inner_rates(self, outer):
        return outer[-len(self.rates) :]


@keras.saving.register_keras_serializable("gaml_tests")
class ToMeans(MetaLearner):
    """A prototypical network in small: no inner loop. Outputs are minus squared distances to the classes' means."""

    ways = 3

    def learn(self, outer, x, y, state=None, order=(), steps=None):
        state = self.functional.state(0) if state is None else state
        features, _ = self.functional.predict(outer, x, state)
        mine = tf.one_hot(tf.cast(y, tf.int32), self.ways, dtype=features.dtype)
        means = tf.linalg.matmul(mine, features, transpose_a=True) / tf.reduce_sum(mine, axis=0)[:, None]
        return Learned(means, [], self.functional.statistics(outer, x, state))

    def answer(self, outer, learned, x, training=False):
        features, _ = self.functional.predict(outer, x, learned.state, training)
        return -tf.reduce_sum((features[:, None] - learned.memory) ** 2, axis=-1)


class Blobs:
    """Points around a centre for each class, in the order of the classes: (tasks, ways * points, 2) and labels.

    few: two classes of one point, where each point of a support set takes a step of the learner's.
    """

    def __init__(self, few=False):
        self.ways, self.sizes = (2, (1, 1)) if few else (3, (2, 1))

    def sample(self, rng, tasks, shots, queries):
        ways = self.ways
        centres = rng.normal(size=(tasks, ways, 1, 2))
        x = [centres + 0.3 * rng.normal(size=(tasks, ways, n, 2)) for n in (shots, queries)]
        x = [np.reshape(points, (tasks, -1, 2)) for points in x]
        y = [np.tile(np.repeat(np.arange(ways), n), (tasks, 1)) for n in (shots, queries)]
        return TaskBatch(x[0], y[0], x[1], y[1])


def network(outputs=1, features=1, first=()):
    with float64():
        layers = [
            *(make() for make in first),
            keras.layers.Dense(6, "tanh", use_bias=False),
            keras.layers.Dense(outputs),
        ]
        return functional(*layers, shape=(features,))


IN_CONTEXT = {"CAML": [lambda: Context(2)]}  # layers that a learner needs
SETTINGS = {  # that a learner needs
    "ADML": lambda: {"input_range": (-5.0, 5.0)},
    "relation": lambda: {"relation": network(1, 4)},
    "MIL": lambda: {"actions": 1},
    "MANN": lambda: {"units": 5, "slots": 8, "width": 4, "decay": 0.9},
}
OUTPUTS = {"MIL": 2}  # the inner head's among them
FEW = ("MANN",)  # learners that take their points step by step
MODELS = ("model", "relation")  # of a configuration: what is in them is compared by their variables
TWO_SUMS = ("TAML",)  # learners with a second weighted sum


@keras.saving.register_keras_serializable("gaml_tests")
def of_scores(y, scores):
    """Cross-entropy in the scores' own precision."""
    return keras.losses.sparse_categorical_crossentropy(y, scores, from_logits=True)


def classifies(make):
    return isinstance(make, type) and issubclass(make, WithoutInnerLoop)


KINDS = {
    name: (make, of_scores, Blobs(name in FEW)) if classifies(make) else (make, "mse", SineTasks())
    for name, make in LEARNERS.items()
} | {
    "a toy with rates": (WithRates, "mse", SineTasks()),
    "a toy that compares": (ToMeans, of_scores, Blobs()),
}
# Without an inner loop there are no updates, and TaskResult has the directions in their place: one source.
SOURCES = {kind: ("outer",) if classifies(make) else ("updates", "outer") for kind, (make, *_) in KINDS.items()}
each_source = pytest.mark.parametrize(("kind", "source"), [(k, s) for k, names in SOURCES.items() for s in names])
any_source = pytest.mark.parametrize(
    ("kind", "source"), [(k, s) for k, names in SOURCES.items() for s in (*names, "losses")]
)
every_learner = pytest.mark.parametrize("kind", KINDS)


def build(kind, diagnostics=True, **settings):
    make, loss, tasks = KINDS[kind]
    keras.utils.set_random_seed(1)
    model = network(OUTPUTS.get(kind, 1), first=IN_CONTEXT.get(kind, ())) if loss == "mse" else network(2, 2)
    needed = SETTINGS.get(kind, dict)() | ({"ways": tasks.ways} if classifies(make) else {})
    learner = make(model, **{"weighting": agreement_weights} | needed | settings)
    learner.compile(keras.optimizers.Adam(0.02), loss, diagnostics=diagnostics)
    return learner, tasks


@keras.saving.register_keras_serializable("gaml_tests")
def by_loss(losses):
    """Each task by its share of the losses, which come as a matrix of one column."""
    return losses[:, 0] / tf.reduce_sum(losses)


def in_one_order(learner):
    """One that sees its points in random order sees them in one order, where two computations are compared."""
    if "order" not in learner.setting_names():  # TAML means something else by it
        learner.order = lambda batch: ()
    return learner


def sizes(tasks):
    """Shots and queries; of each class, where there are classes."""
    return getattr(tasks, "sizes", (5, 6))


def batch_of(tasks, seed=0, number=4):
    return tasks.sample(np.random.default_rng(seed), number, *sizes(tasks))


def data(tasks):
    return as_dataset(tasks, 4, *sizes(tasks), dtype="float64")


@each_source
def test_it_trains_and_every_outer_variable_moves(kind, source):
    learner, tasks = build(kind, diagnostics=source == SOURCES[kind][0], source=source)
    trains(learner, tasks)


def trains(learner, tasks):
    """What is reported is finite, and every outer variable moves."""
    before = [v.numpy() for v in learner.outer_variables]
    history = learner.fit(data(tasks), steps_per_epoch=3, verbose=0).history
    assert all(np.isfinite(v).all() for v in history.values())
    assert all(np.abs(v.numpy() - b).max() > 0 for v, b in zip(learner.outer_variables, before, strict=True))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in TWO_SUMS])
def test_its_direction_is_the_weighted_sum_of_the_tasks(kind):
    """With weights given: each task alone, weight 1, then by hand."""
    given = np.array([0.4, -0.3, 0.2, 0.1])
    learner, tasks = build(kind, weighting=lambda g: tf.constant(given))
    batch, alone = batch_of(tasks), build(kind)[0]
    in_one_order(learner), in_one_order(alone)
    by_hand = [np.zeros(v.shape) for v in learner.outer_variables]
    for i, w in enumerate(given):
        one = alone.meta_gradient(TaskBatch(*(a[i : i + 1] for a in batch))).gradient
        by_hand = [total + w * np.array(g) for total, g in zip(by_hand, one, strict=True)]
    assert relative_error([np.array(g) for g in learner.meta_gradient(batch).gradient], by_hand) < 1e-10


@any_source
def test_its_meta_gradient_is_that_of_its_tasks_one_by_one_and_evaluate_weighs_as_it_does(kind, source):
    """`evaluate` is `answers`, task by task, and says the smallest weight: this model has no state to differ."""
    settings = {"source": source} | ({"weighting": by_loss} if source == "losses" else {})
    learner, tasks = build(kind, diagnostics=source == SOURCES[kind][0], **settings)
    batch, before = batch_of(tasks), everything(learner)
    loss = keras.losses.get(KINDS[kind][1])
    losses = [
        np.mean(loss(batch.query_y[i], learner.answers(batch.support_x[i], batch.support_y[i], batch.query_x[i])))
        for i in range(4)
    ]
    reported = learner.evaluate(tf.data.Dataset.from_tensors(batch), verbose=0, return_dict=True)
    result = in_one_order(learner).meta_gradient(batch)
    assert same(everything(learner), before)
    assert [g.shape for g in result.gradient] == [v.shape for v in learner.outer_variables]
    assert result.weights.shape == result.query_losses.shape == (4,)
    np.testing.assert_allclose(reported["loss"], np.mean(losses), rtol=1e-5)
    np.testing.assert_allclose(reported["smallest_weight"], np.min(result.weights), rtol=1e-5, atol=1e-7)
    if source != "losses":
        assert relative_error(arrays(task_by_task(learner)(batch)), arrays(result)) < 1e-9
    else:
        np.testing.assert_allclose(result.weights, result.query_losses / np.sum(result.query_losses), rtol=1e-12)


@every_learner
def test_each_query_is_answered_alone(kind):
    learner, tasks = build(kind)
    sx, sy, qx, _ = (a[0] for a in batch_of(tasks))
    together = learner.answers(sx, sy, qx)
    alone = np.concatenate([learner.answers(sx, sy, qx[k : k + 1]) for k in range(len(qx))])
    np.testing.assert_allclose(together, alone, rtol=1e-12)


@every_learner
def test_it_trains_and_is_the_same_when_saved_and_loaded(kind, tmp_path):
    learner, tasks = build(kind, diagnostics=False, source="losses")
    trains(learner, tasks)
    learner.save(tmp_path / "learner.keras")
    again = keras.models.load_model(tmp_path / "learner.keras")
    ours, theirs = ({k: v for k, v in one.get_config().items() if k not in MODELS} for one in (learner, again))
    assert ours == theirs
    assert same(everything(again), everything(learner))
    for one in (learner, again):  # and the optimiser's state came along
        one.fit(data(tasks), steps_per_epoch=2, verbose=0)
    # Two compiled graphs may add in two orders: seen to differ by 2e-18, on a busy machine. A step is about 0.01.
    for ours, theirs in zip(again.outer_variables, learner.outer_variables, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def test_a_toy_without_parameters_of_a_task_says_what_to_call_instead_of_adapt():
    learner, tasks = build("a toy that compares")
    sx, sy, _, _ = (a[0] for a in batch_of(tasks))
    with pytest.raises(ValueError, match="ToMeans adapts no parameters: call answers"):
        learner.adapt(sx, sy)


def test_a_toy_that_compares_gets_better_and_is_scored_like_any_other():
    learner, tasks = build("a toy that compares")
    batch = batch_of(tasks, number=40)
    before = episode_accuracies(learner, batch)
    learner.fit(data(tasks), steps_per_epoch=60, verbose=0)
    after = episode_accuracies(learner, batch)
    assert before.shape == after.shape == (40,)
    assert after.mean() > max(0.5, before.mean() - 0.02)  # chance is a third


def test_a_loss_in_float32_serves_a_model_in_float64():
    """What Keras's losses are by default."""
    _, tasks = build("a toy that compares")
    learner = ToMeans(network(2, 2), weighting=agreement_weights)
    learner.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = learner.fit(data(tasks), steps_per_epoch=2, validation_data=data(tasks), validation_steps=1, verbose=0)
    assert np.isfinite(history.history["val_loss"]).all()


def test_rates_that_nothing_would_train_are_refused():
    class Forgotten(WithRates):
        @property
        def outer_variables(self):
            return list(self.model.trainable_variables)

    with pytest.raises(ValueError, match="outer_variables should hold every trainable variable.*rate_0"):
        Forgotten(network()).compile()


def test_the_rates_gradient_is_that_of_central_differences():
    """First order too: stopping the inner gradients leaves what the rates do exact."""
    learner, tasks = build("a toy with rates", weighting=lambda g: tf.ones(g.shape[0], g.dtype) / g.shape[0])
    batch = batch_of(tasks)
    slopes = learner.meta_gradient(batch).gradient[-len(learner.rates) :]
    for rate, slope in zip(learner.rates, slopes, strict=True):
        start, h = rate.numpy(), 1e-6
        ends = []
        for sign in (1, -1):
            rate.assign(start + sign * h)
            ends.append(np.mean(learner.meta_gradient(batch).query_losses))
        rate.assign(start)
        np.testing.assert_allclose(np.sum(slope), (ends[0] - ends[1]) / (2 * h), rtol=1e-5, atol=1e-9)
    learner.first_order = True
    learner.compile(loss="mse")
    first_order = learner.meta_gradient(batch).gradient[-len(learner.rates) :]
    assert relative_error([np.array(g) for g in first_order], [np.array(s) for s in slopes]) < 1e-12
