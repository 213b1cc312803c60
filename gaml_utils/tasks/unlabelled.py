"""Episodes in which some support images come without their label: for semi-supervised learners. Chapter 15."""

from typing import Any

import numpy as np

from gaml_utils.checks import check_count
from gaml_utils.records import TaskBatch

NO_LABEL = -1


class WithUnlabelled:
    """Episodes of `tasks`, each class with `unlabelled` more support images, whose label is -1.

    tasks: EpisodeTasks, or anything that samples likewise, class by class. Ren et al. 2018 (arXiv:1803.00676).
    """

    def __init__(self, tasks: Any, unlabelled: int) -> None:
        check_count("unlabelled", unlabelled, at_least=0)
        self.tasks, self.unlabelled = tasks, unlabelled

    def sample(self, rng: np.random.Generator, tasks: int, shots: int, queries: int) -> TaskBatch:
        """A meta-batch: support_x and support_y hold shots + unlabelled images of each class, class by class."""
        check_count("shots", shots)
        batch = self.tasks.sample(rng, tasks, shots + self.unlabelled, queries)
        place = np.arange(batch.support_y.shape[1]) % (shots + self.unlabelled)
        return batch._replace(support_y=np.where(place < shots, batch.support_y, NO_LABEL).astype(np.int32))
