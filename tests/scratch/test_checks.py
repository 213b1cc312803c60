"""Bad input gets a ValueError that names the argument and says what is wrong with it, and nothing is changed."""

import re

import numpy as np
import pytest

from gaml_utils.records import TaskBatch
from gaml_utils.scratch.inner_loop import adapt
from gaml_utils.scratch.maml import meta_gradient
from gaml_utils.scratch.mlp import init_mlp, loss, predict
from gaml_utils.scratch.optimizers import SGD, Adam
from gaml_utils.scratch.reptile import reptile_direction
from gaml_utils.scratch.training import train
from gaml_utils.tasks.regression import NoiseTasks, SineTasks
from gaml_utils.weighting.agreement import agreement_weights, cosine_weights, leave_one_out_weights, uniform_weights
from gaml_utils.weighting.powers import power_weights
from tests.support.plain_formulas import copies, same, sine_problem

SINES, NOISE = SineTasks(), NoiseTasks()


def spoiled(array, value=np.nan):
    """A copy with one bad entry."""
    bad = np.array(array)
    bad.flat[-1] = value
    return bad


def twice(array):
    """The same points with two features."""
    return np.concatenate([array, array], axis=-1)


def ones():
    """Amplitude and phase of two tasks."""
    return np.ones((2, 1, 1)), np.ones((2, 1, 1))


def two_outputs():
    """A network with two outputs."""
    return init_mlp(np.random.default_rng(0), (1, 4, 2))


