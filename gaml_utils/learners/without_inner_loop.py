"""Learners that classify without an inner loop: they keep what they have seen of the support set, and compare.

Nothing adapts, so there are no updates: what weightings compare is the tasks' outer gradients. Chapter 15.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gaml_utils.checks import check_count
from gaml_utils.learners.base import MetaLearner
from gaml_utils.learners.engine.saving import INNER
from gaml_utils.records import TaskBatch, Weighted
from gaml_utils.weighting.agreement import uniform_weights


class WithoutInnerLoop(MetaLearner):
    """What these learners share: so many ways, a model that gives features, and no settings of an inner loop.

    model: any built keras.Model, points -> features, (points, ...). ways: classes of a task, numbered 0 to ways - 1;
    it may be set anew, for a test with more ways or fewer. source: an update is the outer direction, so "updates" and
    "outer" are the same here. weighting, unrolled, transductive: as in MetaLearner.
    Answers are scores, (points, ways): for losses of classes from_logits.
    Raises ValueError as MetaLearner does, for ways that are not a whole number of at least 2, for inner_lr,
    inner_steps, inner_rule and fast, and for labels out of the ways or a class without a support point.
    """

    has_inner_loop = False
    allows_unlabelled = False  # True: support points with the label -1 are points without a label
    allows_weights = True  # False: Weighted support labels are refused

    def __init__(
        self,
        model: keras.Model,
        ways: int,
        weighting: Callable = uniform_weights,
        unrolled: bool | None = None,
        transductive: bool = False,
        source: str = "outer",
        **kwargs: Any,
    ) -> None:
        for name in INNER:
            if name in kwargs:
                self._refuse(name)
        super().__init__(
            model, weighting=weighting, unrolled=unrolled, transductive=transductive, source=source, **kwargs
        )
        self.ways = ways

    @classmethod
    def _refuse(cls, name: str) -> None:
        raise ValueError(f"{name} should be left out: {cls.__name__} has no inner loop")

    def checked_setting(self, name: str, value: Any) -> Any:
        """As MetaLearner.checked_setting."""
        if name in INNER and hasattr(self, name):
            self._refuse(name)
        if name == "ways":
            check_count(name, value, at_least=2)
        return super().checked_setting(name, value)

    def checked_steps(self, steps: int | None) -> int:
        """0. Raises ValueError where inner steps are asked for."""
        if steps is not None:
            self._refuse("steps")
        return 0

    def check_tasks(self, batch: TaskBatch) -> None:
        """Raise ValueError unless the labels are whole numbers below `ways`, and each class has a support point."""
        if isinstance(batch.support_y, Weighted) and not self.allows_weights:
            raise ValueError(f"support_y should have no weights: {type(self).__name__} has no use for them")
        for name, part in (("support_y", batch.support_y), ("query_y", batch.query_y)):
            found = at_hand(part)
            if found is None:
                continue
            y, weight = found
            lowest = -1 if self.allows_unlabelled and name == "support_y" else 0
            if y.dtype.kind not in "iu" or (y.size and (y.min() < lowest or y.max() >= self.ways)):
                raise ValueError(f"{name} should hold whole numbers from {lowest} to {self.ways - 1}: ways={self.ways}")
            if name == "query_y" or y.shape[-1:] == (1,):  # a column: the graph looks at it
                continue
            if not all(((y == c) & (weight > 0)).any(axis=-1).all() for c in range(self.ways)):
                raise ValueError(f"support_y should hold each of the classes 0 to {self.ways - 1} in every task")

    def before_steps(self, batch: TaskBatch) -> None:
        """As check_tasks, where the labels are at hand; in a compiled step the graph checks them."""
        self.check_tasks(batch)

    def members(self, y: Any, dtype: Any) -> tf.Tensor:
        """(points, ways): 1, or its weight, where a support point is of the class; rows of 0 where it has no label.

        y: (points,), or Weighted. NaN, and an InvalidArgumentError where the graph can raise one (XLA cannot), for
        labels that are none.
        """
        y, weight = (y.y, y.sample_weight) if isinstance(y, Weighted) else (y, None)
        if not y.dtype.is_integer or y.shape.rank > 2 or (y.shape.rank == 2 and y.shape[1] != 1):
            raise ValueError(
                f"support_y should hold whole numbers from 0 to {self.ways - 1}, (points,) for one task, "
                f"got {y.dtype.name} {tuple(y.shape)}"
            )
        y = tf.cast(tf.reshape(y, (-1,)), tf.int32)
        mine = tf.one_hot(y, self.ways, dtype=dtype)
        mine = mine if weight is None else mine * tf.cast(weight, dtype)[:, None]
        fine = (y < self.ways) & (y >= (-1 if self.allows_unlabelled else 0))
        fine = tf.reduce_all(fine) & tf.reduce_all(tf.reduce_any(mine > 0, axis=0))
        message = f"support_y should hold each of the classes 0 to {self.ways - 1}, and no other: ways={self.ways}"
        asserted = tf.debugging.Assert(fine, [message, y])
        with tf.control_dependencies([] if asserted is None else [asserted]):
            return tf.where(fine, mine, tf.constant(np.nan, dtype))

    def features(self, outer: list, x: Any, state: list, training: bool) -> tuple[tf.Tensor, list]:
        """What the model makes of points, (points, ...), and the new state."""
        return self.functional.predict(self.theta(outer), x, state, training)

    def statistics(self, outer: list, learned: Any, x: Any) -> list:
        """As MetaLearner.statistics: theta has not moved."""
        return self.functional.statistics(self.theta(outer), x, learned.state)

    def get_config(self) -> dict:
        """For saving: the settings of every learner but those of the inner loop, and ways."""
        return super().get_config() | {"ways": self.ways}


def at_hand(y: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """Labels and their weights as arrays of one shape, (..., points); None where they are not at hand."""
    y, weight = (y.y, y.sample_weight) if isinstance(y, Weighted) else (y, 1.0)
    if isinstance(y, tuple) or (not isinstance(y, np.ndarray) and not hasattr(y, "numpy")):
        return None
    y = np.asarray(y)
    return y, np.broadcast_to(np.asarray(weight), y.shape)
