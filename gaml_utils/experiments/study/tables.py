"""The study in numbers: every rule against uniform weights, in percent of their error (chapter 10).

Tables are lines of text, made to be printed.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gaml_utils.experiments.study.plan import engine, rules_of, seeds, step_sizes, tuned
from gaml_utils.experiments.study.verdicts import against_uniform, cell

ORDER = ("agreement", "power 0.5", "leave one out", "cosine", "power -0.5", "power -1")
SOURCES = ("outer", "updates")


class Effect(NamedTuple):
    """A rule's error less that of uniform weights over the same seeds, in percent of theirs, with a 95% interval."""

    change: float
    low: float
    high: float

    @property
    def found(self) -> bool:
        """The interval leaves out 0."""
        return not self.low <= 0 <= self.high

    def __str__(self) -> str:
        return f"{self.change:+5.0f}% [{self.low:+4.0f}, {self.high:+4.0f}]{'*' if self.found else ' '}"


def effect(results: dict, part: str, learner: str, rule: str, field: str = "test_error") -> Effect | None:
    """The rule in one cell of the study, against uniform weights; None where a training diverged.

    field: "test_error", "test_median" or "test_worst", as study_job.error_summary names them.
    """
    there = narrowed(results, part, learner)
    found = against_uniform(there, part, learner, rule, field)
    if found is None:
        return None
    percent = 100 / cell(there, part, learner, "uniform", field).mean()
    return Effect(*(percent * value for value in (found.difference, found.low, found.high)))


def narrowed(results: dict, part: str, learner: str) -> dict:
    """Only the runs of one setting and learner: every look-up goes through all runs."""
    runs = [run for run in results["runs"] if run["part"] == part and run["learner"] == learner]
    return {"config": results["config"], "runs": runs}


def diverged(results: dict, part: str, learner: str, rule: str) -> int:
    """How many of the trainings of a cell diverged, at the rule's own step size."""
    return int(np.isnan(cell(results, part, learner, rule)).sum())


def columns(results: dict, learner: str) -> list[str]:
    """The rules a learner was trained with in any setting, with what they compare; outer gradients first."""
    config = results["config"]
    there = {rule for part in settings(results, learner) for rule in rules_of(config, part, learner)}
    return [name for source in SOURCES for rule in ORDER if (name := f"{rule} of {source}") in there]


def settings(results: dict, learner: str) -> list[str]:
    """The settings a learner was trained in, in the order of the plan."""
    return [part for part, s in results["config"]["settings"].items() if learner in s["learners"]]


def effect_lines(results: dict, part: str, learner: str, fields: Sequence[str] = ("test_error",)) -> str:
    """One line a rule: its effect on each field. A star: the interval, not corrected, leaves out 0."""
    lines = []
    for rule in rules_of(results["config"], part, learner)[1:]:
        found = [effect(results, part, learner, rule, field) for field in fields]
        lost = f"{diverged(results, part, learner, rule)} diverged" if None in found else ""
        lines.append(f"{rule:24s}" + "  ".join("" if e is None else str(e) for e in found) + lost)
    return "\n".join(line.rstrip() for line in lines)


def tally(results: dict, learner: str, rule: str) -> tuple[int, int, int, int]:
    """In how many settings a rule's error is lower than uniform weights', neither, higher; how often one diverged."""
    config, counts = results["config"], [0, 0, 0, 0]
    for part in settings(results, learner):
        if rule in rules_of(config, part, learner):
            e = effect(results, part, learner, rule)
            counts[3 if e is None else 1 if not e.found else 0 if e.change < 0 else 2] += 1
    return tuple(counts)


def at_an_end(results: dict) -> list[tuple[str, str, str, str]]:
    """Cells whose best step size is the smallest or largest of its list: (setting, learner, rule, "low" or "high")."""
    config, found = results["config"], []
    for part, setting in config["settings"].items():
        for learner in setting["learners"]:
            there = narrowed(results, part, learner)["runs"]
            for rule in rules_of(config, part, learner):
                tried, best = step_sizes(config, part, learner), tuned(config, there, part, learner, rule)
                if best in (tried[0], tried[-1]):
                    found.append((part, learner, rule, "low" if best == tried[0] else "high"))
    return found


