"""Several processes train one learner, each on its share of the tasks of every meta-batch. Chapter 17.

Every worker holds all parameters and takes the same outer steps; what travels between them are sums. A script says

    workers = join_workers()
    learner.compile(..., workers=workers)
    learner.fit(as_dataset(tasks, ..., workers=workers), steps_per_epoch=100)

and is started once per device: `python -m gaml_utils.learners.workers --workers 2 SCRIPT` does so on one machine. By
itself the script is one worker, which sends nothing. What a worker does, `fit`, `evaluate`, `meta_gradient`, every
other has to do as well, or they wait for each other. TensorFlow's workers trust their network: whoever reaches their
ports can make them run code. Keep the ports inside the cluster.
"""

import sys

from gaml_utils.learners.engine.workers import WorkerLost, Workers, join_workers
from gaml_utils.worker_processes import main

__all__ = ["WorkerLost", "Workers", "join_workers"]


if __name__ == "__main__":
    sys.exit(main())
