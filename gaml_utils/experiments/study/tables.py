"""The study in numbers: every rule against uniform weights, in percent of their error (chapter 10).

Tables are lines of text, made to be printed.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gaml_utils.experiments.records import SOURCES, Results, Weighing
from gaml_utils.experiments.study.plan import engine, rules_of, seeds, step_sizes, tuned
from gaml_utils.experiments.study.verdicts import against_uniform, cell
from gaml_utils.intervals import Comparison

FIRST = ("agreement", "power 0.5", "leave one out", "cosine", "power -0.5", "power -1")  # in tables; then the others


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


def effect(results: Results, part: str, learner: str, rule: str, field: str = "test_error") -> Effect | None:
    """The rule in one cell of the study, against uniform weights; None where a training diverged.

    field: "test_error", "test_median" or "test_worst", as measures.error_summary names them.
    """
    there = only(results, part, learner)
    return in_percent(there, part, learner, against_uniform(there, part, learner, rule, field), field)


def in_percent(
    results: Results, part: str, learner: str, found: Comparison | None, field: str = "test_error"
) -> Effect | None:
    """A comparison with uniform weights as an Effect."""
    if found is None:
        return None
    percent = 100 / cell(results, part, learner, "uniform", field).mean()
    return Effect(*(percent * value for value in (found.difference, found.low, found.high)))


def only(results: Results, part: str, learner: str) -> Results:
    """Only the runs of one setting and learner: every look-up goes through all runs."""
    runs = [run for run in results["runs"] if run["part"] == part and run["learner"] == learner]
    return results | {"runs": runs}


def diverged(results: Results, part: str, learner: str, rule: str) -> int:
    """How many of the trainings of a cell diverged, at the rule's own step size."""
    return int(np.isnan(cell(results, part, learner, rule)).sum())


def columns(results: Results, learner: str) -> list[str]:
    """The rules a learner was trained with in any setting, with what they compare; outer gradients first."""
    config = results["config"]
    names = dict.fromkeys(name for part in settings(results, learner) for name in rules_of(config, part, learner)[1:])

    def place(weighing: Weighing) -> tuple[int, int]:
        rank = FIRST.index(weighing.rule) if weighing.rule in FIRST else len(FIRST)
        return SOURCES.index(weighing.source or SOURCES[0]), rank

    return [str(weighing) for weighing in sorted(map(Weighing.named, names), key=place)]


def settings(results: Results, learner: str) -> list[str]:
    """The settings a learner was trained in, in the order of the plan."""
    return [part for part, s in results["config"]["settings"].items() if learner in s["learners"]]


def effect_lines(results: Results, part: str, learner: str, fields: Sequence[str] = ("test_error",)) -> str:
    """One line per rule: its effect on each field. A star: the interval, not corrected, leaves out 0."""
    lines = []
    for rule in rules_of(results["config"], part, learner)[1:]:
        found = [effect(results, part, learner, rule, field) for field in fields]
        lost = f"{diverged(results, part, learner, rule)} diverged" if None in found else ""
        lines.append(f"{rule:24s}" + "  ".join("" if e is None else str(e) for e in found) + lost)
    return "\n".join(line.rstrip() for line in lines)


def tally(results: Results, learner: str, rule: str) -> tuple[int, int, int, int]:
    """In how many settings a rule's error is lower than uniform weights', neither, higher; how often one diverged.

    The setting with nothing to learn is left out: there the smallest step wins, and that is no gain.
    """
    config, counts = results["config"], [0, 0, 0, 0]
    for part in settings(results, learner):
        if part != "nothing to learn" and rule in rules_of(config, part, learner):
            e = effect(results, part, learner, rule)
            counts[3 if e is None else 1 if not e.found else 0 if e.change < 0 else 2] += 1
    lower, neither, higher, lost = counts
    return lower, neither, higher, lost


def at_an_end(results: Results) -> list[tuple[str, str, str, str]]:
    """Cells whose best step size is the smallest or largest of its list: (setting, learner, rule, "low" or "high")."""
    config, found = results["config"], []
    for part, setting in config["settings"].items():
        for learner in setting["learners"]:
            there = only(results, part, learner)["runs"]
            for rule in rules_of(config, part, learner):
                tried, best = step_sizes(config, part, learner), tuned(config, there, part, learner, rule)
                if best in (tried[0], tried[-1]):
                    found.append((part, learner, rule, "low" if best == tried[0] else "high"))
    return found


