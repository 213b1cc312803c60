"""What a meta-batch looks like, and what one outer step needs to know (chapters 01 and 02)."""

from typing import Any, NamedTuple


class TaskBatch(NamedTuple):
    """A meta-batch. Each array is (tasks, points, ...): one row of points per task.

    The inner loop learns from the support set; the query set judges the result.
    """

    support_x: Any
    support_y: Any
    query_x: Any
    query_y: Any


class Weighted(NamedTuple):
    """Labels with a weight per point, in place of support_y or query_y: for the learners around Keras models.

    y: (tasks, points, ...). sample_weight: (tasks, points), as in keras.Model.fit: the loss of a task is the mean over
    its points of weight times loss. 0 leaves a point out of the sum, for instance one that pads a smaller task.
    """

    y: Any
    sample_weight: Any


class MetaResult(NamedTuple):
    """What one outer step needs to know.

    gradient: list of arrays shaped like the parameters; the outer optimiser descends it.
    weights: (tasks,), one weight per task.
    query_losses: (tasks,), each task's loss on its query set after adaptation.
    """

    gradient: list
    weights: Any
    query_losses: Any


def as_batch(batch: Any) -> TaskBatch:
    """The four parts of a meta-batch, from a tuple or a list of them, which are not looked at; or a ValueError."""
    if not isinstance(batch, tuple | list) or len(batch) != len(TaskBatch._fields):
        raise ValueError(f"batch should be a TaskBatch of four arrays, got {type(batch).__name__}")
    return TaskBatch(*batch)
