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

import argparse
import sys

from gaml_utils.checks import check_count
from gaml_utils.learners.engine.workers import WorkerLost, Workers, join_workers
from gaml_utils.worker_processes import run_workers

__all__ = ["WorkerLost", "Workers", "join_workers"]


def main(arguments: list[str] | None = None) -> int:
    """`python -m gaml_utils.learners.workers --workers N SCRIPT ...`: N processes of the script on this machine."""
    parser = argparse.ArgumentParser(prog="python -m gaml_utils.learners.workers", description=main.__doc__)
    parser.add_argument("--workers", type=int, default=2, help="so many processes (2)")
    parser.add_argument("--host", default="127.0.0.1", help="the address they listen on (127.0.0.1)")
    parser.add_argument("script", help="a Python script that calls join_workers()")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...", help="arguments of the script")
    given = parser.parse_args(arguments)
    try:
        check_count("--workers", given.workers)
        return run_workers([given.script, *given.rest], given.workers, given.host)
    except (ValueError, OSError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    sys.exit(main())
