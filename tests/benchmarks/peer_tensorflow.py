"""TensorFlow's contenders: ours through the public API of gaml_utils.learners, and TensorFlow written by hand."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from peer_problems import BLOCKS, EPSILON, SIDE, SIZES, WAYS, Contender, Problem, repeat

from gaml_utils.learners.data import as_dataset
from gaml_utils.learners.maml import MAML
from gaml_utils.memory import keep_freed_memory
from gaml_utils.networks.normalisation import BatchNormalization
from gaml_utils.records import TaskBatch
from gaml_utils.weighting.agreement import agreement_weights, uniform_weights
from gaml_utils.weighting.powers import power_weights

keep_freed_memory()  # for TensorFlow by hand too: `compile` does it for ours

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)


# ---- ours ----
def keras_model(problem: Problem) -> keras.Model:
    """The network of the workload, as a reader would write it."""
    keras.config.set_dtype_policy(problem.dtype)
    layers = keras.layers
    if problem.conv:
        pool, blocks = problem.family == "pool", [layers.Input((SIDE, SIDE, 1), dtype=problem.dtype)]
        for _ in range(BLOCKS):
            blocks.append(layers.Conv2D(problem.filters, 3, 1 if pool else 2, padding="same", use_bias=False))
            blocks += [BatchNormalization(epsilon=EPSILON), layers.ReLU(), *([layers.MaxPooling2D()] if pool else [])]
        model = keras.Sequential([*blocks, layers.Flatten(), layers.Dense(WAYS)])
    else:
        hidden = [layers.Dense(size, activation="relu") for size in SIZES[1:-1]]
        model = keras.Sequential([layers.Input((SIZES[0],), dtype=problem.dtype), *hidden, layers.Dense(SIZES[-1])])
    for variable, value in zip(model.trainable_variables, problem.theta(), strict=True):
        variable.assign(value)
    return model


def outer_optimizer(problem: Problem) -> keras.optimizers.Optimizer:
    """Adam; for the check, a plain step of size 1."""
    return keras.optimizers.SGD(1.0) if problem.check else keras.optimizers.Adam(1e-3)


def learner(problem: Problem, weighting: Callable = uniform_weights, source: str = "updates", **compiled: Any) -> MAML:
    """MAML around the network, compiled."""
    maml = MAML(keras_model(problem), problem.inner_lr, problem.steps, weighting, source=source)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype=problem.dtype) if problem.conv else "mse"
    maml.compile(outer_optimizer(problem), loss, **compiled)
    return maml


def tensors(problem: Problem) -> list[TaskBatch]:
    """The meta-batches as tensors."""
    return [TaskBatch(*map(tf.convert_to_tensor, batch)) for batch in problem.batches()]


def theta_of(maml: MAML) -> Callable:
    """The learner's parameters as arrays."""
    return lambda: [v.numpy() for v in maml.model.trainable_variables]


def outer_step(maml: MAML) -> Callable:
    """The bare step: an outer step, and no metrics."""

    def step(batch: TaskBatch) -> None:
        maml.outer_step(batch)

    return step


def ours(
    problem: Problem, weighting: Callable = uniform_weights, jit_compile: bool = False, source: str = "updates"
) -> Contender:
    """An outer step a call."""
    maml = learner(problem, weighting, source, jit_compile=jit_compile)
    step = tf.function(outer_step(maml), jit_compile=jit_compile)
    return Contender(repeat(step, tensors(problem)), theta_of(maml))


def ours_agreement(problem: Problem) -> Contender:
    """With the weights of gradient agreement."""
    return ours(problem, agreement_weights)


def ours_outer(problem: Problem) -> Contender:
    """Agreement of the outer gradients."""
    return ours(problem, agreement_weights, source="outer")


def ours_power(problem: Problem) -> Contender:
    """With K^-1 1 for weights, of the outer gradients: of the updates a training may diverge (chapter 11)."""
    return ours(problem, power_weights(-1), source="outer")


