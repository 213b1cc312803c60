"""The long runs behind data/results: python -m gaml_utils.experiments NAME.

A run that is stopped goes on where it was when it is started again. Each finished training is a line in
NAME.partial.jsonl; when all are there they become NAME.json, written whole or not at all.
"""

import argparse
import json
import multiprocessing
import os
import pathlib
import platform
import re
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import metadata

import numpy as np
import scipy
from tqdm.auto import tqdm

from gaml_utils.glyph_runs import GLYPHS, glyph_job, glyph_jobs
from gaml_utils.omniglot_runs import OMNIGLOT, omniglot_job, omniglot_jobs
from gaml_utils.sine_numpy import (
    SINE_NUMPY,
    SINE_VARIANTS,
    best_step_size,
    key,
    rounded,
    select,
    sine_numpy_job,
    sine_numpy_jobs,
)  # fmt: skip
from gaml_utils.study_job import study_job
from gaml_utils.study_results import same_signs, table
from gaml_utils.study_runs import STUDY, STUDY_LENGTHS, STUDY_LONG, STUDY_RIDGE, quick, study_jobs

__all__ = ["EXPERIMENTS", "best_step_size", "key", "load", "rounded", "run", "select", "sine_numpy_job"]

RESULTS = pathlib.Path(__file__).resolve().parent.parent / "data" / "results"
QUICK = RESULTS.parent.parent / "build" / "quick"

EXPERIMENTS = {
    "sine_numpy": (SINE_NUMPY, sine_numpy_jobs, sine_numpy_job),
    "sine_variants": (SINE_VARIANTS, sine_numpy_jobs, sine_numpy_job),
    "glyphs": (GLYPHS, glyph_jobs, glyph_job),
    "omniglot": (OMNIGLOT, omniglot_jobs, omniglot_job),
    "study": (STUDY, study_jobs, study_job),
    "study_ridge": (STUDY_RIDGE, study_jobs, study_job),
    "study_long": (STUDY_LONG, study_jobs, study_job),
    "study_lengths": (STUDY_LENGTHS, study_jobs, study_job),
}
IN_KERAS = ("glyphs", "omniglot", "study")

# One thread a process: the matrices are too small to share, and no two processes should. oneDNN: faster convolutions.
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1",
    "TF_ENABLE_ONEDNN_OPTS": "1",
}  # fmt: skip
JOBS_A_PROCESS = 6                  # TensorFlow keeps what it has compiled: a fresh process lets it go


def run(name: str, config: dict | None = None, folder: pathlib.Path = RESULTS, processes: int = 1) -> pathlib.Path:
    """Run the experiment, or what is left of it, and return the path of its results."""
    default, plan, work = EXPERIMENTS[name]
    config = default if config is None else config
    folder.mkdir(parents=True, exist_ok=True)
    partial_file, result_file = folder / f"{name}.partial.jsonl", folder / f"{name}.json"
    done = read_partial(partial_file, config)
    while todo := [job for job in plan(config, done) if key(job) not in done]:
        os.environ.update(ENVIRONMENT)
        pool = multiprocessing.get_context("spawn").Pool(processes, maxtasksperchild=JOBS_A_PROCESS)
        with pool, partial_file.open("a") as lines:
            results = pool.imap_unordered(partial(_timed, work, config), todo)
            for result in tqdm(results, total=len(todo), desc=name, unit="run"):
                lines.write(json.dumps(result) + "\n")
                lines.flush()
                os.fsync(lines.fileno())
                done[key(result)] = result
            pool.close()                                     # let the processes end by themselves: they tidy up
            pool.join()
    runs = [done[key(job)] for job in plan(config, done)]
    seconds = sum(r["seconds"] for r in runs)
    write_json(result_file, {
        "experiment": name, "command": f"python -m gaml_utils.experiments {name}", "config": config,
        "versions": versions(name), "wall_seconds": round(seconds, 1),
        "runs": [{k: v for k, v in r.items() if k != "seconds"} for r in runs],
    })  # fmt: skip
    partial_file.unlink(missing_ok=True)
    return result_file


def load(name: str, folder: pathlib.Path = RESULTS) -> dict:
    """The stored results of an experiment: config, versions, wall_seconds and runs."""
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def read_partial(path: pathlib.Path, config: dict) -> dict:
    """The finished runs by key. A line cut short by a kill is dropped; another config's lines are refused."""
    header, runs = {"config": json.loads(json.dumps(config))}, []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            runs.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    if runs and runs.pop(0) != header:
        raise ValueError(f"{path.name} was made with another config: finish that run, or delete the file")
    write(path, "".join(json.dumps(line) + "\n" for line in [header, *runs]))
    return {key(r): r for r in runs}


def versions(name: str) -> dict[str, str]:
    """Of Python and of what the numbers of this experiment depend on."""
    found = {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}
    packages = ("keras", "tensorflow", "tensorflow_cpu") if name in IN_KERAS else ()
    installed = {d.name: d.version for d in metadata.distributions()} if packages else {}
    return found | {package: installed[package] for package in packages if package in installed}


def write_json(path: pathlib.Path, content: dict) -> None:
    """As JSON, indented, with each list of numbers on one line."""
    text = json.dumps(content, indent=1, allow_nan=False)
    text = re.sub(r'\[([^][{}"]*)\]', lambda numbers: f"[{' '.join(numbers[1].split())}]", text)
    write(path, text + "\n")


def write(path: pathlib.Path, text: str) -> None:
    """Whole or not at all: written beside its place, then moved there."""
    beside = path.with_suffix(".tmp")
    beside.write_text(text, encoding="utf-8", newline="\n")
    os.replace(beside, path)


def _timed(work: Callable, config: dict, job: dict) -> dict:
    start = time.perf_counter()
    return work(config, job) | {"seconds": round(time.perf_counter() - start, 3)}


def main(arguments: list[str]) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m gaml_utils.experiments", description=__doc__)
    parser.add_argument("name", choices=EXPERIMENTS)
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time")
    parser.add_argument("--seeds", type=int, help="this many seeds, counted from 0, instead of the stored run's")
    parser.add_argument("--quick", action="store_true", help="study only: its small version, into build/quick")
    options = parser.parse_args(arguments)
    if options.jobs < 1 or (options.seeds is not None and options.seeds < 1):
        parser.error("--jobs and --seeds should be at least 1")
    if options.quick and options.name != "study":
        parser.error("--quick is for the study")
    config = EXPERIMENTS[options.name][0]
    if options.quick:
        path = run("study", quick(config), QUICK, options.jobs)
        small = json.loads(path.read_text(encoding="utf-8"))
        print(table(small), same_signs(small, load("study")), sep="\n")
        return
    if options.seeds is not None:
        config = config | {"seeds": list(range(options.seeds))}
    print(run(options.name, config, processes=options.jobs).name)


if __name__ == "__main__":
    main(sys.argv[1:])
