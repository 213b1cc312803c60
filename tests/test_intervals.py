"""Means with intervals, and paired comparisons."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gaml_utils.intervals import Comparison, mean_interval, paired_comparison

# ---------------------------------------------------------------- mean_interval


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("n", [2, 3, 10, 40])
def test_interval_is_that_of_scipy(n, confidence):
    values = np.random.default_rng(n).normal(3.0, 2.0, size=n)
    interval = mean_interval(values, confidence)
    low, high = stats.t.interval(confidence, n - 1, loc=values.mean(), scale=stats.sem(values))
    np.testing.assert_allclose(interval, (values.mean(), low, high), rtol=1e-12)


def test_interval_is_at_95_percent_unless_told():
    values = np.random.default_rng(0).normal(size=8)
    assert mean_interval(values) == mean_interval(values, 0.95)


def test_interval_of_columns_is_that_of_each_column():
    values = np.random.default_rng(1).normal(size=(6, 3, 2))
    interval = mean_interval(values)
    assert interval.mean.shape == interval.low.shape == interval.high.shape == (3, 2)
    one = mean_interval(values[:, 2, 1])
    np.testing.assert_allclose([part[2, 1] for part in interval], one, rtol=1e-12)


def test_interval_of_five_normal_values_holds_their_mean_in_95_of_100_cases():
    samples = np.random.default_rng(0).normal(7.0, 3.0, size=(5, 20_000))
    interval = mean_interval(samples)
    covered = np.mean((interval.low <= 7.0) & (interval.high >= 7.0))
    assert covered == pytest.approx(0.95, abs=0.006)  # four standard errors; 1.96 would give 0.88


def test_interval_of_equal_values_is_a_point():
    assert mean_interval([2.0, 2.0, 2.0]) == (2.0, 2.0, 2.0)


def test_interval_takes_lists_of_whole_numbers():
    assert mean_interval([1, 2, 3]).mean == 2.0


BAD_VALUES = {
    "number": 3.0,
    "empty": [],
    "one": [1.0],
    "one row": np.zeros((1, 5)),
    "nan": [1.0, np.nan],
    "infinity": [1.0, np.inf],
    "nan in a column": [[1.0, 2.0], [np.nan, 3.0]],
}


@pytest.mark.parametrize("values", BAD_VALUES.values(), ids=BAD_VALUES)
def test_bad_values_are_named(values):
    with pytest.raises(ValueError, match=r"\bvalues\b"):
        mean_interval(values)


@pytest.mark.parametrize("confidence", [0, 1, -0.5, 95, np.nan])
def test_bad_confidence_is_named(confidence):
    with pytest.raises(ValueError, match=r"\bconfidence\b"):
        mean_interval([1.0, 2.0], confidence)


# ---------------------------------------------------------------- paired_comparison


def test_comparison_is_scipys_paired_t_interval():
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 10))
    low, high = stats.ttest_rel(a, b).confidence_interval(0.95)
    comparison = paired_comparison(a, b)
    np.testing.assert_allclose(comparison[:3], (np.mean(a) - np.mean(b), low, high), rtol=1e-12)
    assert comparison.pairs == 10


def test_comparison_is_a_minus_b():
    b = np.arange(5.0)
    assert paired_comparison(b + [2.0, 2.1, 1.9, 2.0, 2.0], b).difference == pytest.approx(2.0)
    assert paired_comparison(b, b + [2.0, 2.1, 1.9, 2.0, 2.0]).difference == pytest.approx(-2.0)


def test_comparison_finds_a_difference_of_either_sign():
    b = np.arange(5.0)
    assert paired_comparison(b + [2.0, 2.1, 1.9, 2.0, 2.0], b).found is True
    assert paired_comparison(b - [2.0, 2.1, 1.9, 2.0, 2.0], b).found is True


def test_comparison_of_equals_finds_nothing():
    assert paired_comparison([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]).found is False


def test_text_says_no_difference_found_where_the_interval_holds_0():
    comparison = paired_comparison([1.0, 2.0, 3.0], [2.0, 1.0, 3.0])
    assert comparison.low < 0 < comparison.high
    assert str(comparison).endswith(", 3 pairs: no difference found")


def test_text_holds_difference_interval_and_pairs():
    assert str(Comparison(-0.25, -0.5, -0.125, 12, True)) == "-0.250, 95% interval [-0.500, -0.125], 12 pairs"


pairs = st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=2, max_size=8)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(pairs)
def test_found_interval_and_text_agree(runs):
    comparison = paired_comparison(*np.array(runs).T)
    holds_0 = comparison.low <= 0 <= comparison.high
    assert comparison.found is (not holds_0)
    assert ("no difference found" in str(comparison)) is holds_0


@settings(max_examples=50, deadline=None, derandomize=True)
@given(pairs)
def test_swapping_the_sides_turns_the_sign(runs):
    a, b = np.array(runs).T
    one, other = paired_comparison(a, b), paired_comparison(b, a)
    np.testing.assert_allclose(other[:3], (-one.difference, -one.high, -one.low), rtol=1e-12, atol=0)


def test_pairing_finds_what_unpaired_runs_hide():
    rng = np.random.default_rng(3)
    b = rng.normal(0.0, 5.0, 10)  # seeds differ far more than the two sides
    a = b + rng.normal(0.5, 0.1, 10)
    low, high = stats.ttest_ind(a, b).confidence_interval(0.95)
    assert low < 0 < high
    assert paired_comparison(a, b).found
    assert not paired_comparison(a, b[::-1]).found


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([1.0, 2.0], [1.0, 2.0, 3.0]),
        (np.zeros((3, 1)), np.zeros((3, 1))),
        (1.0, 2.0),
        ([1.0], [2.0]),
        ([], []),
        ([1.0, np.nan], [1.0, 2.0]),
        ([1.0, 2.0], [np.inf, 2.0]),
    ],
    ids=["lengths differ", "columns", "numbers", "one pair", "no pair", "nan in a", "infinity in b"],
)
def test_bad_pairs_are_named(a, b):
    with pytest.raises(ValueError, match=r"\ba\b.*\bb\b"):
        paired_comparison(a, b)


@pytest.mark.parametrize("kind", [lambda a: a.astype(str), lambda a: a + 0j, lambda a: np.ma.masked_array(a, a > 1)])
def test_what_is_no_number_is_refused(kind):
    values = np.array([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="values should"):
        mean_interval(kind(values))
    with pytest.raises(ValueError, match="b should"):
        paired_comparison(values, kind(values))
