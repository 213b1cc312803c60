"""Reading the other learners' results: cells, comparisons and verdicts, on results made up."""

import numpy as np
import pytest

from gaml_utils.experiments.learners import (
    HEADLINES,
    LEARNERS_GLYPHS,
    LEARNERS_SINES,
    accuracies_under_attack,
    against,
    aligned,
    cell,
    change,
    headline_table,
    headlines,
    learner_table,
    step_sizes,
    verdict,
)

RNG = np.random.default_rng(0)
CELLS = {  # (learner, rule) -> mean test error; others have 1
    ("MAML", "uniform"): 0.5,
    ("Meta-SGD", "uniform"): 0.3,
    ("Meta-SGD", "agreement of updates"): 0.9,
    ("Meta-SGD", "power -1 of outer"): 0.301,
    ("CAML", "uniform"): 0.25,
    ("CAML", "agreement of updates"): 2.0,
    ("CAML", "power -1 of outer"): 0.30,
    ("TAML, Theil, before, 1", "uniform"): 0.8,
}
NOISE = RNG.normal(size=200)


def results(config=LEARNERS_SINES, spread=0.01, changed=None, name="learners_sines"):
    """Test runs of every cell: its error, the same scatter in every cell, and a little of its own."""
    runs, means = [], CELLS | (changed or {})
    for learner, s in config["learners"].items():
        for k, rule in enumerate(s["rules"]):
            for seed in config["seeds"] + config["headline_seeds"] + config["control_seeds"]:
                mean = means.get((learner, rule), 1.0)
                value = None if mean is None else mean * (1 + 0.05 * NOISE[seed] + spread * RNG.normal())
                run = {
                    "part": "inner 0.01",
                    "learner": learner,
                    "rule": rule,
                    "step_size": 0.001 * (k + 1),
                    "seed": seed,
                }
                more = {} if value is None else {"test_error": value, "test_worst": 3 * value}
                runs.append(run | {"validation_error": value} | more | {"query_attacked": [value, 1.0]})
    return {"experiment": name, "config": config, "runs": runs}


def test_a_cell_is_its_test_seeds_in_their_order():
    found = results()
    by_seed = {r["seed"]: r["test_error"] for r in found["runs"] if (r["learner"], r["rule"]) == ("CAML", "uniform")}
    np.testing.assert_array_equal(cell(found, "CAML"), [by_seed[s] for s in range(10)])
    np.testing.assert_array_equal(cell(found, "CAML", field="test_worst"), 3 * cell(found, "CAML"))
    assert step_sizes(found, "CAML", "power -1 of outer") == (0.01, 0.005)


def test_more_seeds_are_those_of_headlines_and_the_first_of_several_values_counts():
    found = results(LEARNERS_GLYPHS, name="learners_glyphs")
    assert len(cell(found, "ADML", field="query_attacked")) == 5
    assert len(cell(found, "ADML", field="query_attacked", more=True)) == 10
    np.testing.assert_array_equal(cell(found, "ADML", field="query_attacked"), cell(found, "ADML"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("CAVIA",), "learner should be one of 'MAML'"),
        (("MAML", "agreement"), "rule should be one of 'uniform', 'agreement of updates'"),
        (("MAML", "uniform", "accuracy"), "field should be one of"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(arguments, message):
    with pytest.raises(ValueError, match=message):
        cell(results(), *arguments)


def test_comparisons_are_paired_and_in_percent():
    found = results()
    a, b = ("Meta-SGD", "agreement of updates"), ("Meta-SGD", "uniform")
    differences = cell(found, *a) - cell(found, *b)
    comparison, percent = against(found, a, b), change(found, a, b)
    assert comparison.difference == pytest.approx(differences.mean()) and comparison.pairs == 10
    assert percent.change == pytest.approx(100 * differences.mean() / cell(found, *b).mean())
    assert verdict(found, a, b) == "worse" and verdict(found, b, a) == "better"
    assert verdict(found, ("Meta-SGD", "power -1 of outer"), b) == "no difference"  # a headline
    assert verdict(found, ("MAML", "power -1 of outer"), ("MAML", "agreement of outer")) == "no difference found"


@pytest.mark.parametrize("error", [None, 1e9])
def test_a_cell_with_a_diverged_training_is_compared_with_nothing(error):
    found = results(changed={("CAML", "agreement of updates"): error})
    a, b = ("CAML", "agreement of updates"), ("CAML", "uniform")
    assert against(found, a, b) is change(found, a, b) is None and verdict(found, a, b) == "diverged"
    assert {h.name: h.verdict for h in headlines(found)}["L3"] == "diverged"
    assert "diverged" in learner_table(found, ["CAML"])


def test_headlines_have_their_verdicts():
    found = {h.name: h for h in headlines(results())}
    assert list(found) == list(HEADLINES["learners_sines"])
    assert {name: h.verdict for name, h in found.items()} == {
        "L1": "worse",
        "L2": "no difference",
        "L3": "worse",
        "L4": "worse",
        "L5": "better",
        "L6": "better",
        "L7": "worse",
    }
    assert all(h.comparison.confidence == pytest.approx(1 - 0.05 / 8) for h in found.values())


def test_what_scatters_is_undecided():
    wide = {h.name: h.verdict for h in headlines(results(spread=0.3))}
    assert wide["L2"] == "undecided"


def test_headlines_are_corrected_for_all_that_are_planned():
    """Eight, whether their file is there or not."""
    sines, glyphs = results(), results(LEARNERS_GLYPHS, name="learners_glyphs")
    alone, both = headlines(sines), headlines(sines, glyphs)
    assert [h.name for h in both] == [*(h.name for h in alone), "L8"]
    assert all(a.corrected >= b.corrected for a, b in zip(alone, both, strict=False))
    smallest = min(h.corrected for h in alone)
    from scipy import stats

    raw = min(
        stats.ttest_rel(cell(sines, *a), cell(sines, *b)).pvalue for a, b, _, _ in HEADLINES["learners_sines"].values()
    )
    assert smallest == pytest.approx(8 * raw)
    assert len(headline_table(sines, glyphs).splitlines()) == 24


def test_the_table_has_every_rule_of_its_learners():
    lines = learner_table(results(), ["MAML", "CAML, k = 1"]).splitlines()
    assert [line[:12].strip() for line in lines] == [
        "",
        "uniform",
        "agreement of",
        "agreement of",
        "power -0.5 o",
        "power -1 of",
    ]
    assert lines[0].endswith(" CAML, k = 1") and lines[1].count("[") == 2
    assert all(line.count("%") == 1 for line in lines[2:])


def test_columns_stand_under_each_other():
    assert aligned([["", "a"], ["long", "bb"]]) == "       a\nlong  bb"


def test_accuracies_under_attack_begin_with_the_clean_one():
    found = results(LEARNERS_GLYPHS, name="learners_glyphs")
    accuracies = accuracies_under_attack(found, "ADML", "query")
    assert accuracies.shape == (5, 3)
    np.testing.assert_allclose(accuracies[:, 0], 1 - cell(found, "ADML"))
    np.testing.assert_allclose(accuracies[:, 1], 1 - cell(found, "ADML", field="query_attacked"))
    np.testing.assert_array_equal(accuracies[:, 2], 0)  # an error of 1
    with pytest.raises(ValueError, match="learner should be one of"):
        accuracies_under_attack(found, "CAML", "query")
    with pytest.raises(ValueError, match="side should be one of"):
        accuracies_under_attack(found, "ADML", "queries")
