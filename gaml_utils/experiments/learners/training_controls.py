"""Two controls of ADML: what do crossing the pairs, and attacking the support set, add? Chapter 13."""

from collections.abc import Callable
from typing import Any


def controls() -> dict[str, Callable]:
    """name -> learner: attacked queries after the attacked support set, clean after clean; or all after the clean one.

    Made when they are asked for, since they need TensorFlow.
    """
    from gaml_utils.learners.adml import ADML
    from gaml_utils.learners.maml import MAML

    class Uncrossed(ADML):
        """Attacked after attacked, clean after clean."""

        def outer_loss(self, outer: list, learned: Any, task: Any) -> tuple:
            """As ADML.outer_loss, the pairs not crossed."""
            return super().outer_loss(outer, learned._replace(memory=learned.memory[::-1]), task)

    class OnlyQueries(ADML):
        """Clean and attacked queries after the clean support set: one inner loop."""

        def learn(self, outer: list, x: Any, y: Any, state: Any = None, order: Any = (), steps: Any = None) -> Any:
            """As MAML.learn."""
            clean = MAML.learn(self, outer, x, y, state, order, steps)
            return clean._replace(memory=(clean.memory, clean.memory))

    return {"ADML, uncrossed": Uncrossed, "ADML, only queries": OnlyQueries}
