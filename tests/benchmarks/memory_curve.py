"""How does the memory of one exact meta-gradient with agreement grow with the tasks, directly and task by task?

    python tests/benchmarks/memory_curve.py [--store]

A process for each: the peak of its memory after one meta-gradient, less its peak just before, with TensorFlow, model
and tasks in place. One inner step of exact MAML in float32, SGD: on a dense network of more than 5 million parameters,
and on conv4 with 64 filters, five classes, one image of each to learn from and five to ask. Before
that, the two ways are shown to give the same on a small network. --store writes data/results/memory_curve.json.
"""

import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import time
from importlib import metadata
from typing import Any

from gaml_utils.writing import write_text

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
STORED = ROOT / "data/results/memory_curve.json"
CONFIG = {
    "sizes": [64, 2250, 2250, 1],
    "tasks": [5, 10, 25, 50],
    "conv4 tasks": [10, 30, 100, 300, 1000],
    "shots": 5,
    "queries": 5,
    "inner_lr": 0.01,
    "inner_steps": 1,
    "seed": 0,
}
WAYS = ("direct", "task by task")
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
}


def problem(sizes: list, tasks: int) -> tuple[Any, Any]:
    """A compiled learner with agreement, and a meta-batch of noise whose tasks have a part in common."""

    # isort: split
    import keras
    import numpy as np

    from gaml_utils.learners.maml import MAML
    from gaml_utils.records import TaskBatch
    from gaml_utils.weighting.agreement import agreement_weights

    keras.utils.set_random_seed(CONFIG["seed"])
    hidden = [keras.layers.Dense(size, "relu") for size in sizes[1:-1]]
    model = keras.Sequential([keras.Input((sizes[0],)), *hidden, keras.layers.Dense(sizes[-1])])
    learner = MAML(model, CONFIG["inner_lr"], CONFIG["inner_steps"], agreement_weights)
    learner.compile(keras.optimizers.SGD(1e-3))
    rng = np.random.default_rng(CONFIG["seed"])
    parts = []
    for points in (CONFIG["shots"], CONFIG["queries"]):
        x = rng.normal(size=(tasks, points, sizes[0])).astype("float32")
        parts += [x, x[..., :1] + rng.normal(size=(tasks, points, 1)).astype("float32")]
    return learner, TaskBatch(*parts)


def images(tasks: int) -> tuple[Any, Any]:
    """The same with conv4 and images of noise, as keras_speed.py has them."""
    import numpy as np
    from peer_problems import Problem
    from peer_tensorflow import agreement_weights, learner

    stride = Problem("stride", CONFIG["inner_steps"], tasks)
    batch = stride.source.sample(np.random.default_rng(CONFIG["seed"]), tasks, *stride.points)
    return learner(stride, agreement_weights), batch


def meta_gradient(learner: Any, way: str) -> Any:
    """The function to be measured."""
    from gaml_utils.learners.matrix_free import task_by_task

    return learner.meta_gradient if way == "direct" else task_by_task(learner)


def apart() -> float:
    """Largest difference of a weight between the two ways, and norm-wise of the gradient, on a small network."""
    import numpy as np

    learner, batch = problem([64, 50, 50, 1], 10)
    one, other = (meta_gradient(learner, way)(batch) for way in WAYS)
    a, b = (np.concatenate([np.ravel(g) for g in result.gradient]) for result in (one, other))
    return float(max(np.abs(one.weights - other.weights).max(), np.linalg.norm(a - b) / np.linalg.norm(a)))


def measured(way: str, tasks: int, sizes: list) -> dict:
    """In this process: megabytes at the peak above those before, wall seconds, the number of parameters."""
    import tensorflow as tf
    from peer_worker import peak_megabytes

    learner, drawn = problem(sizes, tasks) if sizes else images(tasks)
    batch = type(drawn)(*map(tf.constant, drawn))  # both stay: what was let go of would hide as much of the peak
    function = meta_gradient(learner, way)
    before, start = peak_megabytes(), time.perf_counter()
    result = function(batch)
    weights = [float(w) for w in result.weights]
    seconds = time.perf_counter() - start
    return {
        "way": way,
        "tasks": tasks,
        "megabytes": round(peak_megabytes() - before),
        "before": round(before),
        "seconds with tracing": round(seconds, 1),
        "parameters": learner.model.count_params(),
        "weights": weights,
    }


def in_a_process(*arguments: str) -> Any:
    """The JSON that this script prints in a process of its own."""
    environment = os.environ | ENVIRONMENT | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(pathlib.Path(__file__).resolve()), *arguments]
    done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def curve() -> dict:
    """Check, then measure each way at each number of tasks."""
    error = in_a_process("--apart")
    if not error <= 1e-5:
        sys.exit(f"the two ways differ by {error:.1e}")
    rows, worst, parameters = pairs(CONFIG["tasks"])
    conv4, apart_conv4, of_conv4 = pairs(CONFIG["conv4 tasks"], "--conv4")
    return {
        "command": "python tests/benchmarks/memory_curve.py --store",
        "config": CONFIG,
        "parameters": parameters,
        "megabytes of one gradient": round(4 * parameters / 2**20, 1),
        "versions": versions(),
        "largest difference of a weight": worst,
        "rows": rows,
        "conv4": {"parameters": of_conv4, "largest difference of a weight": apart_conv4, "rows": conv4},
    }


def pairs(numbers: list, *which: str) -> tuple[list, float, int]:
    """Both ways at each number of tasks, the largest difference of a weight, and the number of parameters."""
    rows, worst, parameters = [], 0.0, 0
    for tasks in numbers:
        pair = [in_a_process("--way", way, "--tasks", str(tasks), *which) for way in WAYS]
        a, b = (row.pop("weights") for row in pair)
        worst = max(worst, *(abs(x - y) for x, y in zip(a, b, strict=True)))
        parameters = {row.pop("parameters") for row in pair}.pop()
        rows += pair
        shown = ", ".join(f"{row['way']} {row['megabytes']:6d} MB" for row in pair)
        print(f"{tasks:4d} tasks{' conv4' * bool(which)}: {shown}", flush=True)
    return rows, worst, parameters


def versions() -> dict[str, str]:
    """Of what was measured."""
    found = {d.metadata["Name"].lower().replace("_", "-"): d for d in metadata.distributions() if d.metadata["Name"]}
    return {"python": platform.python_version(), "machine": platform.machine()} | {
        name: found[name].version for name in ("tensorflow-cpu", "tensorflow", "keras", "numpy") if name in found
    }


def main() -> None:
    """The curve; or, in a process of its own, one point of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", action="store_true", help="write data/results/memory_curve.json")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--tasks", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--conv4", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--apart", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.apart:
        return print(apart())
    if arguments.way:
        return print(json.dumps(measured(arguments.way, arguments.tasks, [] if arguments.conv4 else CONFIG["sizes"])))
    result = curve()
    if arguments.store:
        write_text(STORED, json.dumps(result, indent=1) + "\n")
        print(f"written: {STORED.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
