"""Imitation with two heads: MAML where they are one, a learned inner loss where they are not."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.learners import CAML, MAML, MIL, as_dataset, policy_of, task_by_task
from gaml_utils.networks import Context
from gaml_utils.tasks import ReachTasks, reached
from gaml_utils.weighting import agreement_weights
from tests.support.keras_learners import arrays, assert_gradient_is_of_differences
from tests.support.keras_models import float64, unlike_at_the_start
from tests.support.plain_formulas import relative_error

TASKS = ReachTasks(steps=6)


def batch_of(seed=0, tasks=3):
    return TASKS.sample(np.random.default_rng(seed), tasks, 1, 1)


def policy(inner=2, tied=False, context=0):
    """Observations -> two actions, and the outputs of the inner head, which is the same head where tied."""
    keras.utils.set_random_seed(0)
    with float64():
        x = h = keras.Input((4,), dtype="float64")
        h = Context(context)(h) if context else h
        h = keras.layers.Dense(6, "tanh")(h)
        actions = keras.layers.Dense(2, name="actions")(h)
        other = actions if tied else keras.layers.Dense(inner, name="inner")(h)
        both = keras.Model(x, keras.layers.Concatenate()([actions, other]))
        plain = keras.Model(x, actions)
    unlike_at_the_start(both)
    return both, plain


def compiled(learner):
    learner.compile(keras.optimizers.Adam(0.01), "mse")
    return learner


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("source", ["updates", "outer"])
def test_with_one_head_for_both_it_is_maml(steps, source):
    both, plain = policy(tied=True)
    settings = {"inner_lr": 0.1, "inner_steps": steps, "weighting": agreement_weights, "source": source}
    ours, theirs = (
        compiled(learner).meta_gradient(batch_of())
        for learner in (MIL(both, actions=2, **settings), MAML(plain, **settings))
    )
    assert relative_error(arrays(ours), arrays(theirs)) < 1e-12


@pytest.mark.parametrize("watch_only", [False, True])
def test_one_inner_step_by_hand(watch_only):
    both, _ = policy(inner=3 if watch_only else 2)
    learner = compiled(MIL(both, 2, watch_only, inner_lr=0.1))
    sx, sy, qx, _ = (part[0] for part in batch_of())
    with tf.GradientTape() as tape:
        inner = both(sx)[:, 2:]
        loss = tf.reduce_mean((inner if watch_only else inner - sy) ** 2)
    start = [v.numpy() for v in both.trainable_variables]
    gradient = tape.gradient(loss, both.trainable_variables, unconnected_gradients="zero")
    for v, g in zip(both.trainable_variables, gradient, strict=True):
        v.assign_sub(0.1 * g)
    by_hand = both(qx)[:, :2].numpy()
    for v, value in zip(both.trainable_variables, start, strict=True):
        v.assign(value)
    np.testing.assert_allclose(learner.answers(sx, sy, qx), by_hand, rtol=1e-10)


def test_watching_needs_no_actions():
    both, _ = policy(inner=3)
    learner = compiled(MIL(both, 2, watch_only=True, inner_lr=0.1))
    sx, sy, qx, _ = (part[0] for part in batch_of())
    np.testing.assert_array_equal(learner.answers(sx, sy, qx), learner.answers(sx, 0 * sy, qx))


@pytest.mark.parametrize("watch_only", [False, True])
def test_the_gradient_is_that_of_central_differences(watch_only):
    both, _ = policy(context=3)
    learner = compiled(MIL(both, 2, watch_only, inner_lr=0.2, inner_steps=2))
    assert_gradient_is_of_differences(learner, batch_of())


@pytest.mark.parametrize("watch_only", [False, True])
def test_first_order_never_trains_the_inner_head(watch_only):
    """The outer loss meets it only through the inner gradient."""
    for first_order in (True, False):
        both, _ = policy()
        learner = compiled(MIL(both, 2, watch_only, inner_lr=0.1, first_order=first_order))
        gradient = learner.meta_gradient(batch_of()).gradient
        of_inner = [g for v, g in zip(both.trainable_variables, gradient, strict=True) if "inner" in v.path]
        assert len(of_inner) == 2
        if watch_only or first_order:
            assert (np.abs(of_inner[0]).max() == 0) == first_order
        else:
            assert all(np.abs(g).max() > 0 for g in of_inner)


def test_the_effective_bias_moves_by_more_than_a_plain_one():
    """W_1 x + W_2 z + b: a step moves b + W_2 z by (I + W_2 W_2^T) times the plain bias's step, to first order."""
    with float64():
        x = keras.Input((4,), dtype="float64")
        model = keras.Model(x, keras.layers.Dense(2, name="last")(Context(3)(x)))
    unlike_at_the_start(model)
    learner = compiled(MAML(model, inner_lr=1e-6))
    sx, sy, _, _ = (part[0] for part in batch_of())
    names = [v.path.split("/")[-1] for v in model.trainable_variables]
    z, kernel, bias = (names.index(name) for name in ("context", "kernel", "bias"))
    after = learner.learn(learner.outer(), tf.constant(sx), tf.constant(sy)).memory
    before = [v.numpy() for v in model.trainable_variables]
    w2 = before[kernel][4:]  # (3, 2)
    moved = [(np.asarray(p) - q) / 1e-6 for p, q in zip(after, before, strict=True)]
    step = moved[bias]
    effective = step + moved[z] @ w2
    np.testing.assert_allclose(effective, step @ (np.eye(2) + w2.T @ w2), rtol=1e-6)