def settings_lines(results: dict) -> str:
    """What each setting is, a line each; then the budget and the step sizes of each kind and learner."""
    config, lines = results["config"], []
    for part, s in config["settings"].items():
        others = f"{s['share']:.0%} others" if s["share"] else ""
        count = len(seeds(config, part, "seeds"))
        lines.append(f"{part:22s}{s['meta_batch']:3d} tasks, {count:2d} seeds  {others:11s} {', '.join(s['learners'])}")
    lines.append("")
    for kind, of_kind in config["learners"].items():
        parts = [part for part in config["settings"] if engine(config, part) == kind]
        for learner in (name for name in of_kind if any(name in config["settings"][p]["learners"] for p in parts)):
            part = next(p for p in parts if learner in config["settings"][p]["learners"])
            steps = config["glyphs"]["iterations"] if kind == "glyphs" else of_kind[learner]["iterations"]
            lines.append(f"{kind}, {learner}: {steps} outer steps, sizes {step_sizes(config, part, learner)}")
    return "\n".join(lines)


def learners_of(results: dict) -> list[str]:
    """In the order of how many settings they were trained in."""
    names = dict.fromkeys(name for s in results["config"]["settings"].values() for name in s["learners"])
    return sorted(names, key=lambda name: -len(settings(results, name)))


def tally_lines(results: dict) -> str:
    """A line a rule: in how many settings its error is lower, neither, higher; in how many a training diverged."""
    lines = []
    for learner in learners_of(results):
        lines.append(f"{learner:26s} lower neither  higher  diverged")
        for rule in columns(results, learner):
            lines.append(f"  {rule:23s} " + "".join(f"{n:6d}  " for n in tally(results, learner, rule)).rstrip())
    return "\n".join(lines)


def end_lines(results: dict) -> str:
    """How many best step sizes stand at an end of their list, a line a learner."""
    config, ends, lines = results["config"], at_an_end(results), []
    for learner in learners_of(results):
        fields = sum(len(rules_of(config, part, learner)) for part in settings(results, learner))
        mine = [end for end in ends if end[1] == learner]
        low, uniform = sum(end[3] == "low" for end in mine), sum(end[2] == "uniform" for end in mine)
        lines.append(
            f"{learner:17s} {fields:3d} fields: {low} at the low end, {len(mine) - low} at the high end; "
            f"of these {uniform} with uniform weights"
        )
    return "\n".join(lines)


def cpu_lines(results: dict, part: str) -> str:
    """Median CPU seconds of a training, a line a learner: with uniform weights, and how many times that with a rule."""
    lines = []
    for learner in results["config"]["settings"][part]["learners"]:
        there, rules = narrowed(results, part, learner), rules_of(results["config"], part, learner)
        seconds = {rule: np.nanmedian(cell(there, part, learner, rule, "cpu_seconds")) for rule in rules}
        line = f"{part}, {learner}: {seconds['uniform']:.1f} seconds"
        for source in SOURCES:
            times = [value / seconds["uniform"] for rule, value in seconds.items() if rule.endswith(source)]
            line += f"; of {source} {min(times):.1f} to {max(times):.1f} times" if times else ""
        lines.append(line)
    return "\n".join(lines)


def sign_lines(results: dict) -> str:
    """The share of negative weights under agreement, a line a setting, over the second half of the trainings."""
    places = (("MAML", "outer"), ("MAML", "updates"), ("Reptile", "updates"))
    lines = [f"{'':20s}" + "".join(f"  {learner} of {source}" for learner, source in places)]
    for part, s in results["config"]["settings"].items():
        line = f"{part:20s}"
        for learner, source in places:
            width, shown = len(f"  {learner} of {source}"), ""
            if learner in s["learners"] and f"agreement of {source}" in rules_of(results["config"], part, learner):
                shown = f"{np.nanmean(cell(results, part, learner, f'agreement of {source}', 'negative_share')):.0%}"
            line += f"{shown:>{width}s}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def outlier_lines(results: dict, learner: str = "MAML", source: str = "outer") -> str:
    """The mean weight of an outlier times T (uniform is 1), the share of negative weights, the effect on the error."""
    lines = []
    for part in settings(results, learner):
        if 0 < results["config"]["settings"][part]["share"] < 0.5 and engine(results["config"], part) == "sines":
            for rule in columns(results, learner):
                if rule.endswith(source) and rule in rules_of(results["config"], part, learner):
                    weight, negative = (
                        np.nanmean(cell(results, part, learner, rule, field))
                        for field in ("others_weight", "negative_share")
                    )
                    change = effect(results, part, learner, rule) or "diverged"
                    line = f"{part:19s} {rule:23s} weight {weight:+6.2f}   negative {negative:3.0%}   error {change}"
                    lines.append(line.rstrip())
    return "\n".join(lines)
