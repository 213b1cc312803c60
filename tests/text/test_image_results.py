"""The numbers that README and chapters 08 and 09 state are those of the results files, and the files can be made again.

Whole trainings take minutes each: the commands in the files repeat them. Here their first stretch is repeated.
"""

import itertools
import json

import nbformat
import numpy as np
import pytest

from gaml_utils.experiments.files import RESULTS, load
from gaml_utils.experiments.glyphs import plan as glyph_plan
from gaml_utils.experiments.glyphs import training as glyph_runs
from gaml_utils.experiments.omniglot import training as omniglot_runs
from gaml_utils.experiments.registry import EXPERIMENTS
from gaml_utils.experiments.trainings import select
from gaml_utils.intervals import paired_comparison
from tests.support.checkout import ROOT
from tests.support.omniglot import needs_omniglot

README = (ROOT / "README.md").read_text(encoding="utf-8")
GLYPHS, OMNIGLOT = load("glyphs"), load("omniglot")
LEARNERS = list(GLYPHS["config"]["learners"])
RULES = ("uniform", "agreement")


def chapter(name: str) -> str:
    """Its prose."""
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def accuracies(learner: str, rule: str, shots: int, part: str = "comparison") -> np.ndarray:
    """(seeds,): test accuracy at the rule's best step size."""
    config, runs = GLYPHS["config"], GLYPHS["runs"]
    best = glyph_plan.tuned_step_size(config, runs, learner, rule)
    return select(runs, part, learner, rule, best, "test_accuracy")[:, config["test_shots"].index(shots), 0]


def errors(part: str, rule: str, name: str = "error") -> np.ndarray:
    """(seeds, ...): of the official Omniglot runs, percent."""
    return np.array([run[name] for run in OMNIGLOT["runs"] if (run["part"], run["rule"]) == (part, rule)])


# ---------------------------------------------------------------- characters of chapter 08


@pytest.mark.parametrize("shots", [1, 5])
@pytest.mark.parametrize("learner", LEARNERS)
def test_readme_states_the_accuracies_on_glyphs(learner, shots):
    uniform, agreement = (accuracies(learner, rule, shots) for rule in RULES)
    d = paired_comparison(agreement, uniform)
    assert d.pairs == 5
    interval = f"{100 * d.difference:+.1f} [{100 * d.low:+.1f}, {100 * d.high:+.1f}]"
    row = f"| {learner} | {shots} | {100 * uniform.mean():.1f}% | {100 * agreement.mean():.1f}% | {interval} |"
    assert row in README


@pytest.mark.parametrize("shots", [1, 5])
@pytest.mark.parametrize("learner", LEARNERS)
def test_the_control_on_glyphs_holds(learner, shots):
    assert not paired_comparison(
        accuracies(learner, "uniform", shots), accuracies(learner, "uniform", shots, "other seeds")
    ).found


def test_no_chosen_step_size_stands_at_an_end_of_its_list():
    """As chapter 08 says."""
    for learner, rule in itertools.product(LEARNERS, RULES):
        sizes = GLYPHS["config"]["learners"][learner]["step_sizes"]
        best = glyph_plan.tuned_step_size(GLYPHS["config"], GLYPHS["runs"], learner, rule)
        assert best not in (sizes[0], sizes[-1])


def test_what_chapter_08_says_of_the_weights():
    """At right angles MAML and Reptile, not first-order MAML; and its weights are the most even ones."""
    late = {}
    for learner in LEARNERS:
        best = glyph_plan.tuned_step_size(GLYPHS["config"], GLYPHS["runs"], learner, "agreement")
        late[learner] = {
            field: select(GLYPHS["runs"], "comparison", learner, "agreement", best, field)[:, 10:].mean()
            for field in ("negative_share", "smallest_weight", "cosine_to_mean")
        }
    alone = 1 / np.sqrt(GLYPHS["config"]["meta_batch"])
    for learner in ("MAML", "Reptile"):
        assert abs(late[learner]["cosine_to_mean"] - alone) < 0.03
        assert late[learner]["smallest_weight"] < late["first-order MAML"]["smallest_weight"]
    assert late["first-order MAML"]["cosine_to_mean"] > 0.5
    assert all(record["negative_share"] < 0.01 for record in late.values())


