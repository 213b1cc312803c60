"""From the grid to trainings: which rules a setting has, and what is still to be run.

A cell is a setting, a learner and a rule. Its step size is chosen on validation tasks over the tuning seeds, then it is
trained over all seeds. A rule's name says what it compares: "agreement of updates", "agreement of outer" (gradients).
"""

import itertools

import numpy as np

from gaml_utils.experiments.trainings import key


def engine(config: dict, part: str) -> str:
    """What a setting is made of: "sines" (numbers, in NumPy) or "glyphs" (images, in Keras)."""
    return "glyphs" if config["settings"][part]["family"] == "glyphs" else "sines"


def rules_of(config: dict, part: str, learner: str) -> list[str]:
    """ "uniform", then each rule with what it compares; Reptile's updates are its outer directions."""
    setting = config["settings"][part]
    sources = ["updates"] if learner == "Reptile" else setting["sources"]
    return ["uniform", *(f"{r} of {s}" for r, s in itertools.product(setting["rules"], sources))]


def step_sizes(config: dict, part: str, learner: str) -> list[float]:
    """The one list that every rule of a learner is tuned over."""
    kind = engine(config, part)
    return config["glyphs"]["step_sizes"] if kind == "glyphs" else config["learners"][kind][learner]["step_sizes"]


def seeds(config: dict, part: str, name: str) -> list[int]:
    """name: "seeds" or "tuning_seeds", of the setting's kind."""
    return config[f"glyph_{name}" if engine(config, part) == "glyphs" else name]


def study_jobs(config: dict, done: dict) -> list[dict]:
    """Setting by setting: every cell at every step size over the tuning seeds, then the other seeds at the best one."""
    jobs: list[dict] = []
    for part in config["settings"]:
        cells = [
            (learner, rule)
            for learner in config["settings"][part]["learners"]
            for rule in rules_of(config, part, learner)
        ]
        tuning = [
            job(part, learner, rule, size, seed)
            for learner, rule in cells
            for size, seed in itertools.product(step_sizes(config, part, learner), seeds(config, part, "tuning_seeds"))
        ]
        jobs += tuning
        if not all(key(j) in done for j in tuning):
            return jobs
        runs = [done[key(j)] for j in tuning]
        chosen = {cell: tuned(config, runs, part, *cell) for cell in cells}
        others = [s for s in seeds(config, part, "seeds") if s not in seeds(config, part, "tuning_seeds")]
        rest = [job(part, *cell, chosen[cell], seed) for cell in cells for seed in others]
        control = config["control_seeds"] if part == "sines" else []  # uniform weights on other seeds
        rest += [job(part, *cell, chosen[cell], seed) for cell in cells if cell[1] == "uniform" for seed in control]
        jobs += rest
        if not all(key(j) in done for j in rest):
            return jobs
    return jobs


def job(part: str, learner: str, rule: str, step_size: float, seed: int) -> dict:
    """One training."""
    return {"part": part, "learner": learner, "rule": rule, "step_size": step_size, "seed": seed}


def tuned(config: dict, runs: list[dict], part: str, learner: str, rule: str) -> float:
    """The step size with the lowest validation error, averaged over the tuning seeds; diverged counts as infinite."""
    found: dict[float, list] = {}
    for run in runs:
        if key(run)[:3] == (part, learner, rule) and run["seed"] in seeds(config, part, "tuning_seeds"):
            error = run["validation_error"]
            found.setdefault(run["step_size"], []).append(np.inf if error is None else error)
    return min(found, key=lambda size: np.mean(found[size]))