def ours_xla(problem: Problem) -> Contender:
    """Compiled by XLA."""
    return ours(problem, jit_compile=True)


def ours_several(
    problem: Problem, weighting: Callable = uniform_weights, jit_compile: bool = False, source: str = "updates"
) -> Contender:
    """Several outer steps a call."""
    maml = learner(problem, weighting, source, jit_compile=jit_compile)
    many = steps_in_one_call(outer_step(maml), jit_compile)
    return Contender(repeat(many, stacks(problem)), theta_of(maml), problem.several)


def ours_several_xla(problem: Problem) -> Contender:
    """Several outer steps a call, compiled by XLA."""
    return ours_several(problem, jit_compile=True)


def ours_several_xla_agreement(problem: Problem) -> Contender:
    """The same with the weights of gradient agreement."""
    return ours_several(problem, agreement_weights, jit_compile=True)


def ours_several_xla_outer(problem: Problem) -> Contender:
    """The same with agreement of the outer gradients."""
    return ours_several(problem, agreement_weights, jit_compile=True, source="outer")


def ours_several_xla_power(problem: Problem) -> Contender:
    """The same with K^-1 1 for weights."""
    return ours_several(problem, power_weights(-1), jit_compile=True, source="outer")


def ours_fit(problem: Problem, drawn_together: int = 1, **compiled: Any) -> Contender:
    """`fit`, as a reader calls it: data drawn on the way, metrics, and the bar."""
    maml = learner(problem, **compiled)
    if problem.check:
        data = tf.data.Dataset.from_tensors(tensors(problem)[0]).repeat()
    else:
        data = as_dataset(problem.source, problem.tasks, *problem.points, drawn_together=drawn_together)

    def run(turn: Callable) -> None:
        after = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: turn())
        maml.fit(data, epochs=10**6, steps_per_epoch=1000, callbacks=[after])

    return Contender(run, theta_of(maml), maml.steps_per_execution)


def ours_fit_lean(problem: Problem) -> Contender:
    """`fit` without diagnostics: no loss before adaptation, no cosine."""
    return ours_fit(problem, diagnostics=False)


def ours_fit_several(problem: Problem) -> Contender:
    """`fit` with several steps an execution, compiled by XLA."""
    return ours_fit(problem, steps_per_execution=problem.several, jit_compile=True)


def ours_fit_lean_several(problem: Problem) -> Contender:
    """The same without diagnostics, its meta-batches drawn 32 at a time."""
    return ours_fit(problem, 32, steps_per_execution=problem.several, jit_compile=True, diagnostics=False)


# ---- several steps a call, for ours and by hand ----
def stacks(problem: Problem) -> list[TaskBatch]:
    """All meta-batches of a call, one after the other along a new first axis."""
    return [TaskBatch(*(tf.stack(parts[: problem.several]) for parts in zip(*tensors(problem), strict=True)))]


def steps_in_one_call(step: Callable, jit_compile: bool) -> Callable:
    """A loop over the meta-batches of a stack, within the graph."""

    @tf.function(jit_compile=jit_compile)
    def many(stack: TaskBatch) -> None:
        for n in tf.range(stack.support_x.shape[0]):
            step(TaskBatch(*(part[n] for part in stack)))

    return many