def settings_lines(results: Results) -> str:
    """What each setting is, a line each; then the budget and the step sizes of each kind and learner."""
    config, lines = results["config"], []
    for part, s in config["settings"].items():
        others = f"{s['share']:.0%} others" if s["share"] else ""
        count = len(seeds(config, part))
        lines.append(f"{part:22s}{s['meta_batch']:3d} tasks, {count:2d} seeds  {others:11s} {', '.join(s['learners'])}")
    lines.append("")
    for kind, of_kind in config["learners"].items():
        parts = [part for part in config["settings"] if engine(config, part) == kind]
        for learner in (name for name in of_kind if any(name in config["settings"][p]["learners"] for p in parts)):
            part = next(p for p in parts if learner in config["settings"][p]["learners"])
            steps = config["glyphs"]["iterations"] if kind == "glyphs" else of_kind[learner]["iterations"]
            lines.append(f"{kind}, {learner}: {steps} outer steps, sizes {step_sizes(config, part, learner)}")
    return "\n".join(lines)


def learners_of(results: Results) -> list[str]:
    """In the order of how many settings they were trained in."""
    names = dict.fromkeys(name for s in results["config"]["settings"].values() for name in s["learners"])
    return sorted(names, key=lambda name: -len(settings(results, name)))


def tally_lines(results: Results) -> str:
    """A line per rule: in how many settings its error is lower, neither, higher; in how many a training diverged."""
    lines = []
    for learner in learners_of(results):
        lines.append(f"{learner:26s} lower neither  higher  diverged")
        for rule in columns(results, learner):
            lines.append(f"  {rule:23s} " + "".join(f"{n:6d}  " for n in tally(results, learner, rule)).rstrip())
    return "\n".join(lines)


def end_lines(results: Results) -> str:
    """How many best step sizes stand at an end of their list, a line per learner."""
    config, ends, lines = results["config"], at_an_end(results), []
    for learner in learners_of(results):
        fields = sum(len(rules_of(config, part, learner)) for part in settings(results, learner))
        of_learner = [end for end in ends if end[1] == learner]
        low, uniform = sum(end[3] == "low" for end in of_learner), sum(end[2] == "uniform" for end in of_learner)
        lines.append(
            f"{learner:17s} {fields:3d} fields: {low} at the low end, {len(of_learner) - low} at the high end; "
            f"of these {uniform} with uniform weights"
        )
    return "\n".join(lines)


def cpu_seconds(results: Results, part: str, learner: str, rule: str) -> float:
    """Median CPU seconds of a training at the rule's own step size, over the seeds; those that diverged left out."""
    return float(np.nanmedian(cell(only(results, part, learner), part, learner, rule, "cpu_seconds")))


def cpu_ratio(results: Results, part: str, learner: str, rule: str) -> float:
    """cpu_seconds of a rule, those of uniform weights being 1; NaN where those are too short to be measured."""
    uniform = cpu_seconds(results, part, learner, "uniform")
    return cpu_seconds(results, part, learner, rule) / uniform if uniform > 0 else float("nan")


def cpu_lines(results: Results, part: str) -> str:
    """A line per learner: cpu_seconds with uniform weights, and the range of cpu_ratio of the rules."""
    lines = []
    for learner in results["config"]["settings"][part]["learners"]:
        line = f"{part}, {learner}: {cpu_seconds(results, part, learner, 'uniform'):.1f} seconds"
        for source in SOURCES:
            names = [
                name for name in rules_of(results["config"], part, learner) if Weighing.named(name).source == source
            ]
            times = [cpu_ratio(results, part, learner, name) for name in names]
            line += f"; of {source} {min(times):.1f} to {max(times):.1f} times" if times else ""
        lines.append(line)
    return "\n".join(lines)


def sign_lines(results: Results) -> str:
    """The share of negative weights under agreement, a line per setting, over the second half of the trainings."""
    places = (("MAML", "outer"), ("MAML", "updates"), ("Reptile", "updates"))
    lines = [f"{'':20s}" + "".join(f"  {learner} of {source}" for learner, source in places)]
    for part, s in results["config"]["settings"].items():
        line = f"{part:20s}"
        for learner, source in places:
            width, shown, rule = len(f"  {learner} of {source}"), "", str(Weighing("agreement", source))
            if learner in s["learners"] and rule in rules_of(results["config"], part, learner):
                shown = f"{np.nanmean(cell(results, part, learner, rule, 'negative_share')):.0%}"
            line += f"{shown:>{width}s}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def outlier_lines(results: Results, learner: str = "MAML", source: str = "outer") -> str:
    """The mean weight of an outlier times T (uniform is 1), the share of negative weights, the effect on the error."""
    lines = []
    for part in settings(results, learner):
        if 0 < results["config"]["settings"][part]["share"] < 0.5 and engine(results["config"], part) == "sines":
            for rule in columns(results, learner):
                if Weighing.named(rule).source == source and rule in rules_of(results["config"], part, learner):
                    weight, negative = (
                        np.nanmean(cell(results, part, learner, rule, field))
                        for field in ("others_weight", "negative_share")
                    )
                    change = effect(results, part, learner, rule) or "diverged"
                    line = f"{part:19s} {rule:23s} weight {weight:+6.2f}  negative {negative:3.0%}  error {change}"
                    lines.append(line.rstrip())
    return "\n".join(lines)
