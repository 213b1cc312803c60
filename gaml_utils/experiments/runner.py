"""Runs an experiment, training by training, in one process, several, or on a cluster.

A run that is stopped goes on where it was when it is started again. Each finished training is a line in
NAME.partial.jsonl; when all are there they become NAME.json, written whole or not at all.
"""

import contextlib
import os
import pathlib
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from tqdm.auto import tqdm

from gaml_utils.code import code_digest
from gaml_utils.experiments.crew import locally, on_cluster
from gaml_utils.experiments.files import RESULTS, versions, write_json
from gaml_utils.experiments.partial_file import Refused, alone, append, begin, read_partial
from gaml_utils.experiments.records import Config, Job, Run, key
from gaml_utils.experiments.registry import experiment

# One thread a process: the matrices are too small to share, and no two processes should. oneDNN: faster convolutions.
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_ENABLE_ONEDNN_OPTS": "1",
}


def run(
    name: str,
    config: Config | None = None,
    folder: pathlib.Path = RESULTS,
    processes: int = 1,
    scheduler: str | None = None,
) -> pathlib.Path:
    """Run the experiment, or what is left of it, and return the path of its results.

    scheduler: the address of a Dask cluster, whose workers do the trainings instead of `processes` processes here.
    Raises Refused where another run is at work on it, or where what is there was made otherwise; Lost where a training
    ends its process; OSError where nothing can be written. What was finished is kept.
    """
    wanted = experiment(name)
    plan, work, config = wanted.jobs, wanted.work, wanted.config if config is None else config
    folder.mkdir(parents=True, exist_ok=True)
    partial_file, result_file = folder / f"{name}.partial.jsonl", folder / f"{name}.json"
    code = code_digest()
    made = {"config": config, "code": code, "versions": versions(wanted.keras)}
    with alone(partial_file), environment(ENVIRONMENT):  # which processes inherit
        done = read_partial(partial_file, made)
        task = partial(_timed, work, config, code)
        while todo := [job for job in plan(config, done) if key(job) not in done]:
            found = on_cluster(task, todo, scheduler, ENVIRONMENT) if scheduler else locally(task, todo, processes)
            for result in tqdm(found, total=len(todo), desc=name, unit="run"):
                if not done:
                    begin(partial_file, made)
                append(partial_file, result)
                done[key(result)] = result
        runs = [done[key(job)] for job in plan(config, done)]
        head = {"experiment": name, "command": f"python -m gaml_utils.experiments {name}"}
        tail = {
            "wall_seconds": round(sum(r["seconds"] for r in runs), 1),
            "runs": [{k: v for k, v in r.items() if k != "seconds"} for r in runs],
        }
        write_json(result_file, head | made | tail)
        partial_file.unlink(missing_ok=True)
    return result_file


@contextlib.contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """These variables in this process, until the block ends."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _timed(work: Callable, config: Config, code: str, job: Job) -> Run:
    """One training, where the code is the one that the run was begun with."""
    if code_digest() != code:
        raise Refused("a worker has other code of rules and learners than this run: install the same version on all")
    start = time.perf_counter()
    return work(config, job) | {"seconds": round(time.perf_counter() - start, 3)}