# ---- TensorFlow by hand ----
class ByHand:
    """Exact MAML for this one network: variables, both tapes in the function of a task, fused Adam. No Keras."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.variables = [tf.Variable(p) for p in problem.theta()]
        self.mean = [tf.Variable(tf.zeros_like(v)) for v in self.variables]
        self.square = [tf.Variable(tf.zeros_like(v)) for v in self.variables]
        self.powers = [tf.Variable(0.9, dtype=problem.dtype), tf.Variable(0.999, dtype=problem.dtype)]

    def theta(self) -> list[np.ndarray]:
        """As arrays."""
        return [v.numpy() for v in self.variables]

    def network(self, theta: list, x: tf.Tensor) -> tf.Tensor:
        """Outputs of one task's points."""
        if not self.problem.conv:
            for W, b in zip(theta[:-2:2], theta[1:-2:2], strict=True):
                x = tf.nn.relu(tf.nn.bias_add(tf.matmul(x, W), b))
            return tf.matmul(x, theta[-2]) + theta[-1]
        pool = self.problem.family == "pool"
        for k in range(0, 3 * BLOCKS, 3):
            x = tf.nn.conv2d(x, theta[k], 1 if pool else 2, "SAME")
            mean = tf.reduce_mean(x, (0, 1, 2))
            variance = tf.reduce_mean(tf.square(x - mean), (0, 1, 2))
            x = tf.nn.relu((x - mean) * (tf.math.rsqrt(variance + EPSILON) * theta[k + 1]) + theta[k + 2])
            x = tf.nn.max_pool2d(x, 2, 2, "VALID") if pool else x
        return tf.matmul(tf.reshape(x, (x.shape[0], -1)), theta[-2]) + theta[-1]

    def loss(self, theta: list, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """Mean squared error, or cross entropy."""
        out = self.network(theta, x)
        if self.problem.conv:
            return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, out))
        return tf.reduce_mean(tf.square(out - y))

    def adapt(self, theta: list, x: tf.Tensor, y: tf.Tensor) -> list:
        """The inner loop of one task."""
        for _ in range(self.problem.steps):
            with tf.GradientTape() as tape:
                tape.watch(theta)
                loss = self.loss(theta, x, y)
            theta = [p - self.problem.inner_lr * g for p, g in zip(theta, tape.gradient(loss, theta), strict=True)]
        return theta

    def task_gradient(self, theta: list, task: tuple) -> list:
        """The meta-gradient of one task."""
        with tf.GradientTape() as tape:
            tape.watch(theta)
            query = self.loss(self.adapt(theta, *task[:2]), *task[2:])
        return tape.gradient(query, theta)

    def step(self, batch: TaskBatch) -> None:
        """One outer step: all tasks at once for dense layers, one after the other for convolutions."""
        theta = [tf.convert_to_tensor(v) for v in self.variables]
        if self.problem.conv:
            each = [self.task_gradient(theta, [part[i] for part in batch]) for i in range(self.problem.tasks)]
            gradient = [tf.add_n(parts) / self.problem.tasks for parts in zip(*each, strict=True)]
        else:
            each = tf.vectorized_map(lambda task: self.task_gradient(theta, task), tuple(batch))
            gradient = [tf.reduce_mean(g, 0) for g in each]
        self.descend(gradient)

    def descend(self, gradient: list) -> None:
        """Adam by TensorFlow's own kernel; for the check, a plain step of size 1."""
        if self.problem.check:
            for variable, g in zip(self.variables, gradient, strict=True):
                variable.assign_sub(g)
            return
        rate, one, two, epsilon = 1e-3, 0.9, 0.999, 1e-7
        for v, m, s, g in zip(self.variables, self.mean, self.square, gradient, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=v.handle,
                m=m.handle,
                v=s.handle,
                beta1_power=self.powers[0],
                beta2_power=self.powers[1],
                lr=rate,
                beta1=one,
                beta2=two,
                epsilon=epsilon,
                grad=g,
            )
        for power, beta in zip(self.powers, (one, two), strict=True):
            power.assign(power * beta)


class ByHandXla(ByHand):
    """The same with Adam written out, since XLA fuses that itself and one vector serves all parameters."""

    def descend(self, gradient: list) -> None:
        """Adam in elementary operations."""
        if self.problem.check:
            return super().descend(gradient)
        rate = 1e-3 * tf.sqrt(1 - self.powers[1]) / (1 - self.powers[0])
        for v, m, s, g in zip(self.variables, self.mean, self.square, gradient, strict=True):
            m.assign(0.9 * m + 0.1 * g)
            s.assign(0.999 * s + 0.001 * g * g)
            v.assign_sub(rate * m / (tf.sqrt(s) + 1e-7))
        for power, beta in zip(self.powers, (0.9, 0.999), strict=True):
            power.assign(power * beta)


