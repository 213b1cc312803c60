"""Two controls of ADML: what do crossing the pairs, and attacking the support set, add? Chapter 13."""

from typing import Any

import tensorflow as tf

from gaml_utils.learners.adml import ADML
from gaml_utils.learners.engine.meta_batch import Learned
from gaml_utils.learners.maml import MAML
from gaml_utils.records import TaskBatch


class Uncrossed(ADML):
    """Attacked queries after the attacked support set, clean after clean."""

    def outer_loss(self, outer: list, learned: Learned, task: TaskBatch) -> tuple[tf.Tensor, tf.Tensor]:
        """As ADML.outer_loss, the pairs not crossed."""
        return super().outer_loss(outer, learned._replace(memory=learned.memory[::-1]), task)


class OnlyQueries(ADML):
    """Clean and attacked queries after the clean support set: one inner loop."""

    def learn(self, outer: list, x: Any, y: Any, state: Any = None, order: Any = (), steps: Any = None) -> Learned:
        """As MAML.learn."""
        clean = MAML.learn(self, outer, x, y, state, order, steps)
        return clean._replace(memory=(clean.memory, clean.memory))
