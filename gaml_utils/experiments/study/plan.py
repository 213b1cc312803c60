"""From the grid to trainings: which rules a setting has, and what is still to be run.

A cell is a setting, a learner and a rule. Its step size is chosen on validation tasks over the tuning seeds, then it is
trained over all seeds. A rule's name says what it compares: see records.Weighing.
"""

import itertools
from collections.abc import Sequence

from gaml_utils.checks import known
from gaml_utils.experiments.records import SOURCES, Config, Job, Run, Weighing, job, key
from gaml_utils.experiments.trainings import all_done, best_step_size

UPDATES_ARE_DIRECTIONS = ("Reptile",)  # learners whose updates are their outer directions: there is one kind of rule


def engine(config: Config, part: str) -> str:
    """What a setting is made of: "sines" (numbers, in NumPy) or "glyphs" (images, in Keras)."""
    return "glyphs" if known("part", part, config["settings"])["family"] == "glyphs" else "sines"


def sources_of(learner: str, compared: Sequence[str] = SOURCES) -> tuple[str, ...]:
    """What a learner's rules compare, of what is compared in a setting."""
    return ("updates",) if learner in UPDATES_ARE_DIRECTIONS else tuple(compared)


def rules_of(config: Config, part: str, learner: str) -> list[str]:
    """ "uniform", then the name of each rule with what it compares."""
    setting = known("part", part, config["settings"])
    pairs = itertools.product(setting["rules"], sources_of(learner, setting["sources"]))
    return ["uniform", *(str(Weighing(*pair)) for pair in pairs)]


def step_sizes(config: Config, part: str, learner: str) -> list[float]:
    """The one list that every rule of a learner is tuned over."""
    kind = engine(config, part)
    settings = known("learner", learner, config["learners"][kind])
    return config["glyphs"]["step_sizes"] if kind == "glyphs" else settings["step_sizes"]


def seeds(config: Config, part: str, tuning: bool = False) -> list[int]:
    """All seeds of a setting, or those that its step sizes are chosen over."""
    if engine(config, part) == "glyphs":
        return config["glyph_tuning_seeds"] if tuning else config["glyph_seeds"]
    return config["tuning_seeds"] if tuning else config["seeds"]


def study_jobs(config: Config, done: dict[tuple, Run]) -> list[Job]:
    """Setting by setting: every cell at every step size over the tuning seeds, then the other seeds at the best one."""
    jobs: list[Job] = []
    for part in config["settings"]:
        cells = [
            (learner, rule)
            for learner in config["settings"][part]["learners"]
            for rule in rules_of(config, part, learner)
        ]
        tuning = [
            job(part, learner, rule, size, seed)
            for learner, rule in cells
            for size, seed in itertools.product(step_sizes(config, part, learner), seeds(config, part, tuning=True))
        ]
        jobs += tuning
        if not all_done(tuning, done):
            return jobs
        runs = [done[key(j)] for j in tuning]
        chosen = {cell: tuned(config, runs, part, *cell) for cell in cells}
        others = [s for s in seeds(config, part) if s not in seeds(config, part, tuning=True)]
        rest = [job(part, *cell, chosen[cell], seed) for cell in cells for seed in others]
        control = config["control_seeds"] if part == "sines" else []  # uniform weights on other seeds
        rest += [job(part, *cell, chosen[cell], seed) for cell in cells if cell[1] == "uniform" for seed in control]
        jobs += rest
        if not all_done(rest, done):
            return jobs
    return jobs


def tuned(config: Config, runs: Sequence[Run], part: str, learner: str, rule: str) -> float:
    """The step size with the lowest validation error, averaged over the tuning seeds; diverged counts as infinite."""
    over = seeds(config, part, tuning=True)
    return best_step_size(runs, learner, rule, part=part, seeds=over, error=validation_error)


def validation_error(run: Run) -> float | None:
    """What step sizes are chosen by; None where the training diverged."""
    return run["validation_error"]
