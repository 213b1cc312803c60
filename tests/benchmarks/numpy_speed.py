"""How fast is the NumPy engine? Ratios, all from one run on this machine: python tests/benchmarks/numpy_speed.py.

Contenders take turns, ROUNDS times, and each ratio is the median over the rounds, so that a busy moment hits both
sides. Before anything is timed, both sides are shown to compute the same. One thread. Writes build/bench.json.
"""

import json
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import nbformat
import numpy as np
from clocks import per_second

from gaml_utils.records import TaskBatch
from gaml_utils.scratch.maml import meta_gradient
from gaml_utils.scratch.mlp import init_mlp
from gaml_utils.scratch.optimizers import Adam
from gaml_utils.scratch.parameters import flatten
from gaml_utils.scratch.reptile import reptile_direction
from gaml_utils.tasks.regression import SineTasks
from gaml_utils.weighting.agreement import agreement_weights, uniform_weights
from gaml_utils.weighting.powers import power_weights
from gaml_utils.writing import write_text

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ROUNDS, SECONDS = 15, 0.25
SIZES, TASKS, POINTS = (1, 40, 40, 1), 25, 10


def rates(contenders: dict[str, Callable]) -> dict[str, np.ndarray]:
    """Calls a second of each contender, one figure a round; the contenders take turns."""
    found = {name: [] for name in contenders}
    for work in contenders.values():
        work()
    for _ in range(ROUNDS):
        for name, work in contenders.items():
            calls, start = 0, time.perf_counter()
            while (spent := time.perf_counter() - start) < SECONDS:
                work()
                calls += 1
            found[name].append(per_second(calls, spent))
    return {name: np.array(figures) for name, figures in found.items()}


def ratio(a: np.ndarray, b: np.ndarray) -> float:
    """Median over rounds of a / b."""
    return float(np.median(a / b))


def iteration(direction: Callable, params: list, batch: TaskBatch) -> Callable:
    """One outer step as training takes it, but for the drawing of tasks: direction and Adam."""
    optimizer, state = Adam(1e-3), [params]

    def work() -> None:
        state[0] = optimizer.step(state[0], direction(state[0], batch).gradient)

    return work


def chapter_02_loop() -> Callable:
    """The reader's own meta_gradient_loop, out of the cells of chapter 02 that define functions."""
    path = ROOT / "notebooks" / "02_maml_from_scratch.ipynb"
    names = {"np": np}
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and cell.source.startswith("def "):
            exec(cell.source, names)
        if "meta_gradient_loop" in names:
            return names["meta_gradient_loop"]
    raise LookupError("chapter 02 no longer defines meta_gradient_loop")


def megaflops() -> float:
    """Multiplications and additions of one exact MAML gradient with one inner step, matrix products only."""
    products = [a * b for a, b in zip(SIZES[:-1], SIZES[1:], strict=True)]
    forward, upper = sum(products), sum(products[1:])
    gradient = 2 * forward + upper  # forward, weights' gradient, delta back to all but the input
    hessian_vector = 2 * forward + 4 * upper  # x V, h V and r W; then h e, r d, e W and d V
    return 2 * TASKS * POINTS * (2 * gradient + hessian_vector) / 1e6


def import_seconds() -> float:
    """How much longer a Python takes that imports the package, compiled before as any import is."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def once(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=environment)
        return time.perf_counter() - start

    once("import gaml_utils")
    return float(np.median([once("import gaml_utils") - once("pass") for _ in range(ROUNDS)]))


def close(a: list, b: list) -> bool:
    """Equal to 1e-12, norm-wise."""
    return np.linalg.norm(flatten(a) - flatten(b)) <= 1e-12 * np.linalg.norm(flatten(b))


def main() -> None:
    """Check, measure, print, write."""
    rng = np.random.default_rng(0)
    params = init_mlp(rng, SIZES)
    batch = SineTasks().sample(rng, TASKS, POINTS, POINTS)
    loop = chapter_02_loop()
    maml = partial(meta_gradient, inner_lr=0.01)
    assert close(maml(params, batch).gradient, loop(params, batch, 0.01)), "engine and loop differ"
    only = [maml(params, batch, weighting=lambda g, i=i: np.eye(len(g))[i]).gradient for i in range(TASKS)]
    weighted = maml(params, batch, weighting=agreement_weights)
    by_hand = [sum(w * g[k] for w, g in zip(weighted.weights, only, strict=True)) for k in range(len(params))]
    assert close(weighted.gradient, by_hand), "agreement is not the weighted sum of the tasks' gradients"
    alone = np.array([flatten(gradient) for gradient in only])
    of_outer = maml(params, batch, weighting=agreement_weights, source="outer")
    assert close(of_outer.gradient, [agreement_weights(alone) @ alone]), "agreement is not that of the outer gradients"

    a, b = rng.normal(size=(2, 512, 512))
    tanh = init_mlp(rng, (1, 64, 64, 1))
    small = TaskBatch(*(part[:10] for part in batch))
    measured = rates(
        {
            "matrix product 512": lambda: a @ b,
            "MAML": iteration(maml, params, batch),
            "MAML, agreement": iteration(partial(maml, weighting=agreement_weights), params, batch),
            "MAML, agreement of outer gradients": iteration(
                partial(maml, weighting=agreement_weights, source="outer"), params, batch
            ),
            "MAML, power -1 of outer gradients": iteration(
                partial(maml, weighting=power_weights(-1), source="outer"), params, batch
            ),
            "MAML, first order": iteration(partial(maml, first_order=True), params, batch),
            "MAML, 5 inner steps": iteration(partial(maml, inner_steps=5), params, batch),
            "loop of chapter 02": lambda: loop(params, batch, 0.01),
            "Reptile, 5 inner steps, tanh 64": iteration(reptile_direction, tanh, small),
            "uniform weights alone": partial(uniform_weights, rng.normal(size=(TASKS, 1761))),
            "agreement weights alone": partial(agreement_weights, rng.normal(size=(TASKS, 1761))),
            "power -1 weights alone": partial(power_weights(-1), rng.normal(size=(TASKS, 1761))),
        }
    )
    peak = measured["matrix product 512"] * 2 * 512**3 / 1e6
    report = {
        "megaflops of a MAML step": megaflops(),
        "MAML step as a share of the matrix product's speed": ratio(measured["MAML"] * megaflops(), peak),
        "MAML against the loop of chapter 02": ratio(measured["MAML"], measured["loop of chapter 02"]),
        "agreement's time over uniform's": ratio(measured["MAML"], measured["MAML, agreement"]),
        "agreement of outer gradients' time over updates'": ratio(
            measured["MAML, agreement"], measured["MAML, agreement of outer gradients"]
        ),
        "power -1's time over uniform's": ratio(measured["MAML"], measured["MAML, power -1 of outer gradients"]),
        "first order's time over exact's": ratio(measured["MAML"], measured["MAML, first order"]),
        "5 inner steps' time over 1's": ratio(measured["MAML"], measured["MAML, 5 inner steps"]),
        "import gaml_utils, seconds over bare Python": import_seconds(),
    }
    for name, figures in measured.items():
        print(f"{name:34s} {1e6 / np.median(figures):9.0f} us")
    for name, value in report.items():
        print(f"{name:52s} {value:8.3f}")
    target = ROOT / "build" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    write_text(target, json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
