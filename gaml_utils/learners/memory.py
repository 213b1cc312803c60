"""A memory-augmented network around any Keras model: what it has seen stands in a memory that it reads. Chapter 15."""

import math
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from gaml_utils.checks import check_count, check_flag, check_positive
from gaml_utils.learners.addressing import content_weights, least_used, read, write, write_weights
from gaml_utils.learners.engine.checks import output_shape
from gaml_utils.learners.engine.meta_batch import Learned
from gaml_utils.learners.metric.base import flat
from gaml_utils.learners.without_inner_loop import WithoutInnerLoop
from gaml_utils.networks.normalisation import PACKAGE
from gaml_utils.records import TaskBatch, Weighted

EMPTY = 1e-6  # what a memory starts with: a cosine with a row of 0 would be 0 / 0


class MemoryState(NamedTuple):
    """What a MANN carries from step to step; each with a leading axis, one for each of several futures.

    rows: (n, slots, width). reading: (n, heads, slots). usage: (n, slots). said: (n, heads * width), what was read.
    hidden, cell: of the controller, (n, units).
    """

    rows: tf.Tensor
    reading: tf.Tensor
    usage: tf.Tensor
    said: tf.Tensor
    hidden: tf.Tensor
    cell: tf.Tensor


@keras.saving.register_keras_serializable(PACKAGE)
class MANN(WithoutInnerLoop):
    """A controller, an LSTM, that writes what it sees into a memory, and reads from it what it needs.

    Santoro et al. 2016 (arXiv:1605.06065), equations 2 to 8: it reads by content, and writes to what it read last or to
    what has been used least. model: points -> features, the controller's input.
    It learns by seeing the support points in random order, each with its label; then each query is one more step from
    there, without a label. late=True is the paper's own task: support and query points are one stream in random order,
    a label comes one step late, with the next point, and the outer loss is that of all points of the stream. There
    `accuracies_by_showing` is what tells how it does.
    units: of the controller. slots, width: of the memory. heads: as many read as write. decay: of the usage. strength:
    what cosines are multiplied by before the softmax; 1 in the paper, where all of many rows are read nearly alike.
    Arguments and errors as in WithoutInnerLoop; `ways` stays as it is, since labels are inputs.
    """

    allows_weights = False

    def __init__(
        self,
        model: keras.Model,
        ways: int,
        units: int = 100,
        slots: int = 64,
        width: int = 20,
        heads: int = 2,
        decay: float = 0.95,
        strength: float = 10.0,
        late: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(model, ways, **kwargs)
        self.units, self.slots, self.width, self.heads = units, slots, width, heads
        self.decay, self.strength, self.late = decay, strength, late
        read_out, inputs = heads * width, math.prod(output_shape(model)) + ways + heads * width
        shapes = {
            "controller": (inputs + units, 4 * units),
            "controller_bias": (4 * units,),
            "key": (units, read_out),
            "key_bias": (read_out,),
            "gate": (units, heads),
            "gate_bias": (heads,),
            "answer": (units + read_out, ways),
            "answer_bias": (ways,),
        }
        self.own = {
            name: self.add_weight(shape, "zeros" if len(shape) == 1 else "glorot_uniform", name=name)
            for name, shape in shapes.items()
        }

    def checked_setting(self, name: str, value: Any) -> Any:
        """As MetaLearner.checked_setting."""
        if name in ("ways", "units", "slots", "width", "heads"):
            check_count(name, value, at_least=2 if name == "ways" else 1)
            if getattr(self, name, value) != value:
                raise ValueError(f"{name} should stay as it is: make a new learner for another")
            if name == "heads":
                check_count(name, value, at_most=self.slots, what=" (the slots)")
        if name == "decay" and not (check_positive(name, value) < 1):
            raise ValueError(f"decay should be above 0 and below 1, got {value!r}")
        if name == "late":
            return check_flag(name, value)
        return check_positive(name, value) if name == "strength" else super().checked_setting(name, value)

    @property
    def outer_variables(self) -> list:
        """theta, then the controller's, the heads' and the answer's weights."""
        return [*super().outer_variables, *self.own.values()]

    def weights_of(self, outer: list) -> dict[str, tf.Tensor]:
        """The network's own weights, by name, from tensors like outer_variables."""
        return dict(zip(self.own, outer[len(self.model.trainable_variables) :], strict=True))

    def at_first(self) -> MemoryState:
        """An empty memory; heads start at row 0, which counts as used once."""
        dtype = self.variable_dtype
        row = tf.one_hot([0], self.slots, dtype=dtype)
        zeros = [tf.zeros((1, size), dtype) for size in (self.heads * self.width, self.units, self.units)]
        rows = tf.fill((1, self.slots, self.width), tf.constant(EMPTY, dtype))
        return MemoryState(rows, tf.repeat(row[:, None], self.heads, axis=1), row, *zeros)

    def step(
        self, own: dict[str, tf.Tensor], state: MemoryState, features: tf.Tensor, label: tf.Tensor
    ) -> tuple[tf.Tensor, MemoryState]:
        """One step: scores, (n, ways), and the new state. features: (n, features). label: (n, ways), 0 for none."""
        seen = tf.concat([features, label, state.said, state.hidden], axis=1)
        i, f, o, new = tf.split(tf.matmul(seen, own["controller"]) + own["controller_bias"], 4, axis=1)
        cell = tf.sigmoid(f + 1) * state.cell + tf.sigmoid(i) * tf.tanh(new)
        hidden = tf.sigmoid(o) * tf.tanh(cell)
        key = tf.tanh(tf.matmul(hidden, own["key"]) + own["key_bias"])
        key = tf.reshape(key, (-1, self.heads, self.width))
        gate = tf.sigmoid(tf.matmul(hidden, own["gate"]) + own["gate_bias"])[..., None]
        least = least_used(state.usage, self.heads)
        writing = write_weights(gate, state.reading, least)
        rows = write(state.rows, writing, key, least)
        reading = content_weights(key, rows, self.strength)
        usage = self.decay * state.usage + tf.reduce_sum(reading + writing, axis=1)
        said = tf.reshape(read(reading, rows), (-1, self.heads * self.width))
        scores = tf.matmul(tf.concat([hidden, said], axis=1), own["answer"]) + own["answer_bias"]
        return scores, MemoryState(rows, reading, usage, said, hidden, cell)

    def run(self, outer: list, features: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, MemoryState]:
        """One step for each point: scores, (points, ways), and the state after the last. labels: (points, ways)."""
        own, state, scores = self.weights_of(outer), self.at_first(), []
        for k in range(features.shape[0]):
            now, state = self.step(own, state, features[k : k + 1], labels[k : k + 1])
            scores.append(now)
        return tf.concat(scores, axis=0), state

    def order(self, batch: TaskBatch) -> tf.Tensor:
        """The points of each task in random order, (tasks, points): of the support set, or of the stream."""
        tasks, points = tf.nest.flatten(batch.support_y)[0].shape[:2]
        points += tf.nest.flatten(batch.query_y)[0].shape[1] if self.late else 0
        seed = tf.stack([tf.zeros((), tf.int64), tf.cast(self.optimizer.iterations, tf.int64)])
        return tf.argsort(tf.random.stateless_uniform((tasks, points), seed))

    def learn(
        self, outer: list, x: Any, y: Any, state: list | None = None, order: Any = (), steps: int | None = None
    ) -> Learned:
        """As MetaLearner.learn; memory: the network's state after the support set, and the label that is still to come.

        order: of the points, (points,); () for one that is the same for all tasks. Where `late`, the outer loss needs
        no more than that order.
        """
        state = self.functional.state(0) if state is None else state
        features, seen = self.features(outer, x, state, training=True)
        mine, points = self.members(y, features.dtype), features.shape[0]
        chosen = mixed(points) if isinstance(order, tuple) or self.late else order
        mine = tf.gather(mine, chosen)
        shown = one_late(mine) if self.late else mine
        _, memory = self.run(outer, tf.gather(flat(features), chosen), shown)
        to_come = mine[-1:] if self.late else tf.zeros_like(mine[-1:])
        return Learned((memory, to_come, order), [], self.functional.own_statistics(state, seen, seen))

    def answer(self, outer: list, learned: Learned, x: Any, training: bool = False) -> tf.Tensor:
        """Scores, (queries, ways): each query is one more step from where the support set has led."""
        features, _ = self.features(outer, x, learned.state, training)
        memory, to_come, _ = learned.memory
        queries = features.shape[0]
        each = MemoryState(*(tf.repeat(part, queries, axis=0) for part in memory))
        return self.step(self.weights_of(outer), each, flat(features), tf.repeat(to_come, queries, axis=0))[0]

    def outer_loss(self, outer: list, learned: Learned, task: TaskBatch) -> tuple[tf.Tensor, tf.Tensor]:
        """As MetaLearner.outer_loss; where `late`, the mean loss of all points of the stream."""
        if not self.late:
            return super().outer_loss(outer, learned, task)
        order = learned.memory[2]
        with self.functional.adding_losses() as added:
            scores, y = self.stream(outer, task, learned.state, order)
        queries = task.query_y.shape[0]
        places = tf.argsort(mixed(len(y)) if isinstance(order, tuple) else order)  # where each point stands in it
        return self.functional.mean_loss(y, scores, added), tf.gather(scores, places[-queries:])

    def stream(self, outer: list, task: TaskBatch, state: list, order: Any = ()) -> tuple[tf.Tensor, tf.Tensor]:
        """Support and query points in one stream, labels one step late: scores, (points, ways), and labels, as shown.

        Normalised by the stream's own statistics. Raises ValueError for Weighted labels: a stream has no use for them.
        """
        if isinstance(task.query_y, Weighted):
            raise ValueError("query_y should have no weights where late=True: every point of the stream counts once")
        x = tf.nest.map_structure(lambda *sides: tf.concat(sides, axis=0), task.support_x, task.query_x)
        y = tf.concat([task.support_y, task.query_y], axis=0)
        order = mixed(y.shape[0]) if isinstance(order, tuple) else order
        features, _ = self.features(outer, x, state, training=True)
        y = tf.gather(y, order)
        scores, _ = self.run(outer, tf.gather(flat(features), order), one_late(self.members(y, features.dtype)))
        return scores, y

    def get_config(self) -> dict:
        """For saving: the settings of WithoutInnerLoop, and those of the memory."""
        own = ("units", "slots", "width", "heads", "decay", "strength", "late")
        return super().get_config() | {name: getattr(self, name) for name in own}


def mixed(points: int) -> tf.Tensor:
    """One order for points of any task, which stand class by class otherwise: (points,)."""
    return tf.constant(np.random.default_rng(0).permutation(points))


def one_late(labels: tf.Tensor) -> tf.Tensor:
    """Labels, (points, ways), each one step later; none at the first."""
    return tf.concat([tf.zeros_like(labels[:1]), labels[:-1]], axis=0)
