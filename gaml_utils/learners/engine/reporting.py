"""What a learner says after each meta-batch: the bar of `fit`, and what `evaluate` returns."""

import tensorflow as tf

from gaml_utils.learners.engine.meta_batch import TaskResult
from gaml_utils.learners.engine.metrics import Reported
from gaml_utils.learners.engine.saving import SavedLearner
from gaml_utils.records import TaskBatch, Weighted


class ReportingLearner(SavedLearner):
    """A learner as a keras.Model that reports. EpisodicModel stands on it."""

    has_inner_loop: bool
    reported: Reported  # what `compile` sets, as task_metrics
    task_metrics: list

    @property
    def looks_before(self) -> bool:
        """Is the loss before adaptation reported, and another one than that after it?"""
        return self.has_inner_loop and self.reported.diagnostics

    def report(self, batch: TaskBatch, before: tf.Tensor, result: TaskResult, w: tf.Tensor) -> dict:
        """The metrics after one more meta-batch. before, result.query_loss, w: of all workers' tasks."""
        self.reported.update_state(before, result, w, self.workers)
        if self.task_metrics:
            y = batch.query_y.y if isinstance(batch.query_y, Weighted) else batch.query_y
            parts = [tf.reshape(a, (-1, *a.shape[2:])) for a in self.workers.join((y, result.prediction))]
            for metric in self.task_metrics:
                metric.update_state(*parts)
        return self.get_metrics_result()

    @property
    def metrics(self) -> list:
        """What the bar shows: see metrics.REPORTED, then the task's own metrics."""
        return [self.reported, *self.task_metrics] if self.compiled else []

    @property
    def metrics_names(self) -> list[str]:
        """What `evaluate` returns, in its order: the loss first."""
        others = [name for name in self.reported.names if name != "loss"]
        return ["loss", *others, *(metric.name for metric in self.task_metrics)]
