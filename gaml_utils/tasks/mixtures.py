"""Meta-batches of more than one kind: outliers, two modes, wrong labels (the study behind chapters 10 and 11)."""

from typing import Any

import numpy as np

from gaml_utils.checks import check_count, is_number
from gaml_utils.records import TaskBatch


class Mixture:
    """Of every meta-batch, a fixed share of the tasks comes from `others`, the last ones; the rest from `tasks`.

    tasks, others: anything with sample(rng, tasks, shots, queries) -> TaskBatch, arrays of the same shapes.
    share: of the others, from 0 to 1; their number is rounded to the nearest whole one.
    Raises ValueError if share is something else.
    """

    def __init__(self, tasks: Any, others: Any, share: float) -> None:
        if not (is_number(share) and 0 <= share <= 1):
            raise ValueError(f"share should be a number from 0 to 1, got {share!r}")
        self.sources, self.share = (tasks, others), share

    def sample(self, rng: np.random.Generator, tasks: int, shots: int, queries: int) -> TaskBatch:
        """A meta-batch: first the tasks, then the others."""
        check_count("tasks", tasks)
        others = round(self.share * tasks)
        counts = zip(self.sources, (tasks - others, others), strict=True)
        parts = [source.sample(rng, n, shots, queries) for source, n in counts if n > 0]
        return TaskBatch(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


class Mislabelled:
    """The tasks of `tasks` with the labels of support and query set drawn from each set's own, whatever the images."""

    def __init__(self, tasks: Any) -> None:
        self.tasks = tasks

    def sample(self, rng: np.random.Generator, tasks: int, shots: int, queries: int) -> TaskBatch:
        """A meta-batch in which there is nothing to learn."""
        batch = self.tasks.sample(rng, tasks, shots, queries)
        support_y, query_y = (rng.permuted(y, axis=1) for y in (batch.support_y, batch.query_y))
        return batch._replace(support_y=support_y, query_y=query_y)
