"""Small float64 Keras models, data for them, and plain loops that the engine of the package is compared with."""

import contextlib

import keras
import numpy as np
import tensorflow as tf

from gaml_utils.networks.normalisation import BatchNormalization, LayerNormalization
from gaml_utils.records import TaskBatch

STOCK = keras.layers


@contextlib.contextmanager
def float64():
    """Layers and models made in here compute in float64."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def unlike_at_the_start(model, seed=0):
    """No trainable variable is left at 0 or 1, so that a forgotten one shows."""
    rng = np.random.default_rng(seed)
    for v in model.trainable_variables:
        v.assign(v.numpy() * 0.8 + rng.normal(0.0, 0.3, v.shape))
    return model


def functional(*layers, shape=(2,), dtype="float64"):
    """A functional model of these layers."""
    x = h = keras.Input(shape, dtype=dtype)
    for layer in layers:
        h = layer(h)
    return keras.Model(x, h)


def norm_model(norm):
    """A model around one normalisation layer.

    What comes before it is not linear: stock layer normalisation right after a dense layer hides its fault, since
    the gradient of those weights leaves the mean of the units alone.
    """
    return functional(keras.layers.Dense(4, "tanh"), norm, keras.layers.Activation("tanh"), keras.layers.Dense(1))


@keras.saving.register_keras_serializable("gaml_tests")
class Subclassed(keras.Model):
    """A dense, normalised model written as a class."""

    def __init__(self, width=4, **kwargs):
        super().__init__(**kwargs)
        self.width, same = width, {"dtype": self.dtype_policy}
        self.first, self.norm = keras.layers.Dense(width, **same), BatchNormalization(**same)
        self.last = keras.layers.Dense(1, **same)

    def call(self, x, training=False):
        return self.last(tf.tanh(self.norm(self.first(x), training=training)))

    def get_config(self):
        return {"width": self.width, "dtype": self.dtype_policy.name}


def subclassed():
    model = Subclassed()
    model(np.zeros((1, 2)))
    return model


def conv_norm():
    return keras.Sequential(
        [
            keras.Input((4, 4, 1), dtype="float64"),
            keras.layers.Conv2D(2, 3),
            BatchNormalization(),
            keras.layers.Activation("tanh"),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )


def conv():
    return keras.Sequential(
        [
            keras.Input((4, 4, 1), dtype="float64"),
            keras.layers.Conv2D(2, 3, activation="tanh"),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )


def embedding():
    layers = keras.layers.Embedding(5, 3), keras.layers.Flatten(), keras.layers.Dense(3, "tanh"), keras.layers.Dense(1)
    return functional(*layers, dtype="int32")


def dropout(rate=0.4):
    return functional(keras.layers.Dense(6, "tanh"), keras.layers.Dropout(rate, seed=3), keras.layers.Dense(1))


def dense():
    return functional(keras.layers.Dense(4, "tanh"), keras.layers.Dense(1))


MODELS = {
    "dense": dense,
    "conv": conv,
    "embedding": embedding,
    "dropout 0": lambda: dropout(0.0),
    "dropout": dropout,
    "batch norm": lambda: norm_model(BatchNormalization()),
    "layer norm": lambda: norm_model(LayerNormalization()),
    "conv, batch norm": conv_norm,
    "subclassed, batch norm": subclassed,
    "stock batch norm": lambda: norm_model(STOCK.BatchNormalization()),
    "stock layer norm": lambda: norm_model(STOCK.LayerNormalization()),
    "stock group norm": lambda: norm_model(STOCK.GroupNormalization(2)),
}


def make(kind, seed=0):
    """One of MODELS, in float64, the same at each call."""
    keras.utils.set_random_seed(seed)
    with float64():
        return unlike_at_the_start(MODELS[kind](), seed)


def batch_for(kind, seed=0, tasks=3, shots=5, queries=4):
    """A meta-batch of noise that one of MODELS can take."""
    rng = np.random.default_rng(seed)

    def x(points):
        if kind == "embedding":
            return rng.integers(0, 5, (tasks, points, 2))
        return rng.normal(size=(tasks, points, *((4, 4, 1) if kind.startswith("conv") else (2,))))

    arrays = []
    for points in (shots, queries):
        arrays += [x(points), rng.normal(size=(tasks, points, 1))]
    return TaskBatch(*arrays)


class Noise:
    """Tasks for as_dataset: batches as batch_for makes them."""

    def sample(self, rng, tasks, shots, queries):
        arrays = [rng.normal(size=(tasks, points, size)) for points in (shots, queries) for size in (2, 1)]
        return TaskBatch(*arrays)


def as_data(batch):
    """The one batch, again and again."""
    return tf.data.Dataset.from_tensors(TaskBatch(*map(tf.constant, batch))).repeat()


def values(variables):
    """Copies of the variables' values."""
    return [v.numpy().copy() for v in variables]


