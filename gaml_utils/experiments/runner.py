"""Runs an experiment, training by training, in one process or several.

A run that is stopped goes on where it was when it is started again. Each finished training is a line in
NAME.partial.jsonl; when all are there they become NAME.json, written whole or not at all.
"""

import contextlib
import json
import multiprocessing
import os
import pathlib
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from tqdm.auto import tqdm

from gaml_utils.experiments.files import RESULTS, code_digest, read_partial, versions, write_json
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


JOBS_PER_PROCESS = 6  # TensorFlow keeps what it has compiled: a fresh process lets it go


def run(name: str, config: Config | None = None, folder: pathlib.Path = RESULTS, processes: int = 1) -> pathlib.Path:
    """Run the experiment, or what is left of it, and return the path of its results."""
    wanted = experiment(name)
    plan, work, config = wanted.jobs, wanted.work, wanted.config if config is None else config
    folder.mkdir(parents=True, exist_ok=True)
    partial_file, result_file = folder / f"{name}.partial.jsonl", folder / f"{name}.json"
    done = read_partial(partial_file, config)
    while todo := [job for job in plan(config, done) if key(job) not in done]:
        with contextlib.ExitStack() as stack:
            stack.enter_context(environment(ENVIRONMENT))  # which the processes inherit
            spawn = multiprocessing.get_context("spawn")
            pool = stack.enter_context(spawn.Pool(processes, maxtasksperchild=JOBS_PER_PROCESS))
            lines = stack.enter_context(partial_file.open("a"))
            results = pool.imap_unordered(partial(_timed, work, config), todo)
            for result in tqdm(results, total=len(todo), desc=name, unit="run"):
                lines.write(json.dumps(result) + "\n")
                lines.flush()
                os.fsync(lines.fileno())
                done[key(result)] = result
            pool.close()  # let the processes end by themselves: they tidy up
            pool.join()
    runs = [done[key(job)] for job in plan(config, done)]
    seconds = sum(r["seconds"] for r in runs)
    write_json(
        result_file,
        {
            "experiment": name,
            "command": f"python -m gaml_utils.experiments {name}",
            "config": config,
            "code": code_digest(),
            "versions": versions(wanted.keras),
            "wall_seconds": round(seconds, 1),
            "runs": [{k: v for k, v in r.items() if k != "seconds"} for r in runs],
        },
    )
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


def _timed(work: Callable, config: Config, job: Job) -> Run:
    start = time.perf_counter()
    return work(config, job) | {"seconds": round(time.perf_counter() - start, 3)}
