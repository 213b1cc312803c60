"""Two workers against one process on the same work: conv4-64 with stride, 16 tasks an outer step, agreement.

    python tests/benchmarks/workers_speed.py [--rounds N] [--store]

First all of them take three outer steps in float64 from the same start, and their parameters must agree to 1e-12. Then
they take turns, a launch each, ROUNDS times: one process with one thread, two workers with one thread each, and one
process with two threads, for two tasks side by side. A launch takes STEPS outer steps, the first few apart, and says
the median wall seconds of one. A fourth launch is two processes at once, each with half of the tasks, that exchange
nothing: what two workers are slower than that, the exchange costs. --store writes all, and their ratios, into
data/results/bench.json.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from gaml_utils.writing import write_text

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
STORED = ROOT / "data/results/bench.json"
ROUNDS, STEPS, FIRST, TASKS = 5, 24, 4, 16
WAYS = {"one process, one thread": (1, 1), "two workers": (2, 1), "one process, two threads": (1, 2)}
ONE, TWO, BOTH = WAYS
APART = "two processes apart"


def work(folder: pathlib.Path, steps: int, exact: bool, tasks: int) -> None:
    """In a worker: so many outer steps; the first one writes the parameters, or the seconds of a step."""
    import time

    import keras
    import tensorflow as tf
    from peer_problems import Problem
    from peer_tensorflow import agreement_weights, keras_model  # which asks for one thread of each kind

    from gaml_utils.learners import MAML, as_dataset, join_workers

    tf.config.threading.set_inter_op_parallelism_threads(int(os.environ["TF_NUM_INTEROP_THREADS"]))
    workers = join_workers()
    problem = Problem("stride", 1, tasks, check=exact)
    learner = MAML(keras_model(problem), problem.inner_lr, problem.steps, agreement_weights)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype=problem.dtype)
    learner.compile(keras.optimizers.Adam(1e-3), loss, workers=workers, diagnostics=False)
    data = as_dataset(problem.source, tasks, *problem.points, dtype=problem.dtype, workers=workers)
    ends = [time.perf_counter()]
    after = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: ends.append(time.perf_counter()))
    learner.fit(data, steps_per_epoch=steps, callbacks=[after], verbose=0)
    if workers.first:
        np.save(folder / "parameters.npy", np.concatenate([np.ravel(v) for v in learner.outer_variables]))
        write_text(folder / "seconds.json", json.dumps(np.diff(ends).tolist()))


def launched(way: str, steps: int, exact: bool = False, tasks: int = TASKS) -> tuple[list, np.ndarray]:
    """Seconds of each outer step of one launch, and the parameters after it."""
    workers, threads = WAYS[way]
    limits = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    limits |= {"TF_NUM_INTEROP_THREADS": str(threads)}  # so many tasks side by side
    onednn = {"TF_ENABLE_ONEDNN_OPTS": str(int(not exact)), "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    command = [sys.executable, "-m", "gaml_utils.worker_processes", "--workers", str(workers), __file__]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [*command, "--work", folder, "--steps", str(steps), "--tasks", str(tasks), *["--exact"][: int(exact)]],
            env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"} | limits | onednn,
            check=True,
        )
        seconds = json.loads((pathlib.Path(folder) / "seconds.json").read_text())
        return seconds, np.load(pathlib.Path(folder) / "parameters.npy", allow_pickle=False)


def seconds(steps: int) -> dict[str, float]:
    """Wall seconds of an outer step, one launch of each."""
    found = {way: statistics.median(launched(way, steps)[0][FIRST:]) for way in WAYS}
    with ThreadPoolExecutor() as side_by_side:
        halves = list(side_by_side.map(lambda _: launched(ONE, steps, tasks=TASKS // 2)[0][FIRST:], range(2)))
    return found | {APART: max(map(statistics.median, halves))}


def main() -> None:
    """Check, then take turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--store", action="store_true", help="write the ratios into data/results/bench.json")
    parser.add_argument("--work", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--steps", type=int, default=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--tasks", type=int, default=TASKS, help=argparse.SUPPRESS)
    parser.add_argument("--exact", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        return work(given.work, given.steps, given.exact, given.tasks)
    ends = {way: launched(way, 3, exact=True)[1] for way in WAYS}
    apart = max(float(np.abs(end - ends[ONE]).max()) for end in ends.values())
    if not apart <= 1e-12:
        sys.exit(f"they do not compute the same: parameters differ by {apart:.1e}")
    rounds = [seconds(given.steps) for _ in range(given.rounds)]
    medians = {way: statistics.median(r[way] for r in rounds) for way in rounds[0]}
    pairs = ((TWO, ONE), (TWO, BOTH), (APART, ONE))
    ratios = {f"{way} / {other}": statistics.median(r[other] / r[way] for r in rounds) for way, other in pairs}
    for name, value in (medians | ratios).items():
        print(f"{name:60s} {value:.3f}")
    if given.store:
        found = {"tasks": TASKS, "difference": apart, "rounds": rounds, "seconds": medians, "ratios": ratios}
        content = json.loads(STORED.read_text(encoding="utf-8")) | {"workers": found}
        write_text(STORED, json.dumps(content, indent=1) + "\n")
        print(f"written: {STORED.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