def test_task_by_task_steps_by_the_inner_heads_loss():
    both, _ = policy()
    learner = compiled(MIL(both, 2, inner_lr=0.1, inner_steps=2, weighting=agreement_weights))
    assert relative_error(arrays(task_by_task(learner)(batch_of())), arrays(learner.meta_gradient(batch_of()))) < 1e-9


def test_models_and_settings_that_do_not_fit_are_refused():
    both, plain = policy(inner=3)
    with pytest.raises(ValueError, match="model should have as many inner outputs as actions, 2, got 3"):
        MIL(both, 2)
    assert MIL(both, 2, watch_only=True).watch_only
    for actions in (0, 2.0, 5):
        with pytest.raises(ValueError, match="actions should be a whole number from 1 to 4"):
            MIL(both, actions, watch_only=True)
    with pytest.raises(ValueError, match="actions should be"):
        MIL(plain, 2)
    with pytest.raises(ValueError, match="watch_only should be True or False"):
        MIL(both, 2, watch_only=1)


def test_a_policy_answers_one_observation_of_each_task_as_answers_does():
    both, _ = policy()
    learner, batch = compiled(MIL(both, 2, inner_lr=0.1)), batch_of()
    act = policy_of(learner, batch.support_x, batch.support_y)
    found = act(batch.query_x[:, 0])
    for i in range(3):
        one = learner.answers(batch.support_x[i], batch.support_y[i], batch.query_x[i, :1])
        np.testing.assert_allclose(found[i : i + 1], one, rtol=1e-10)
    unlearned = policy_of(learner, batch.support_x, batch.support_y, steps=0)(batch.query_x[:, 0])
    np.testing.assert_allclose(unlearned, both(batch.query_x[:, 0])[:, :2], rtol=1e-10)
    nan = np.full((3, 4), np.nan)
    for other in (batch.query_x[:2, 0], batch.query_x[:, 0, :3], batch.query_x[0, 0], nan):
        with pytest.raises(ValueError, match=r"observations should be finite, one per task, \(3, 4\), got shape"):
            act(other)
    with pytest.raises(ValueError, match="observations should be"):
        act("forward")
    with pytest.raises(ValueError, match=r"support_x should be one array, \(tasks, points, ...\), got dict"):
        policy_of(learner, {"seen": batch.support_x}, batch.support_y)
    with pytest.raises(ValueError, match="steps should be"):
        policy_of(learner, batch.support_x, batch.support_y, steps=-1)


@pytest.mark.parametrize("kind", [MIL, MAML, CAML])
def test_a_policy_is_the_learners_of_the_moment_and_compiled_once(kind):
    both, plain = policy(context=3)
    settings = {MIL: {"actions": 2}, MAML: {}, CAML: {"learn_start": True}}[kind]
    learner = compiled(kind(both if kind is MIL else plain, inner_lr=0.1, **settings))
    batch, others = batch_of(), batch_of(seed=1)
    act = policy_of(learner, batch.support_x, batch.support_y)
    before = act(batch.query_x[:, 0])
    for v in learner.outer_variables:
        v.assign(1.5 * v)
    np.testing.assert_array_equal(act(batch.query_x[:, 0]), before)
    again = policy_of(learner, batch.support_x, batch.support_y)(batch.query_x[:, 0])
    assert np.abs(again - before).max() > 1e-3
    one = learner.answers(others.support_x[0], others.support_y[0], others.query_x[0, :1])
    found = policy_of(learner, others.support_x, others.support_y)(others.query_x[:, 0])
    np.testing.assert_allclose(found[:1], one, rtol=1e-10)
    assert sum(key[0] == "policy" for key in learner.kept_answers) == 2  # one to learn by, one to act by


def test_it_learns_to_imitate():
    """Some hundred outer steps, and more goals are reached after a demonstration than before it."""
    keras.utils.set_random_seed(0)
    x = h = keras.Input((4,))
    for _ in range(2):
        h = keras.layers.Dense(40, "relu")(h)
    out = [keras.layers.Dense(2)(h) for _ in range(2)]
    learner = MIL(keras.Model(x, keras.layers.Concatenate()(out)), 2, inner_lr=0.3, inner_steps=3)
    learner.compile(keras.optimizers.Adam(0.003), "mse", jit_compile=True, steps_per_execution=50)
    tasks, rng = ReachTasks(), np.random.default_rng(1)
    learner.fit(as_dataset(tasks, 25, 1, 1), steps_per_epoch=300, verbose=0)
    goals, starts = tasks.draw(rng, 100), tasks.starts(rng, 100, 1)[:, 0]
    demonstrations = tasks.demonstrate(rng, goals, 1)
    found = [
        reached(tasks.rollout(policy_of(learner, *demonstrations, steps=steps), goals, starts), goals).mean()
        for steps in (0, 3)
    ]
    assert found[1] > found[0] + 0.1


@pytest.mark.parametrize("watch_only", [False, True])
def test_actions_of_another_number_are_refused_where_they_are_used(watch_only):
    """One action for two would be stretched to fit, in silence; a learner that only watches asks for none."""
    both, _ = policy()
    learner, batch = compiled(MIL(both, 2, watch_only=watch_only, inner_lr=0.1)), batch_of()
    batch = batch._replace(support_y=batch.support_y[..., :1])
    if watch_only:
        assert np.isfinite(learner.meta_gradient(batch).query_losses).all()
        return
    for use in (lambda: learner.meta_gradient(batch), lambda: policy_of(learner, batch.support_x, batch.support_y)):
        with pytest.raises(ValueError, match=r"support_y should be the demonstrated actions, \(6, 2\), got \(6, 1\)"):
            use()
