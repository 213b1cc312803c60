"""Chapter 08's learner with agreement, trained by several workers: the same learner, and as good?

    python -m gaml_utils.learners.workers --workers 2 gaml_utils/experiments/glyphs/training_together.py

In float64 its parameters after 20 outer steps are compared with those of one process. Then it is trained in full with
every seed of chapter 08, and its accuracy on the test scripts is held against the 95% interval that is stored there.
What is finished is kept in --folder, apart for each code and number of workers; after an interruption the same command
goes on from there, bit for bit.
--steps N: no more than the first part, of N outer steps. --seeds 0 1: of the second part these. --store writes
data/results/glyphs_together.json. Exit code 1 where an answer is no.
"""

import argparse
import hashlib
import json
import pathlib
import sys
from typing import Any

import numpy as np

from gaml_utils.code import code_digest
from gaml_utils.experiments.files import RESULTS, load, versions, write_json
from gaml_utils.experiments.glyphs.plan import GLYPHS, tuned_step_size
from gaml_utils.experiments.glyphs.training import BLOCKS, accuracies, train_job
from gaml_utils.experiments.records import Config, Job, job
from gaml_utils.experiments.trainings import select
from gaml_utils.intervals import mean_interval
from gaml_utils.paths import BUILD
from gaml_utils.reproducibility import reproducible
from gaml_utils.writing import write_text

SCRIPT = "gaml_utils/experiments/glyphs/training_together.py"
LEARNER, RULE = "MAML", "agreement"
EXACT_STEPS, ROUNDING = 20, 1e-12


def digest(learner: Any) -> str:
    """Of the parameters, bit for bit."""
    return hashlib.sha256(b"".join(v.numpy().tobytes() for v in learner.outer_variables)).hexdigest()[:16]


def largest_difference(config: Config, training: Job, workers: Any, steps: int) -> float:
    """Between parameters by these workers and by one process after so many outer steps, in float64.

    All workers have to call this; the first of them is the one process as well.
    """
    few: Config = {**config, "iterations": steps * BLOCKS, "dtype": "float64"}
    together, _ = train_job(few, training, 1, workers)
    alone = train_job(few, training, 1)[0] if workers.first else together
    pairs = zip(together.outer_variables, alone.outer_variables, strict=True)
    return max(float(np.abs(a.numpy() - b.numpy()).max()) for a, b in pairs)


def trained(config: Config, training: Job, workers: Any, folder: pathlib.Path) -> dict:
    """The accuracies of one training in full, and the digest of its parameters; kept in the folder when it is done."""
    import keras

    path = folder / f"seed_{training['seed']}.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    workers.agree(trainings_that_are_done=str(kept))
    if kept is not None:
        return kept
    backup = keras.callbacks.BackupAndRestore(folder / f"seed_{training['seed']}", delete_checkpoint=False)
    learner, _ = train_job(config, training, workers=workers, callbacks=[backup])
    run: dict = {**training, "workers": workers.count, "digest": digest(learner)}
    if workers.first:
        run["test_accuracy"] = accuracies(config, learner, "test", config["test_shots"], config["test_episodes"])
        write_text(path, json.dumps(run))
    return run


def compared(config: Config, runs: list[dict], stored: np.ndarray) -> bool:
    """Print the mean accuracies beside the stored ones, (seeds, shots): does each lie within the 95% interval?"""
    within = True
    for k, shots in enumerate(config["test_shots"]):
        mean = float(np.mean([run["test_accuracy"][k][0] for run in runs]))
        there = mean_interval(stored[:, k])
        within &= bool(there.low <= mean <= there.high)
        print(
            f"{shots}-shot: {runs[0]['workers']} workers {mean:.2%}; chapter 08 {there.mean:.2%}, 95% interval "
            f"{there.low:.2%} to {there.high:.2%}; within it: {there.low <= mean <= there.high}"
        )
    return within


def main() -> int:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, help="the comparison in float64 alone, after so many outer steps")
    parser.add_argument("--seeds", type=int, nargs="+", default=GLYPHS["seeds"])
    parser.add_argument("--folder", type=pathlib.Path, default=BUILD / "together")
    parser.add_argument("--store", action="store_true", help="write data/results/glyphs_together.json")
    given = parser.parse_args()

    reproducible()
    from gaml_utils.learners.workers import join_workers

    workers, runs = join_workers(), load("glyphs")["runs"]
    step_size = tuned_step_size(GLYPHS, runs, LEARNER, RULE)
    folder = given.folder / f"{workers.count}_workers_{code_digest()[:12]}"
    trainings = [job("comparison", LEARNER, RULE, step_size, seed) for seed in given.seeds]
    difference = largest_difference(GLYPHS, trainings[0], workers, given.steps or EXACT_STEPS)
    fine = not workers.first or difference <= ROUNDING
    if workers.first:
        print(
            f"float64, {given.steps or EXACT_STEPS} outer steps: {workers.count} workers and one process differ by "
            f"{difference:.1e}, by no more than {ROUNDING:.0e}: {fine}",
            flush=True,
        )
    if given.steps:
        return int(not fine)
    done = []
    for training in trainings:
        run = trained(GLYPHS, training, workers, folder)
        done.append(run)
        if workers.first:
            shown = ", ".join(f"{a[0]:.2%}" for a in run["test_accuracy"])
            print(f"seed {run['seed']}: 1 and 5 shots {shown}; parameters {run['digest']}", flush=True)
    workers.agree(trainings_done=str(len(done)))  # the first tests meanwhile: who left now would look like a crash
    if not workers.first:
        return 0
    stored = select(runs, "comparison", LEARNER, RULE, step_size, "test_accuracy")[..., 0]
    fine &= compared(GLYPHS, done, stored)
    if given.store:
        command = f"python -m gaml_utils.learners.workers --workers {workers.count} {SCRIPT} --store"
        content = {"command": command, "config": GLYPHS, "versions": versions(keras=True), "difference": difference}
        write_json(RESULTS / "glyphs_together.json", content | {"runs": done})
    return int(not fine)


if __name__ == "__main__":
    sys.exit(main())