@pytest.mark.parametrize("rule", RULES)
def test_the_first_twentieth_of_a_glyph_run_made_again_is_the_stored_one(rule):
    config = GLYPHS["config"]
    best = glyph_plan.tuned_step_size(config, GLYPHS["runs"], "first-order MAML", rule)
    job = glyph_plan.job("comparison", "first-order MAML", rule, best, 0)
    (stored,) = [run for run in GLYPHS["runs"] if all(run[name] == value for name, value in job.items())]
    _, history = glyph_runs.train_job(config, job, blocks=1)
    assert history["accuracy"][0] == pytest.approx(stored["train_accuracy"][0], abs=0.02)
    assert history["cosine_to_mean"][0] == pytest.approx(stored["cosine_to_mean"][0], abs=0.02)
    assert history["smallest_weight"][0] == pytest.approx(stored["smallest_weight"][0], abs=0.01)


# ---------------------------------------------------------------- the official Omniglot test of chapter 09


def test_the_omniglot_file_was_made_by_the_committed_config():
    assert OMNIGLOT["config"] == EXPERIMENTS["omniglot"].config
    assert OMNIGLOT["command"] == "python -m gaml_utils.experiments omniglot"
    assert len(OMNIGLOT["runs"]) == 15


def test_readme_and_chapter_state_the_errors_on_omniglot():
    text = chapter("09_omniglot_challenge")
    for part in ("small1", "small2"):
        error = errors(part, "uniform")
        figure = f"{error.mean():.1f}% (seeds {error.min():g} to {error.max():g})"
        assert figure in README and f"{error.mean():.1f}%" in text
        assert np.allclose(error, errors(part, "uniform", "run_errors").mean(axis=1))


def test_what_is_said_of_the_errors_on_omniglot():
    uniform = np.concatenate([errors(part, "uniform") for part in ("small1", "small2")])
    assert uniform.max() < 15  # below the simple ConvNet, and below 15
    for part in ("small1", "small2"):
        assert errors(part, "uniform").mean() > 2 * 4.5  # people, BPL: fewer than half of our mistakes
    assert not paired_comparison(errors("small1", "agreement"), errors("small1", "uniform")).found


@needs_omniglot
def test_the_first_tenth_of_an_omniglot_run_made_again_is_the_stored_one():
    stored = OMNIGLOT["runs"][0]
    job = {name: stored[name] for name in ("part", "rule", "seed", "learner", "step_size")}
    _, history = omniglot_runs.train_job(OMNIGLOT["config"], job, tenths=1)
    assert history["accuracy"][0] == pytest.approx(stored["train_accuracy"][0], abs=0.01)


# ---------------------------------------------------------------- what README says beside the tables


def test_the_running_time_and_the_quoted_errors_in_readme():
    assert f"repeats the {len(GLYPHS['runs'])} training runs (about an hour and a half on two cores)" in README
    assert 80 < GLYPHS["wall_seconds"] / 60 / 2 < 100
    assert "ConvNet 23.2%, prototypical networks 30.1%, people 4.5%" in README


def test_the_memory_in_readme_is_the_measured_one():
    stored = json.loads((RESULTS / "memory_curve.json").read_text(encoding="utf-8"))
    direct, by_task = (
        next(row["megabytes"] for row in stored["rows"] if (row["way"], row["tasks"]) == (way, 50))
        for way in ("direct", "task by task")
    )
    millions = f"{stored['parameters'] / 1e6:.1f} million parameters"
    assert f"{millions} and 50 tasks, {by_task} MB in place of {direct:,}" in README
