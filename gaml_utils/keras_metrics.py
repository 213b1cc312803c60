"""What a learner reports while it trains: losses before and after adaptation, and what the weights are doing."""

from typing import Any

import keras
import tensorflow as tf

from gaml_utils.keras_engine import TaskResult, flat

REPORTED = ("loss_before", "loss", "smallest_weight", "negative_weights", "cosine_to_mean")


def as_metric(metric: Any, loss: Any) -> keras.metrics.Metric:
    """A Keras metric from a metric, a name or a function; "accuracy" is the one that goes with the loss."""
    if metric in ("accuracy", "acc"):
        kind = str(getattr(loss, "name", getattr(loss, "__name__", loss)))
        kinds = {"sparse": keras.metrics.SparseCategoricalAccuracy, "binary": keras.metrics.BinaryAccuracy}
        fitting = next((k for word, k in kinds.items() if kind.startswith(word)), keras.metrics.CategoricalAccuracy)
        return fitting(name="accuracy")
    metric = keras.metrics.get(metric)
    if isinstance(metric, keras.metrics.Metric):
        return metric
    return keras.metrics.MeanMetricWrapper(metric, name=metric.__name__)


def reported(before: tf.Tensor, result: TaskResult, w: tf.Tensor) -> tuple:
    """The values of REPORTED for one meta-batch; before: each task's query loss at theta, (tasks,)."""
    g = flat(result.update)
    mean = tf.reduce_mean(g, axis=0)
    cosine = tf.math.divide_no_nan(tf.linalg.matvec(g, mean), tf.norm(g, axis=1) * tf.norm(mean))
    return before, result.query_loss, tf.reduce_min(w), tf.reduce_mean(tf.cast(w < 0, g.dtype)), cosine