def everything(learner):
    """All that a learner could change, the optimiser and the seeds included."""
    return values([*learner.model.variables, *learner.model.non_trainable_variables, *learner.optimizer.variables])


def mse(prediction, y):
    return tf.reduce_mean(tf.square(prediction - y))


def naive_adapt(model, theta, state, x, y, inner_lr, steps):
    """One task's inner loop, step by step. Returns the adapted parameters and the state after it."""
    for _ in range(steps):
        with tf.GradientTape() as tape:
            tape.watch(theta)
            prediction, state = model.stateless_call(theta, state, x, training=True)
            loss = mse(prediction, y)
        gradient = map(tf.convert_to_tensor, tape.gradient(loss, theta))
        theta = [p - inner_lr * g for p, g in zip(theta, gradient, strict=True)]
    return theta, state


def state_of(model, number):
    """The state task number `number` starts from: a seed's second number is 65,536 apart from task to task."""
    state = [v.numpy() for v in model.non_trainable_variables]
    return [
        tf.constant(s + np.array([0, 65536 * number], s.dtype) if v.path.endswith("seed_generator_state") else s)
        for v, s in zip(model.non_trainable_variables, state, strict=True)
    ]


def naive_task(model, task, inner_lr, steps, first_order=False, number=0):
    """One task's outer gradient, update and query loss, by two tapes."""
    theta, state = [tf.constant(v.numpy()) for v in model.trainable_variables], state_of(model, number)
    sx, sy, qx, qy = map(tf.constant, task)
    with tf.GradientTape() as tape:
        tape.watch(theta)
        adapted, state = naive_adapt(model, theta, state, sx, sy, inner_lr, steps)
        judged = [tf.constant(p.numpy()) for p in adapted] if first_order else adapted
        tape.watch(judged)
        loss = mse(model.stateless_call(judged, state, qx, training=True)[0], qy)
    gradient = [np.array(tf.convert_to_tensor(g)) for g in tape.gradient(loss, judged if first_order else theta)]
    return gradient, [np.array(p - q) for p, q in zip(theta, adapted, strict=True)], float(loss)


def naive_weights(updates, rule):
    """Algorithm 1 pair by pair, or all the same."""
    g = [np.concatenate([np.ravel(a) for a in update]) for update in updates]
    if rule == "uniform":
        return np.full(len(g), 1 / len(g))
    scores = np.array([sum(a @ b for b in g) for a in g])
    return scores / np.abs(scores).sum()


def naive_meta_gradient(model, batch, inner_lr, steps, rule="uniform", first_order=False):
    """Gradient, weights and query losses, one task after the other."""
    numbered = enumerate(zip(*batch, strict=True))
    tasks = [naive_task(model, task, inner_lr, steps, first_order, number) for number, task in numbered]
    gradients, updates, losses = zip(*tasks, strict=True)
    w = naive_weights(updates, rule)
    total = [sum(w_i * g for w_i, g in zip(w, layer, strict=True)) for layer in zip(*gradients, strict=True)]
    return total, w, np.array(losses)


def outer_objective(model, batch, inner_lr, steps, w):
    """sum_i w_i L_i(theta'_i) as a function of a list of arrays; first derivatives only."""
    state = [tf.constant(v.numpy()) for v in model.non_trainable_variables]

    tasks = [[tf.constant(a) for a in task] for task in zip(*batch, strict=True)]

    @tf.function(autograph=False)
    def objective(theta):
        total = 0.0
        for w_i, task in zip(w, tasks, strict=True):
            adapted, after = naive_adapt(model, theta, state, *task[:2], inner_lr, steps)
            total += w_i * mse(model.stateless_call(adapted, after, task[2], training=True)[0], task[3])
        return total

    return lambda arrays: float(objective([tf.constant(a) for a in arrays]))


def tanh_net(units=5, before=(), after=()):
    """1 -> units -> 1 in float64; before, after: makers of layers that stand before and behind the hidden one."""
    keras.utils.set_random_seed(1)
    with float64():
        hidden = keras.layers.Dense(units, "tanh", name="hidden")
        layers = [*(make() for make in before), hidden, *(make() for make in after)]
        return functional(*layers, keras.layers.Dense(1, name="last"), shape=(1,))
