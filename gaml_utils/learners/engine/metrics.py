"""What a learner reports while it trains: losses before and after adaptation, and what the weights are doing."""

from typing import Any

import keras
import tensorflow as tf

from gaml_utils.learners.engine.meta_batch import TaskResult, flat
from gaml_utils.weighting.arrays import row_sums

REPORTED = ("loss_before", "loss", "smallest_weight", "negative_weights", "cosine_to_mean")
DIAGNOSTICS = ("loss_before", "cosine_to_mean")  # of these, what a step does not know anyway


def as_metric(metric: Any) -> keras.metrics.Metric:
    """A Keras metric from a metric, a name or a function; "accuracy" goes by shapes, as in keras.Model.compile."""
    if metric in ("accuracy", "acc"):
        return keras.metrics.MeanMetricWrapper(accuracy, name=metric)
    metric = keras.metrics.get(metric)
    if isinstance(metric, keras.metrics.Metric):
        return metric
    return keras.metrics.MeanMetricWrapper(metric, name=getattr(metric, "__name__", "metric"))


def accuracy(y: tf.Tensor, prediction: tf.Tensor) -> tf.Tensor:
    """Binary for one output, sparse categorical for labels, categorical otherwise: for each point, (points,)."""
    if prediction.shape[-1] == 1:
        return keras.metrics.binary_accuracy(y, prediction)
    if len(y.shape) < len(prediction.shape) or y.shape[-1] == 1:
        return keras.metrics.sparse_categorical_accuracy(y, prediction)
    return keras.metrics.categorical_accuracy(y, prediction)


def cosines_to_mean(g: tf.Tensor, workers: Any) -> tf.Tensor:
    """Cosine of each update, (own tasks, parameters), to the mean update of all workers: (tasks,)."""
    mean = workers.add_up(tf.reduce_mean(g, axis=0)) / workers.count
    scores, lengths = workers.join((tf.linalg.matvec(g, mean), row_sums(tf.experimental.numpy, g * g)))
    mean_squared = tf.reduce_mean(scores)  # mean . mean, since scores_i = g_i . mean
    return tf.math.divide_no_nan(scores, tf.sqrt(lengths * mean_squared))


class Reported(keras.metrics.Metric):
    """The means of REPORTED over the meta-batches seen: one vector, so that a step pays for one metric, not five.

    diagnostics: False leaves out DIAGNOSTICS.
    """

    def __init__(self, diagnostics: bool = True, name: str = "reported", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.diagnostics = diagnostics
        self.names = [n for n in REPORTED if diagnostics or n not in DIAGNOSTICS]
        self.totals = self.add_variable((len(self.names) + 1,), "zeros", name="totals")  # the last counts

    def update_state(self, before: tf.Tensor, result: TaskResult, w: tf.Tensor, workers: Any) -> None:
        """One meta-batch; before: each task's query loss at theta, (tasks,), read for DIAGNOSTICS alone.

        before, w and result.query_loss: of all workers' tasks. result.update: of this worker's.
        """
        loss = tf.reduce_mean(result.query_loss)
        values = [loss, tf.reduce_min(w), tf.reduce_mean(tf.cast(w < 0, w.dtype))]
        if self.diagnostics:
            cosine = tf.reduce_mean(cosines_to_mean(flat(result.update), workers))
            values = [tf.reduce_mean(before), *values, cosine]
        self.totals.assign_add(tf.stack([tf.cast(v, self.totals.dtype) for v in (*values, tf.ones_like(loss))]))

    def result(self) -> dict:
        """A mean for each name."""
        *totals, count = tf.unstack(tf.convert_to_tensor(self.totals))
        return {name: tf.math.divide_no_nan(total, count) for name, total in zip(self.names, totals, strict=True)}
