"""What learners that compare have in common: an embedding of the support set, and a score for each query and class."""

from typing import Any

import tensorflow as tf

from gaml_utils.checks import check_positive
from gaml_utils.learners.engine.meta_batch import Learned
from gaml_utils.learners.without_inner_loop import WithoutInnerLoop


class MetricLearner(WithoutInnerLoop):
    """Learning is embedding the support set; answering is comparing a query's features with what was kept of it.

    A learner of your own says what it keeps (`kept`) and how it compares (`compare`).
    temperature: what scores are divided by: above 1 for a softer softmax, below 1 for a sharper one. Tune it
    with the step size: neither distances nor cosines have the size that a softmax wants.
    Raises ValueError as WithoutInnerLoop does, and for a temperature that is not above 0.
    """

    def __init__(self, *args: Any, temperature: float = 1.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.temperature = temperature

    def checked_setting(self, name: str, value: Any) -> Any:
        """As MetaLearner.checked_setting."""
        return check_positive(name, value) if name == "temperature" else super().checked_setting(name, value)

    def kept(self, outer: list, features: tf.Tensor, mine: tf.Tensor) -> Any:
        """What answers queries, of the support set's features, (points, ...), and who is of which class, see members.

        Both as they are, unless a learner keeps less.
        """
        return features, mine

    def compare(self, outer: list, memory: Any, features: tf.Tensor) -> tf.Tensor:
        """Scores, (queries, ways), before the temperature, of the queries' features, (queries, ...)."""
        raise NotImplementedError

    def learn(
        self, outer: list, x: Any, y: Any, state: list | None = None, order: Any = (), steps: int | None = None
    ) -> Learned:
        """As MetaLearner.learn: there is nothing to step, and no update."""
        state = self.functional.state(0) if state is None else state
        features, seen = self.features(outer, x, state, training=True)
        memory = self.kept(outer, features, self.members(y, features.dtype))
        return Learned(memory, [], self.functional.own_statistics(state, seen, seen))

    def answer(self, outer: list, learned: Learned, x: Any, training: bool = False) -> tf.Tensor:
        """Scores for one task's queries, (queries, ways); in training, normalised by x's own statistics."""
        features, _ = self.features(outer, x, learned.state, training)
        return self.compare(outer, learned.memory, features) / self.temperature

    def get_config(self) -> dict:
        """For saving: the settings of WithoutInnerLoop, and temperature."""
        return super().get_config() | {"temperature": self.temperature}


def class_means(per_point: tf.Tensor, mine: tf.Tensor) -> tf.Tensor:
    """The mean over each class's support points: (points, features) -> (ways, features), by mine (points, ways)."""
    return tf.matmul(mine, per_point, transpose_a=True) / tf.reduce_sum(mine, axis=0)[:, None]


def flat(features: tf.Tensor) -> tf.Tensor:
    """Features of each point as one vector, (points, features)."""
    return tf.reshape(features, (features.shape[0], -1))