# name of the case: (call, the argument at fault, what the message says of it)
CASES = {
    # tasks.py
    "sine amplitude high below low": (lambda p, b, rng: SineTasks(amplitude=(5.0, 0.1)), "amplitude", "got (5.0, 0.1)"),
    "sine amplitude one number": (lambda p, b, rng: SineTasks(amplitude=2.0), "amplitude", "got 2.0"),
    "sine phase three numbers": (lambda p, b, rng: SineTasks(phase=(0.0, 1.0, 2.0)), "phase", "two finite numbers"),
    "sine phase NaN": (lambda p, b, rng: SineTasks(phase=(0.0, np.nan)), "phase", "nan"),
    "sine x infinite": (lambda p, b, rng: SineTasks(x=(-np.inf, 0.0)), "x", "-inf"),
    "noise x high below low": (lambda p, b, rng: NoiseTasks(x=(1.0, 0.0)), "x", "got (1.0, 0.0)"),
    "noise std negative": (lambda p, b, rng: NoiseTasks(std=-1.0), "std", "got -1.0"),
    "noise std NaN": (lambda p, b, rng: NoiseTasks(std=np.nan), "std", "got nan"),
    "noise std infinite": (lambda p, b, rng: NoiseTasks(std=np.inf), "std", "got inf"),
    "sine sample zero tasks": (lambda p, b, rng: SINES.sample(rng, 0, 5, 5), "tasks", "at least 1, got 0"),
    "sine sample zero shots": (lambda p, b, rng: SINES.sample(rng, 5, 0, 5), "shots", "at least 1, got 0"),
    "sine sample negative queries": (lambda p, b, rng: SINES.sample(rng, 5, 5, -2), "queries", "at least 1, got -2"),
    "sine sample fractional shots": (lambda p, b, rng: SINES.sample(rng, 5, 2.5, 5), "shots", "whole number"),
    "sine sample float tasks": (lambda p, b, rng: SINES.sample(rng, 2.0, 5, 5), "tasks", "got 2.0"),
    "sine sample boolean queries": (lambda p, b, rng: SINES.sample(rng, 5, 5, True), "queries", "got True"),
    "sine sample seed as rng": (lambda p, b, rng: SINES.sample(0, 5, 5, 5), "rng", "got int"),
    "sine draw old generator": (lambda p, b, rng: SINES.draw(np.random.RandomState(0), 5), "rng", "got RandomState"),
    "sine draw zero tasks": (lambda p, b, rng: SINES.draw(rng, 0), "tasks", "got 0"),
    "sine points module as rng": (lambda p, b, rng: SINES.points(np.random, *ones(), 5), "rng", "got module"),
    "sine points zero": (lambda p, b, rng: SINES.points(rng, *ones(), 0), "points", "got 0"),
    "sine range of text": (lambda p, b, rng: SineTasks(x=("0", "1")), "x", "two finite numbers"),
    "noise std text": (lambda p, b, rng: NoiseTasks(std="1"), "std", "finite number"),
    "Adam beta_1 text": (lambda p, b, rng: Adam(beta_1="0.9"), "beta_1", "got '0.9'"),
    "noise sample zero tasks": (lambda p, b, rng: NOISE.sample(rng, 0, 5, 5), "tasks", "got 0"),
    "noise sample zero shots": (lambda p, b, rng: NOISE.sample(rng, 5, 0, 5), "shots", "got 0"),
    "noise sample zero queries": (lambda p, b, rng: NOISE.sample(rng, 5, 5, 0), "queries", "got 0"),
    "noise sample no rng": (lambda p, b, rng: NOISE.sample(None, 5, 5, 5), "rng", "got NoneType"),
    # the batch
    "batch a dict": (lambda p, b, rng: meta_gradient(p, b._asdict()), "batch", "got dict"),
    "batch of three": (lambda p, b, rng: meta_gradient(p, b[:3]), "batch", "four arrays"),
    "batch an array": (lambda p, b, rng: reptile_direction(p, b.support_x), "batch", "got ndarray"),
    "support_x wrong rank": (
        lambda p, b, rng: meta_gradient(p, b._replace(support_x=b.support_x[0])),
        "support_x",
        "got shape (5, 1)",
    ),
    "support_y wrong rank": (
        lambda p, b, rng: meta_gradient(p, b._replace(support_y=b.support_y[..., 0])),
        "support_y",
        "got shape (3, 5)",
    ),
    "query_x no points": (
        lambda p, b, rng: meta_gradient(p, b._replace(query_x=b.query_x[:, :0])),
        "query_x",
        "got shape (3, 0, 1)",
    ),
    "query_y one number": (lambda p, b, rng: reptile_direction(p, b._replace(query_y=1.0)), "query_y", "got shape ()"),
    "support_x with more points for one task": (
        lambda p, b, rng: adapt(p, [[[1.0]], [[1.0], [2.0]]], b.support_y),
        "support_x",
        "(tasks, points, features)",
    ),
    "support_y words": (
        lambda p, b, rng: adapt(p, b.support_x, np.full(b.support_y.shape, "one")),
        "support_y",
        "numbers",
    ),
    "batch of no tasks": (
        lambda p, b, rng: meta_gradient(p, TaskBatch(*(a[:0] for a in b))),
        "support_x",
        "got shape (0, 5, 1)",
    ),
    "support_x NaN": (
        lambda p, b, rng: meta_gradient(p, b._replace(support_x=spoiled(b.support_x))),
        "support_x",
        "NaN",
    ),
    "support_y infinite": (
        lambda p, b, rng: reptile_direction(p, b._replace(support_y=spoiled(b.support_y, np.inf))),
        "support_y",
        "infinity",
    ),
    "query_x infinite": (
        lambda p, b, rng: meta_gradient(p, b._replace(query_x=spoiled(b.query_x, -np.inf))),
        "query_x",
        "finite",
    ),
    "query_y NaN": (lambda p, b, rng: meta_gradient(p, b._replace(query_y=spoiled(b.query_y))), "query_y", "NaN"),
    "support_y fewer tasks": (
        lambda p, b, rng: meta_gradient(p, b._replace(support_y=b.support_y[:2])),
        "support_y",
        "holds 2 tasks, but support_x holds 3",
    ),
    "query fewer tasks": (
        lambda p, b, rng: reptile_direction(p, b._replace(query_x=b.query_x[:2], query_y=b.query_y[:2])),
        "query_x",
        "holds 2 tasks, but support_x holds 3",
    ),
    "support_y fewer points": (
        lambda p, b, rng: meta_gradient(p, b._replace(support_y=b.support_y[:, :2])),
        "support_y",
        "(3, 5), got (3, 2)",
    ),
    "query_y fewer points": (
        lambda p, b, rng: meta_gradient(p, b._replace(query_y=b.query_y[:, :2])),
        "query_y",
        "(3, 4), got (3, 2)",
    ),
    "adapt support_x wrong rank": (
        lambda p, b, rng: adapt(p, b.support_x[0], b.support_y),
        "support_x",
        "got shape (5, 1)",
    ),
    "adapt support_y NaN": (lambda p, b, rng: adapt(p, b.support_x, spoiled(b.support_y)), "support_y", "NaN"),
    "adapt fewer points": (
        lambda p, b, rng: adapt(p, b.support_x, b.support_y[:, :2]),
        "support_y",
        "(3, 5), got (3, 2)",
    ),
    "adapt fewer tasks": (lambda p, b, rng: adapt(p, b.support_x, b.support_y[:2]), "support_y", "(3, 5), got (2, 5)"),
    # parameters.py
    "params one array": (lambda p, b, rng: adapt(p[0], *b[:2]), "params", "list [W1, b1, W2, b2, ...]"),
    "params empty": (lambda p, b, rng: meta_gradient([], b), "params", "list [W1, b1, W2, b2, ...]"),
    "params without last bias": (
        lambda p, b, rng: reptile_direction(p[:-1], b),
        "params",
        "list [W1, b1, W2, b2, ...]",
    ),
    "params a number for W1": (lambda p, b, rng: adapt([1.0, *p[1:]], *b[:2]), "params", "W1"),
    "params W of rank 1": (lambda p, b, rng: adapt([p[0][0], *p[1:]], *b[:2]), "params", "got shapes (6,) and (6,)"),
    "params layers that do not chain": (
        lambda p, b, rng: meta_gradient([*p[:2], p[2][1:], *p[3:]], b),
        "params",
        "W2 (inputs, outputs) with 6 inputs",
    ),
    "params bias of another width": (
        lambda p, b, rng: meta_gradient([*p[:3], p[3][1:], *p[4:]], b),
        "params",
        "got shapes (6, 5) and (4,)",
    ),
    "params adapted already": (lambda p, b, rng: adapt(adapt(p, *b[:2]), *b[:2]), "params", "got shapes (3, 1, 6)"),
    "params with rows of two lengths": (lambda p, b, rng: adapt([[[1.0], [1.0, 2.0]], [0.0]], *b[:2]), "params", "W1"),
    "params NaN": (lambda p, b, rng: adapt([*p[:-1], spoiled(p[-1])], *b[:2]), "params", "got NaN or infinity"),
    "params infinite": (
        lambda p, b, rng: meta_gradient([spoiled(p[0], np.inf), *p[1:]], b),
        "params",
        "got NaN or infinity",
    ),
    # weighting.py
    "agreement updates of rank 1": (lambda p, b, rng: agreement_weights(np.ones(3)), "updates", "got shape (3,)"),
    "uniform updates of rank 3": (lambda p, b, rng: uniform_weights(np.ones((3, 2, 1))), "updates", "got shape (3, 2"),
    "agreement updates of two lengths": (
        lambda p, b, rng: agreement_weights([[1.0], [1.0, 2.0]]),
        "updates",
        "(tasks, parameters)",
    ),
    "agreement no tasks": (lambda p, b, rng: agreement_weights(np.ones((0, 3))), "updates", "got shape (0, 3)"),
    "uniform no parameters": (lambda p, b, rng: uniform_weights(np.ones((3, 0))), "updates", "got shape (3, 0)"),
    "agreement updates NaN": (lambda p, b, rng: agreement_weights(spoiled(np.ones((3, 2)))), "updates", "got NaN"),
    "uniform updates infinite": (
        lambda p, b, rng: uniform_weights(spoiled(np.ones((3, 2)), np.inf)),
        "updates",
        "or infinity",
    ),
    # weight_family.py
    "power text": (lambda p, b, rng: power_weights("1"), "p", "finite number, got '1'"),
    "power NaN": (lambda p, b, rng: power_weights(np.nan), "p", "got nan"),
    "power True": (lambda p, b, rng: power_weights(True), "p", "got True"),
    "ridge zero": (lambda p, b, rng: power_weights(-1, 0), "ridge", "above 0, got 0"),
    "ridge infinite": (lambda p, b, rng: power_weights(-1, np.inf), "ridge", "got inf"),
    **{
        f"{name} {case}": (lambda p, b, rng, rule=rule, updates=updates: rule(updates), "updates", said)
        for name, rule in (("power", power_weights(-1)), ("cosine", cosine_weights), ("loo", leave_one_out_weights))
        for case, updates, said in (
            ("rank 1", np.ones(3), "got shape (3,)"),
            ("NaN", spoiled(np.ones((3, 2))), "NaN"),
            ("infinite", spoiled(np.ones((3, 2)), np.inf), "infinity"),
        )
    },
    # mlp.py
    "init_mlp seed as rng": (lambda p, b, rng: init_mlp(0, (1, 1)), "rng", "got int"),
    "init_mlp a number": (lambda p, b, rng: init_mlp(rng, 5), "sizes", "two or more"),
    "init_mlp one size": (lambda p, b, rng: init_mlp(rng, (1,)), "sizes", "two or more"),
    "init_mlp zero size": (lambda p, b, rng: init_mlp(rng, (1, 0, 1)), "sizes", "got (1, 0, 1)"),
    "init_mlp fractional size": (lambda p, b, rng: init_mlp(rng, (1, 2.5, 1)), "sizes", "got (1, 2.5, 1)"),
    "init_mlp float size": (lambda p, b, rng: init_mlp(rng, (1, 2.0, 1)), "sizes", "got (1, 2.0, 1)"),
    "init_mlp NaN size": (lambda p, b, rng: init_mlp(rng, (1, np.nan)), "sizes", "nan"),
    "init_mlp boolean size": (lambda p, b, rng: init_mlp(rng, (True, 1)), "sizes", "got (True, 1)"),
    "predict unknown activation": (
        lambda p, b, rng: predict(p, b.support_x, "sigmoid"),
        "activation",
        "['relu', 'tanh'], got 'sigmoid'",
    ),
    "loss unknown activation": (lambda p, b, rng: loss(p, *b[:2], "ReLU"), "activation", "got 'ReLU'"),
    "adapt unknown activation": (lambda p, b, rng: adapt(p, *b[:2], activation="elu"), "activation", "got 'elu'"),
    "adapt unknown activation and no steps": (
        lambda p, b, rng: adapt(p, *b[:2], steps=0, activation="elu"),
        "activation",
        "got 'elu'",
    ),
    "meta_gradient no activation": (
        lambda p, b, rng: meta_gradient(p, b, activation=None),
        "activation",
        "['relu', 'tanh'], got None",
    ),
    "reptile unknown activation": (
        lambda p, b, rng: reptile_direction(p, b, activation="sin"),
        "activation",
        "got 'sin'",
    ),
    # numpy_meta.py
    "inner_lr zero": (lambda p, b, rng: adapt(p, *b[:2], inner_lr=0), "inner_lr", "above 0, got 0"),
    "inner_lr negative": (lambda p, b, rng: meta_gradient(p, b, inner_lr=-0.1), "inner_lr", "above 0, got -0.1"),
    "inner_lr NaN": (lambda p, b, rng: reptile_direction(p, b, inner_lr=np.nan), "inner_lr", "finite number"),
    "inner_lr infinite": (lambda p, b, rng: reptile_direction(p, b, inner_lr=np.inf), "inner_lr", "got inf"),
    "inner_lr an array": (lambda p, b, rng: meta_gradient(p, b, inner_lr=np.ones(3)), "inner_lr", "got array"),
    "steps negative": (lambda p, b, rng: adapt(p, *b[:2], steps=-1), "steps", "at least 0, got -1"),
    "steps fractional": (lambda p, b, rng: adapt(p, *b[:2], steps=1.5), "steps", "whole number"),
    "inner_steps zero, exact": (lambda p, b, rng: meta_gradient(p, b, inner_steps=0), "inner_steps", "at least 1"),
    "inner_steps zero, Reptile": (
        lambda p, b, rng: reptile_direction(p, b, inner_steps=0),
        "inner_steps",
        "at least 1, got 0",
    ),
    "inner_steps boolean": (lambda p, b, rng: meta_gradient(p, b, inner_steps=True), "inner_steps", "got True"),
    "inner_steps float": (lambda p, b, rng: meta_gradient(p, b, inner_steps=2.0), "inner_steps", "got 2.0"),
    "params for other inputs": (
        lambda p, b, rng: meta_gradient(p, b._replace(support_x=twice(b.support_x), query_x=twice(b.query_x))),
        "params",
        "2 features of support_x",
    ),
    "params for other outputs": (
        lambda p, b, rng: reptile_direction(p, b._replace(support_y=twice(b.support_y), query_y=twice(b.query_y))),
        "params",
        "but take 1 to 1",
    ),
    "adapt params for other outputs": (
        lambda p, b, rng: adapt(p, b.support_x, twice(b.support_y)),
        "params",
        "2 of support_y",
    ),
    "query_x other features, exact": (
        lambda p, b, rng: meta_gradient(p, b._replace(query_x=twice(b.query_x))),
        "query_x",
        "got 2",
    ),
    "query_x other features, Reptile": (
        lambda p, b, rng: reptile_direction(p, b._replace(query_x=twice(b.query_x))),
        "query_x",
        "got 2",
    ),
    "query_y other outputs, exact": (
        lambda p, b, rng: meta_gradient(p, b._replace(query_y=twice(b.query_y))),
        "query_y",
        "got 2",
    ),
    "query_y other outputs, Reptile": (
        lambda p, b, rng: reptile_direction(p, b._replace(query_y=twice(b.query_y))),
        "query_y",
        "got 2",
    ),
    "query_y one output for two, exact": (
        lambda p, b, rng: meta_gradient(two_outputs(), b._replace(support_y=twice(b.support_y))),
        "query_y",
        "got 1",
    ),
    "query_y one output for two, Reptile": (
        lambda p, b, rng: reptile_direction(two_outputs(), b._replace(support_y=twice(b.support_y))),
        "query_y",
        "got 1",
    ),
    "batch_size zero": (lambda p, b, rng: reptile_direction(p, b, batch_size=0, rng=rng), "batch_size", "got 0"),
    "batch_size above shots": (
        lambda p, b, rng: reptile_direction(p, b, batch_size=6, rng=rng),
        "batch_size",
        "from 1 to 5 (the shots)",
    ),
    "batch_size fractional": (
        lambda p, b, rng: reptile_direction(p, b, batch_size=2.5, rng=rng),
        "batch_size",
        "whole number",
    ),
    "batch_size float": (lambda p, b, rng: reptile_direction(p, b, batch_size=2.0, rng=rng), "batch_size", "got 2.0"),
    "batch_size NaN": (lambda p, b, rng: reptile_direction(p, b, batch_size=np.nan, rng=rng), "batch_size", "got nan"),
    "batch_size boolean": (
        lambda p, b, rng: reptile_direction(p, b, batch_size=True, rng=rng),
        "batch_size",
        "got True",
    ),
    "batch_size without rng": (lambda p, b, rng: reptile_direction(p, b, batch_size=2), "rng", "got None"),
    "batch_size with a seed": (lambda p, b, rng: reptile_direction(p, b, batch_size=2, rng=3), "rng", "got int 3"),
    "weighting one number, exact": (
        lambda p, b, rng: meta_gradient(p, b, weighting=lambda u: 1.0),
        "weighting",
        "shape (3,), got ()",
    ),
    "weighting a column, first order": (
        lambda p, b, rng: meta_gradient(p, b, first_order=True, weighting=lambda u: np.ones((3, 1))),
        "weighting",
        "shape (3,), got (3, 1)",
    ),
    "weighting one too many, Reptile": (
        lambda p, b, rng: reptile_direction(p, b, weighting=lambda u: np.ones(4)),
        "weighting",
        "shape (3,), got (4,)",
    ),
    "weighting the updates": (
        lambda p, b, rng: reptile_direction(p, b, weighting=lambda u: u),
        "weighting",
        "one weight per task",
    ),
    "weighting NaN": (
        lambda p, b, rng: meta_gradient(p, b, weighting=lambda u: np.full(3, np.nan)),
        "weighting",
        "finite weights",
    ),
    "source unknown": (lambda p, b, rng: meta_gradient(p, b, source="inner"), "source", "'losses', got 'inner'"),
    "source None": (lambda p, b, rng: meta_gradient(p, b, source=None), "source", "got None"),
    "source unknown, Reptile": (lambda p, b, rng: reptile_direction(p, b, source=1), "source", "'losses', got 1"),
    "weighting of outer gradients": (
        lambda p, b, rng: meta_gradient(p, b, weighting=lambda d: d, source="outer"),
        "weighting",
        "one weight per task",
    ),
    "train for a fraction": (
        lambda p, b, rng: train(p, SINES, meta_gradient, SGD(0.1), 1.5, progress=False),
        "iterations",
        "got 1.5",
    ),
    "train backwards": (
        lambda p, b, rng: train(p, SINES, meta_gradient, SGD(0.1), -1, progress=False),
        "iterations",
        "at least 0",
    ),
    "inner_lr True": (lambda p, b, rng: adapt(p, *b[:2], inner_lr=True), "inner_lr", "got True"),
    "train with bad params": (
        lambda p, b, rng: train([spoiled(p[0]), *p[1:]], SINES, meta_gradient, SGD(0.1), 3, progress=False),
        "params",
        "got NaN",
    ),
    "train with no tasks": (
        lambda p, b, rng: train(p, SINES, meta_gradient, SGD(0.1), 3, meta_batch=0, progress=False),
        "tasks",
        "got 0",
    ),
    # optimizers.py
    "SGD learning_rate zero": (lambda p, b, rng: SGD(0.0), "learning_rate", "above 0, got 0.0"),
    "SGD learning_rate NaN": (lambda p, b, rng: SGD(np.nan), "learning_rate", "finite number"),
    "SGD learning_rate an array": (lambda p, b, rng: SGD(np.ones(2)), "learning_rate", "got array"),
    "Adam learning_rate negative": (lambda p, b, rng: Adam(-0.1), "learning_rate", "got -0.1"),
    "Adam learning_rate infinite": (lambda p, b, rng: Adam(np.inf), "learning_rate", "got inf"),
    "Adam epsilon zero": (lambda p, b, rng: Adam(epsilon=0.0), "epsilon", "above 0, got 0.0"),
    "Adam beta_1 one": (lambda p, b, rng: Adam(beta_1=1.0), "beta_1", "below 1, got 1.0"),
    "Adam beta_2 negative": (lambda p, b, rng: Adam(beta_2=-0.1), "beta_2", "at least 0 and below 1, got -0.1"),
    "Adam beta_2 NaN": (lambda p, b, rng: Adam(beta_2=np.nan), "beta_2", "got nan"),
}


@pytest.mark.parametrize("call, argument, said", CASES.values(), ids=CASES.keys())
def test_bad_input_is_refused_by_name_and_changes_nothing(call, argument, said):
    params, batch = sine_problem(0)  # 3 tasks, 5 shots, 4 queries, sizes 1-6-5-1
    rng = np.random.default_rng(0)
    before, state = copies([*params, *batch]), rng.bit_generator.state
    with pytest.raises(ValueError) as refusal:
        call(params, batch, rng)
    message = str(refusal.value)
    assert re.search(rf"\b{argument}\b", message)
    assert said in message
    assert same([*params, *batch], before) and rng.bit_generator.state == state


def test_a_batch_may_be_a_tuple_or_a_list_as_for_keras():
    params, batch = sine_problem(0)
    given = [meta_gradient(params, form).gradient for form in (batch, tuple(batch), list(batch))]
    assert same(given[0], given[1]) and same(given[0], given[2])
