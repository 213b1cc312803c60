"""The golden batch: what is stored is what its script makes, and what the engine gives."""

import importlib.util

import numpy as np
import pytest

from gaml_utils.datasets.golden_batch import PATH, load_golden_batch
from gaml_utils.scratch.inner_loop import adapt
from gaml_utils.scratch.maml import meta_gradient
from gaml_utils.scratch.mlp import init_mlp, predict
from gaml_utils.tasks.regression import SineTasks
from gaml_utils.weighting.agreement import agreement_weights, uniform_weights

RULES = {"uniform": uniform_weights, "agreement": agreement_weights}
FOUR = [(rule, steps) for rule in RULES for steps in (1, 3)]


def flat(arrays):
    return np.concatenate([np.ravel(a) for a in arrays])


def apart(ours, stored):
    """Length of the difference over the length of what is stored, or of the difference where that is 0."""
    return np.linalg.norm(ours - stored) / (np.linalg.norm(stored) or 1.0)


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("make_golden_batch", PATH.with_name("make.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def stored():
    with np.load(PATH, allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(scope="module")
def golden():
    return load_golden_batch()


def test_script_makes_what_is_stored(script, stored, monkeypatch):
    monkeypatch.setattr(script, "relative_error", lambda *case: 0.0)  # the proof has a test of its own
    made = script.make()
    assert made.keys() == stored.keys()
    for name, array in made.items():
        assert np.shape(array) == stored[name].shape, name
        assert apart(array, stored[name]) <= 1e-12, name


def test_script_writes_nothing_if_a_gradient_is_not_proved(script, monkeypatch):
    monkeypatch.setattr(script, "relative_error", lambda *case: 2e-6)
    with pytest.raises(SystemExit, match="uniform, 1 steps"):
        script.make()


def test_script_proves_a_right_gradient_and_no_other(script):
    rng = np.random.default_rng(0)
    params, batch = init_mlp(rng, (1, 4, 1)), SineTasks().sample(rng, 3, 5, 5)
    right = meta_gradient(params, batch, script.INNER_LR, 2)
    assert script.relative_error(right, params, batch, 2) < 1e-6
    wrong = meta_gradient(params, batch, script.INNER_LR, 2, first_order=True)
    assert script.relative_error(wrong, params, batch, 2) > 1e-4


def test_file_holds_plain_float64(stored):
    assert {a.dtype for a in stored.values()} == {np.dtype("float64")}


def test_parameters_are_those_of_a_1_40_40_1_network(golden):
    assert [p.shape for p in golden[0]] == [(1, 40), (40,), (40, 40), (40,), (40, 1), (1,)]


def test_batch_is_five_tasks_of_ten_points(golden):
    assert [a.shape for a in golden[1]] == [(5, 10, 1)] * 4


def test_inner_lr_is_a_number(golden):
    assert golden[2] == 0.01 and isinstance(golden[2], float)


def test_there_are_four_results(golden):
    assert list(golden[3]) == FOUR


@pytest.mark.parametrize("case", FOUR)
def test_result_is_shaped_like_parameters_and_tasks(golden, case):
    params, _, _, expected = golden
    result = expected[case]
    assert [g.shape for g in result.gradient] == [p.shape for p in params]
    assert result.weights.shape == result.query_losses.shape == (5,)


@pytest.mark.parametrize(("rule", "steps"), FOUR)
def test_meta_gradient_gives_the_stored_result(golden, rule, steps):
    params, batch, inner_lr, expected = golden
    result = meta_gradient(params, batch, inner_lr, steps, weighting=RULES[rule])
    stored = expected[rule, steps]
    assert apart(flat(result.gradient), flat(stored.gradient)) <= 1e-12
    assert apart(result.weights, stored.weights) <= 1e-12
    assert apart(result.query_losses, stored.query_losses) <= 1e-12


@pytest.mark.parametrize("steps", [1, 3])
def test_stored_weights_are_algorithm_1_pair_by_pair(golden, steps):
    params, batch, inner_lr, expected = golden
    adapted = adapt(params, batch.support_x, batch.support_y, inner_lr, steps)
    g = [flat(p - a[i] for p, a in zip(params, adapted, strict=True)) for i in range(5)]
    scores = [sum(g_i @ g_j for g_j in g) for g_i in g]
    weights = np.array(scores) / sum(abs(s) for s in scores)
    assert apart(weights, expected["agreement", steps].weights) <= 1e-12


@pytest.mark.parametrize("steps", [1, 3])
def test_stored_losses_do_not_depend_on_the_rule(golden, steps):
    _, _, _, expected = golden
    assert np.array_equal(expected["uniform", steps].query_losses, expected["agreement", steps].query_losses)


@pytest.mark.parametrize("steps", [1, 3])
def test_stored_losses_are_those_after_adaptation(golden, steps):
    params, batch, inner_lr, expected = golden
    adapted = adapt(params, batch.support_x, batch.support_y, inner_lr, steps)
    losses = [
        np.mean((predict([p[i] for p in adapted], batch.query_x[i : i + 1]) - batch.query_y[i]) ** 2) for i in range(5)
    ]
    assert apart(np.array(losses), expected["uniform", steps].query_losses) <= 1e-12


def test_rules_and_steps_tell_the_four_gradients_apart(golden):
    gradients = [flat(golden[3][case].gradient) for case in FOUR]
    for i, one in enumerate(gradients):
        assert all(apart(one, other) > 1e-3 for other in gradients[:i])


def test_another_path_can_be_loaded(tmp_path, stored):
    copy = tmp_path / "copy.npz"
    np.savez(copy, **{**stored, "inner_lr": np.array(0.5)})
    assert load_golden_batch(copy)[2] == 0.5
