"""The other learners under several rules: what is trained, and how step sizes are chosen. No TensorFlow here.

A cell is a learner and a rule. Two step sizes are chosen on validation tasks, over tuning seeds that are not among the
test seeds. First, with uniform weights, the inner one (of a learner without an inner loop its temperature) together
with the outer; the inner one is then held for all rules. Then the outer one, for each cell, over one list for all cells
of a kind of learner. A list whose end wins is extended.
"""

import itertools
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import numpy as np

from gaml_utils.experiments.learners.plan_comparing import CACTUS_HEADLINES, METRIC_HEADLINES
from gaml_utils.experiments.learners.plan_imitation import IMITATION_HEADLINES
from gaml_utils.experiments.learners.settings import GLYPH_RULES, RULES, UNIFORM, Planned, learner
from gaml_utils.experiments.records import Job, Run, job, key
from gaml_utils.experiments.trainings import all_done, best_step_size, errors_by_step_size

# what a list can be extended to
INNER_SIZES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0]
TEMPERATURES = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0]
OUTER_SIZES = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1]
FIRST_CHOSEN = {  # setting -> its part, and the sizes that are known
    "inner_lr": ("inner", INNER_SIZES),
    "temperature": ("temperature", TEMPERATURES),
    "strength": ("strength", [10.0]),
}


TAML_SINES = {
    f"TAML, {measure}, {losses}, {strength:g}": learner(
        "TAML", [UNIFORM], "MAML", measure=name, order=order, losses=losses, strength=strength
    )
    for (measure, name, order), losses, strength in itertools.product(
        [("Theil", "theil", None), ("GE(2)", "generalised entropy", 2.0), ("Gini", "gini", None)],
        ["before", "after"],
        [0.1, 1.0],
    )
}

LEARNERS_SINES: Any = {
    "family": "sines",
    "seeds": list(range(10)),
    "tuning_seeds": [200, 201, 202, 203, 204],
    "control_seeds": list(range(100, 110)),  # uniform weights against themselves
    "headline_seeds": [],  # more test seeds, for the learners of headlines
    "iterations": 4000,
    "meta_batch": 25,
    "shots": 10,
    "queries": 10,
    "validation_tasks": 300,
    "test_tasks": 600,
    "test_queries": 50,
    "step_sizes": [0.001, 0.003, 0.01],
    "learners": {
        "MAML": learner("MAML", RULES, [0.003, 0.01, 0.03]),
        "Meta-SGD": learner("Meta-SGD", RULES, [0.003, 0.01, 0.03]),
        "CAML": learner("CAML", RULES, [0.3, 1.0, 3.0], context=3),
        **{f"CAML, k = {k}": learner("CAML", [UNIFORM], "CAML", context=k) for k in (1, 2, 5)},
        **TAML_SINES,
    },
}

LEARNERS_GLYPHS: Any = {
    "family": "glyphs",
    "seeds": list(range(5)),
    "tuning_seeds": [200, 201, 202],
    "control_seeds": list(range(100, 105)),
    "headline_seeds": list(range(5, 10)),
    "iterations": 1000,
    "meta_batch": 8,
    "ways": 5,
    "filters": 16,
    "shots": 1,
    "queries": 3,
    "validation_tasks": 150,
    "test_tasks": 300,
    "test_queries": 5,
    "epsilons": [0.1, 0.2],  # of attacks on support or query, at the test
    "step_sizes": [0.001, 0.003, 0.01],
    "learners": {
        "MAML": learner("MAML", GLYPH_RULES, [0.1, 0.3, 1.0]),
        "Meta-SGD": learner("Meta-SGD", GLYPH_RULES, [0.1, 0.3, 1.0]),
        "CAML": learner("CAML", GLYPH_RULES, [0.3, 1.0, 3.0], context=64, inner_steps=2),
        "TAML, entropy": learner("TAML", GLYPH_RULES, "MAML", measure="entropy", strength=0.1),
        "ADML": learner("ADML", GLYPH_RULES, "MAML", epsilon=0.1),
        "ADML, uncrossed": learner("ADML, uncrossed", [UNIFORM], "MAML", epsilon=0.1),
        "ADML, only queries": learner("ADML, only queries", [UNIFORM], "MAML", epsilon=0.1),
    },
}
ATTACKED = ["MAML", "ADML", "ADML, uncrossed", "ADML, only queries"]  # glyph learners that are tested under attack

# Declared before the run: file -> name -> ((learner, rule), against (learner, rule), field, expected)
HEADLINES: dict[str, dict[str, Planned]] = {
    "learners_sines": {
        "L1": (("Meta-SGD", "agreement of updates"), ("Meta-SGD", UNIFORM), "test_error", "worse"),
        "L2": (("Meta-SGD", "power -1 of outer"), ("Meta-SGD", UNIFORM), "test_error", "no difference"),
        "L3": (("CAML", "agreement of updates"), ("CAML", UNIFORM), "test_error", "worse"),
        "L4": (("CAML", "power -1 of outer"), ("CAML", UNIFORM), "test_error", "no difference"),
        "L5": (("Meta-SGD", UNIFORM), ("MAML", UNIFORM), "test_error", "better"),
        "L6": (("CAML", UNIFORM), ("MAML", UNIFORM), "test_error", "better"),
        "L7": (("TAML, Theil, before, 1", UNIFORM), ("MAML", UNIFORM), "test_error", "worse"),
    },
    "learners_glyphs": {"L8": (("ADML", UNIFORM), ("MAML", UNIFORM), "query_attacked", "better")},
    "cactus": CACTUS_HEADLINES,
    "metric": METRIC_HEADLINES,
    "semi_supervised": {},
    "imitation": IMITATION_HEADLINES,
    "imitation_mujoco": {},
}
# files whose headlines are corrected as one
TOGETHER = [
    ("learners_sines", "learners_glyphs"),
    ("cactus",),
    ("metric", "semi_supervised"),
    ("imitation", "imitation_mujoco"),
]