def by_hand(problem: Problem) -> Contender:
    """A step a call."""
    maml = ByHand(problem)
    return Contender(repeat(tf.function(maml.step), tensors(problem)), maml.theta)


def by_hand_xla(problem: Problem) -> Contender:
    """A step a call, compiled by XLA."""
    maml = ByHandXla(problem)
    return Contender(repeat(tf.function(maml.step, jit_compile=True), tensors(problem)), maml.theta)


def by_hand_several(problem: Problem) -> Contender:
    """Several steps a call."""
    maml = ByHand(problem)
    return Contender(repeat(steps_in_one_call(maml.step, False), stacks(problem)), maml.theta, problem.several)


def by_hand_several_xla(problem: Problem) -> Contender:
    """Several steps a call, compiled by XLA."""
    maml = ByHandXla(problem)
    return Contender(repeat(steps_in_one_call(maml.step, True), stacks(problem)), maml.theta, problem.several)


def matrix_product(problem: Problem) -> Contender:
    """The arithmetic limit: large matrix products, as steps of the workload's size. 2048 x 2048 is 17180 megaflops."""
    a, b = (tf.random.stateless_normal((2048, 2048), (0, seed)) for seed in (0, 1))
    return Contender(repeat(tf.function(lambda _: tf.matmul(a, b)), [a]), list)


# ---- what all are compared with ----
def reference(problem: Problem) -> dict:
    """Meta-gradients by an eager loop over the tasks, and how far central differences of the mean are.

    Weighted uniformly, by agreement of the updates and of the outer gradients, and by power_weights(-1) of the latter.
    Differences of the outer objective itself, along three directions: they share no fault of automatic differentiation.
    The objective jumps where a ReLU of the support set turns on, so a step may be too long: the best of three counts.
    """
    maml = ByHand(problem)
    theta, batch = [tf.convert_to_tensor(v) for v in maml.variables], tensors(problem)[0]
    tasks = [[part[i] for part in batch] for i in range(problem.tasks)]
    gradients = [maml.task_gradient(theta, task) for task in tasks]
    updates = [[p - q for p, q in zip(theta, maml.adapt(theta, *task[:2]), strict=True)] for task in tasks]
    flat, outer = (
        np.array([np.concatenate([a.numpy().ravel() for a in parts]) for parts in vectors])
        for vectors in (updates, gradients)
    )
    weights = {
        "uniform": uniform_weights(flat),
        "agreement": agreement_weights(flat),
        "outer": agreement_weights(outer),
        "power": power_weights(-1)(outer),
    }
    found = {
        name: [sum(wi * g[k].numpy() for wi, g in zip(w, gradients, strict=True)).tolist() for k in range(len(theta))]
        for name, w in weights.items()
    }

    def objective(t: list) -> float:
        return float(np.mean([maml.loss(maml.adapt(t, *task[:2]), *task[2:]).numpy() for task in tasks]))

    rng, worst = np.random.default_rng(2), 0.0
    for _ in range(3):
        direction = [rng.normal(size=p.shape) * (np.abs(p).mean() + 0.01) for p in theta]
        slope = sum(np.sum(np.array(g) * d) for g, d in zip(found["uniform"], direction, strict=True))
        errors = []
        for h in (1e-6, 1e-7, 1e-8):
            ahead, back = (objective([p + s * d for p, d in zip(theta, direction, strict=True)]) for s in (h, -h))
            errors.append(abs((ahead - back) / (2 * h) - slope) / abs(slope))
        worst = max(worst, min(errors))
    return found | {"central differences": worst}
