"""README's map of the book: every row's figure is that of a stored result, and what it links to is there."""

import re

import numpy as np
import pytest

from gaml_utils import learners, tasks, weighting
from gaml_utils.experiments import load
from gaml_utils.experiments.learners import cell
from gaml_utils.experiments.trainings import best_step_size, select
from gaml_utils.intervals import mean_interval, paired_comparison
from tests.support.checkout import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
TABLE = re.search("<!-- book -->\n(.*?)<!-- /book -->", README, re.DOTALL)
ROWS = {row.split("|")[1].strip(): row.split("|")[2:-1] for row in TABLE[1].splitlines()[2:]} if TABLE else {}


def percent(values):
    """Accuracies (seeds,) as "mean [low, high]%"."""
    m = mean_interval(100 * np.asarray(values))
    return f"{m.mean:.1f} [{m.low:.1f}, {m.high:.1f}]%"


def accuracy(name, file="metric", rule="uniform", field="test_error"):
    return percent(1 - cell(load(file), name, rule, field))


def error(name):
    m = mean_interval(cell(load("learners_sines"), name))
    return f"{m.mean:.3f} [{m.low:.3f}, {m.high:.3f}]"


def sines(learner):
    """Chapter 05's test MSE with uniform weights, at the best step size."""
    runs = load("sine_numpy")["runs"]
    size = best_step_size(runs, learner, "uniform")
    after = {"MAML": 1, "Reptile": 5}[learner]
    m = mean_interval(select(runs, "comparison", learner, "uniform", size, "test_mse")[:, after])
    return f"{m.mean:.3f} [{m.low:.3f}, {m.high:.3f}]"


def semi():
    with_them = 1 - cell(load("semi_supervised"), "semi-supervised prototypical")
    c = paired_comparison(100 * with_them, 100 * (1 - cell(load("metric"), "prototypical")))
    return f"{percent(with_them)}, {c.difference:+.1f} [{c.low:+.1f}, {c.high:+.1f}] points"


def agreement():
    runs = load("sine_numpy")["runs"]
    sides = [
        select(runs, "comparison", "MAML", rule, best_step_size(runs, "MAML", rule), "test_mse")[:, 1]
        for rule in ("agreement", "uniform")
    ]
    c = paired_comparison(*sides)
    return f"{c.difference:+.3f} [{c.low:+.3f}, {c.high:+.3f}]"


def of_weights(file, field, name="ADML"):
    """Accuracy with attacked queries, the first epsilon."""
    return percent(1 - cell(load(file), name, field=field))


def official(learner, training_set):
    """Percent error on the 400 trials."""
    runs = [r for r in load("omniglot_comparing")["runs"] if r["learner"] == learner]
    m = mean_interval(np.array([r["error"] for r in runs if r["part"].startswith(training_set)]))
    return f"{m.mean:.1f} [{m.low:.1f}, {m.high:.1f}]%"


FIGURES = {
    "siamese network": lambda: [accuracy("siamese")],
    "prototypical network": lambda: [
        accuracy("prototypical"),
        official("prototypical", "small1"),
        official("prototypical", "small2"),
    ],
    "Gaussian prototypical network": lambda: [accuracy("Gaussian prototypical")],
    "semi-prototypical network": lambda: [semi()],
    "relation network": lambda: [
        accuracy("relation"),
        official("relation", "small1"),
        official("relation", "small2"),
    ],
    "matching network": lambda: [accuracy("matching")],
    "memory-augmented network": lambda: [accuracy("MANN, 5,000 steps")],
    "MAML": lambda: [sines("MAML"), accuracy("MAML", "learners_glyphs")],
    "ADML": lambda: [
        of_weights("learners_glyphs", "query_attacked"),
        of_weights("learners_glyphs", "query_attacked", "MAML"),
    ],
    "CAML": lambda: [error("CAML"), error("MAML")],
    "Meta-SGD": lambda: [error("Meta-SGD"), error("MAML")],
    "Reptile": lambda: [sines("Reptile")],
    "gradient agreement": lambda: [agreement()],
    "TAML": lambda: [error("TAML, Theil, before, 0.1"), accuracy("TAML, entropy", "learners_glyphs")],
    "meta-imitation learning": lambda: [
        accuracy("MIL", "imitation"),
        accuracy("ignores the demonstration", "imitation"),
        accuracy("MIL", "imitation_mujoco"),
    ],
    "CACTUs": lambda: [accuracy("prototypical, instance", "cactus"), accuracy("prototypical, labels", "cactus")],
}


@pytest.mark.parametrize("system", FIGURES)
def test_what_a_system_reached_is_what_is_stored(system):
    reached, figures = ROWS[system][2], FIGURES[system]()
    assert all(figure in reached for figure in figures)
    told, stored = (re.findall(r"\[[-+0-9.]+, [-+0-9.]+\]", text) for text in (reached, " ".join(figures)))
    assert sorted(told) == sorted(stored)  # and no other is told


@pytest.mark.parametrize("system", ROWS)
def test_chapter_and_file_are_linked_and_the_class_is_there(system):
    chapters, classes, reached, _ = ROWS[system]
    links = re.findall(r"\]\(([^)]+)\)", chapters + reached)
    assert links and all((ROOT / link.partition("#")[0]).is_file() for link in links)
    assert system not in FIGURES or any(link.startswith("data/results/") for link in links)
    for name in re.findall(r"`(\w+)`", classes):
        assert any(hasattr(face, name) for face in (learners, tasks, weighting))


def test_every_system_of_the_book_that_has_a_row_has_figures_but_the_turing_machine():
    assert set(ROWS) - set(FIGURES) == {"neural Turing machine"} and set(FIGURES) <= set(ROWS)


def test_the_page_of_the_docs_has_the_same_table():
    page = (ROOT / "docs" / "map_of_the_book.md").read_text(encoding="utf-8")
    assert "{include} ../README.md" in page
    assert all(marker in README for marker in re.findall("<!-- /?book -->", page)) and "<!-- book -->" in page