def learner_jobs(config: Any, done: dict[tuple, Run]) -> list[Job]:
    """All trainings that are known to be wanted so far: of each kind of learner up to the stage it has reached."""
    jobs: list[Job] = []
    for kind in dict.fromkeys(s["kind"] for s in config["learners"].values()):
        for stage in stages(config, kind, done):
            jobs += [j for j in stage if j not in jobs]
            if not all_done(stage, done):
                break
    return jobs


def stages(config: Any, kind: str, done: dict[tuple, Run]) -> Iterator[list[Job]]:
    """The trainings of one kind of learner, stage after stage; a stage is known when those before it are done."""
    members = {name: s for name, s in config["learners"].items() if s["kind"] == kind}
    first, inner = next(iter(members.items()))
    of_inner = first if isinstance(inner["inner"], list) else inner["inner"]  # whose inner step size they take
    if isinstance(of_inner, str):
        yield from inner_stages(config, of_inner, done)
        part = part_of(inner_size(config, of_inner, done), tuned(config, of_inner))
    else:  # it was given
        part = part_of(of_inner, tuned(config, first))
    cells = [(name, rule) for name, s in members.items() for rule in s["rules"]]
    sizes = config["step_sizes"]
    while True:
        yield tuning(config, part, cells, sizes)
        winners = [best_of(config, done, part, sizes, *cell) for cell in cells]
        longer = extended(sizes, winners, OUTER_SIZES)
        if longer == sizes:
            break
        sizes = longer
    yield [
        job(part, name, rule, size, seed)
        for (name, rule), size in zip(cells, winners, strict=True)
        for seed in test_seeds(config, name, rule)
    ]


def inner_stages(config: Any, name: str, done: dict[tuple, Run]) -> Iterator[list[Job]]:
    """Uniform weights at each pair of an inner and an outer step size; an inner list whose end wins is extended."""
    inner, setting = config["learners"][name]["inner"], tuned(config, name)
    while True:
        yield [j for a in inner for j in tuning(config, part_of(a, setting), [(name, UNIFORM)], config["step_sizes"])]
        longer = extended(inner, [best_inner(config, done, name, inner)], FIRST_CHOSEN[setting][1])
        if longer == inner:
            return
        inner = longer


def inner_size(config: Any, name: str, done: dict[tuple, Run]) -> float:
    """The inner step size that inner_stages, all of them done, have chosen."""
    inner = config["learners"][name]["inner"]
    while True:
        best = best_inner(config, done, name, inner)
        longer = extended(inner, [best], FIRST_CHOSEN[tuned(config, name)][1])
        if longer == inner:
            return best
        inner = longer


def best_inner(config: Any, done: dict[tuple, Run], name: str, inner: list[float]) -> float:
    """The inner step size that is best at its own best outer one, with uniform weights."""

    def error(a: float) -> float:
        part = part_of(a, tuned(config, name))
        found = tuning_errors(config, done, part, config["step_sizes"], name, UNIFORM)
        return min(float(np.mean(errors)) for errors in found.values())

    return min(inner, key=error)


def best_of(config: Any, done: dict[tuple, Run], part: str, sizes: list[float], name: str, rule: str) -> float:
    """The outer step size of a cell with the lowest validation error, averaged over the tuning seeds."""
    runs = [done[key(j)] for j in tuning(config, part, [(name, rule)], sizes)]
    return best_step_size(runs, name, rule, part=part, error=itemgetter("validation_error"))


def tuning_errors(
    config: Any, done: dict[tuple, Run], part: str, sizes: list[float], name: str, rule: str
) -> dict[float, list[float]]:
    """Outer step size -> validation errors over the tuning seeds."""
    runs = [done[key(j)] for j in tuning(config, part, [(name, rule)], sizes)]
    return errors_by_step_size(runs, name, rule, part=part, error=itemgetter("validation_error"))


def tuning(config: Any, part: str, cells: list[tuple[str, str]], sizes: list[float]) -> list[Job]:
    """Each cell at each of the outer step sizes, over the tuning seeds."""
    return [job(part, *cell, size, seed) for cell in cells for size in sizes for seed in config["tuning_seeds"]]


def test_seeds(config: Any, name: str, rule: str) -> list[int]:
    """Those of a cell: more for a headline, others as well for the control, uniform weights against themselves."""
    headline = any((name, rule) in h[:2] for h in HEADLINES[file_of(config)].values())
    control = rule == UNIFORM and isinstance(config["learners"][name]["inner"], list)
    return config["seeds"] + config["headline_seeds"] * headline + config["control_seeds"] * control


def extended(sizes: list[float], winners: list[float], known: list[float]) -> list[float]:
    """The list, with the next size that is known at each end that wins."""
    at = sorted(known.index(size) for size in sizes)
    low = known[at[0] - 1 : at[0]] if at[0] > 0 and known[at[0]] in winners else []
    high = known[at[-1] + 1 : at[-1] + 2] if known[at[-1]] in winners else []
    return [*low, *sizes, *high]


def file_of(config: Any) -> str:
    """The name of a plan's file of results."""
    return f"learners_{config['family']}" if config["family"] in ("sines", "glyphs") else config["family"]


def tuned(config: Any, name: str) -> str:
    """The setting of a learner that is chosen together with its outer step size: inner_lr, or what it has instead."""
    return config["learners"][name].get("tuned", "inner_lr")


def part_of(value: float, setting: str = "inner_lr") -> str:
    """A training's part: its inner step size, or what its learner has instead."""
    return f"{FIRST_CHOSEN[setting][0]} {value:g}"
