"""The self-checks of Part I: right answers pass in any form, classic mistakes are named, nothing raises."""

import contextlib
import io
import json
import math
import re
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from gaml_utils.exercises import EXERCISES as ALL
from gaml_utils.exercises import check
from gaml_utils.weighting.agreement import agreement_weights
from tests.support.checkout import ROOT

NUMBERS = "0.1 0.2 0.3 1.1 1.2 1.3 2.1 2.2 2.3 2.4 3.1 3.2 3.3 4.1 4.2 4.3 4.4 5.1 5.2 5.3".split()
EXERCISES = {number: ALL[number] for number in ALL if float(number) < 6}  # the rest: test_exercises_tensorflow.py
VALUES = {"0.1": 10, "0.2": 0.6, "0.3": 1 / 3}  # all other exercises ask for a function
NOTEBOOKS = ROOT / "notebooks"
T9 = stats.t.ppf(0.975, 9)


def ask(number, answer):
    """What check returns, and what it prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        right = check(number, answer)
    return right, printed.getvalue()


def returning(number, value):
    """An answer of the kind the exercise asks for, whose value is `value`."""
    return value if number in VALUES else lambda *case: value


def one_line(text):
    return text.endswith("\n") and len(text.splitlines()) == 1 and len(text) > 1


# ---------------------------------------------------------------- plain pieces that the answers below share


def gram(g):
    return [[sum(p * q for p, q in zip(a, b, strict=True)) for b in g] for a in g]


def score_list(g):
    return [sum(row) for row in gram(g)]


def without_self(g):
    return [sum(row) - row[i] for i, row in enumerate(gram(g))]


def over_absolute_sum(s):
    return np.array(s) / sum(abs(v) for v in s)


def over_book_sum(g):
    return np.array(score_list(g)) / sum(abs(v) for row in gram(g) for v in row)


def cosine_scores(g):
    unit = np.array([row / np.sqrt(row @ row) for row in g])
    return (unit @ unit.T).sum(axis=1)


def task_by_task(one):
    """The mean over tasks of a scalar meta-gradient."""
    return lambda theta, cs, cq, lr: sum(one(theta, s, q, lr) for s, q in zip(cs, cq, strict=True)) / len(cs)


def scalar_exact(theta, s, q, lr):
    adapted = theta - 2 * lr * theta + 2 * lr * s
    return 2 * (adapted - q) - 4 * lr * (adapted - q)


def scalar_by_differences(theta, s, q, lr, h=1e-3):
    def outer(t):
        return (t - lr * 2 * (t - s) - q) ** 2

    return (outer(theta + h) - outer(theta - h)) / (2 * h)


SCALAR_MISTAKES = [
    ("missing in the inner step", lambda t, s, q, lr: 2 * (t - lr * (t - s) - q) * (1 - lr)),
    ("not 1 - alpha", lambda t, s, q, lr: (1 - lr) * 2 * (t - lr * 2 * (t - s) - q)),
    ("subtract alpha times", lambda t, s, q, lr: (1 - 2 * lr) * 2 * (t + lr * 2 * (t - s) - q)),
    ("first-order", lambda t, s, q, lr: 2 * ((t - lr * 2 * (t - s)) - q)),
    ("Hessian term has the wrong sign", lambda t, s, q, lr: (1 + 2 * lr) * 2 * ((t - lr * 2 * (t - s)) - q)),
    ("query gradient at theta;", lambda t, s, q, lr: 2 * (t - q)),
    ("support loss", lambda t, s, q, lr: (1 - 2 * lr) * 2 * ((t - lr * 2 * (t - s)) - s)),
    ("uphill", lambda t, s, q, lr: (1 + 2 * lr) * 2 * ((t + lr * 2 * (t - s)) - q)),
    ("the 2 is missing", lambda t, s, q, lr: (1 - 2 * lr) * ((t - lr * 2 * (t - s)) - q)),
    ("not squared", lambda t, s, q, lr: (1 - 2 * lr) ** 2 * 2 * ((t - lr * 2 * (t - s)) - q)),
    ("not alpha squared", lambda t, s, q, lr: (1 - 2 * lr) * 2 * ((t - lr**2 * 2 * (t - s)) - q)),
]


def back_by_loops(delta, W, h):
    out = np.zeros(h.shape)
    for n in range(len(h)):
        for i in range(len(W)):
            if h[n, i] > 0:
                out[n, i] = sum(delta[n, o] * W[i, o] for o in range(W.shape[1]))
    return out


def central(gradient, theta, v, h=1e-4):
    return (gradient(theta + h * v) - gradient(theta - h * v)) / (2 * h)


def hessian_column_by_column(gradient, theta, v, h=1e-4):
    columns = [central(gradient, theta, e, h) for e in np.eye(len(theta))]
    return sum(column * c for column, c in zip(columns, v, strict=True))


def reptile_by_loops(theta, adapted, epsilon):
    new = []
    for j in range(len(theta)):
        new.append(theta[j] + epsilon * sum(a[j] - theta[j] for a in adapted) / len(adapted))
    return new


def reptile_in_place(theta, adapted, epsilon):
    theta *= 1 - epsilon
    theta += epsilon * adapted.mean(0)
    return theta


def walk_two_steps(g1, g2, inner_lr):
    start = np.zeros(len(g1))
    theta = start.copy()
    for g in (g1, g2):
        theta -= inner_lr * g
    return start - theta


def count_pairs(k, inner_lr):
    return -inner_lr * sum(1 for j in range(k) for i in range(j))


def outer_gradients(theta, cs, cq, lr, factor=-1):
    """One a task, by the chain rule; factor +1 is the wrong sign, 0 leaves the Hessian term out."""
    return np.array(
        [(1 + factor * 2 * lr) * 2 * (theta - lr * 2 * (theta - s) - q) for s, q in zip(cs, cq, strict=True)]
    )


def steps_taken(theta, cs, lr):
    return np.array([theta - (theta - lr * 2 * (theta - s)) for s in cs])


def weighted_sum(w, rows):
    return sum(w_i * row for w_i, row in zip(w, rows, strict=True))


def maml_by_loops(theta, cs, cq, lr):
    w = over_absolute_sum(score_list(steps_taken(theta, cs, lr)))
    return weighted_sum(w, outer_gradients(theta, cs, cq, lr))


def maml_by_differences(theta, cs, cq, lr, h=1e-4):
    w = agreement_weights(steps_taken(theta, cs, lr))

    def objective(t):
        return sum(w_i * np.sum((t - lr * 2 * (t - s) - q) ** 2) for w_i, s, q in zip(w, cs, cq, strict=True))

    return [(objective(theta + h * e) - objective(theta - h * e)) / (2 * h) for e in np.eye(len(theta))]


def maml_with(rule):
    return lambda t, s, q, lr: weighted_sum(rule(steps_taken(t, s, lr)), outer_gradients(t, s, q, lr))


def reptile_with(rule):
    return lambda t, a, e: t + e * weighted_sum(rule(t - a), a - t)


def plain_weights(g):
    return over_absolute_sum(score_list(g))


def uniform(g):
    return [1 / len(g)] * len(g)


def ends(middle, half):
    return middle, middle - half, middle + half


def interval_by_hand(a, b):
    d = [float(p - q) for p, q in zip(a, b, strict=True)]
    n = len(d)
    middle = sum(d) / n
    spread = math.sqrt(sum((v - middle) ** 2 for v in d) / (n - 1))
    return ends(middle, 2.262157 * spread / math.sqrt(n))


def interval_by_scipy(a, b):
    d = np.subtract(a, b)
    return [d.mean(), *stats.t.interval(0.95, len(d) - 1, loc=d.mean(), scale=stats.sem(d))]


# ---------------------------------------------------------------- right answers, each in several forms

RIGHT = {
    "0.1": [10, 10.0, np.int64(10), np.array(10)],
    "0.2": [0.6, 1 - 0.1 * 4, np.float32(0.6).astype(float).round(6), np.array(0.6)],
    "0.3": [1 / 3, sum([1, 1, -1]) / 3, np.mean([1, 1, -1])],
    "1.1": [
        lambda x, amplitude, phase: amplitude * np.sin(x - phase),
        lambda x, a, p: a * (np.sin(x) * np.cos(p) - np.cos(x) * np.sin(p)),
        lambda x, a, p: a * np.cos(x - p - np.pi / 2),
        lambda x, a, p: a * np.imag(np.exp(1j * (x - p))),
    ],
    "1.2": [
        lambda p, y: ((p - y) ** 2).mean(axis=(1, 2)),
        lambda p, y: [sum(float(e) ** 2 for e in (a - b).ravel()) / a.size for a, b in zip(p, y, strict=True)],
        lambda p, y: np.einsum("tno,tno->t", p - y, p - y) / p.shape[1],
    ],
    "1.3": [
        lambda x: 4 / np.pi * (np.sin(x) - np.cos(x)),
        lambda x: 4 * math.sqrt(2) / math.pi * np.sin(x - math.pi / 4),
        np.vectorize(lambda x: 2 * integrate.quad(lambda p: np.sin(x - p), 0, np.pi / 2)[0] / (np.pi / 2)),
    ],
    "2.1": [scalar_exact, scalar_by_differences],
    "2.2": [
        task_by_task(scalar_exact),
        task_by_task(scalar_by_differences),
        lambda t, s, q, lr: np.average((2 - 4 * lr) * (t - lr * 2 * (t - s) - q)),
    ],
    "2.3": [
        back_by_loops,
        lambda d, W, h: np.where(h > 0, np.einsum("no,io->ni", d, W), 0),
        lambda d, W, h: (np.sign(h) * (W @ d.T).T).tolist(),
    ],
    "2.4": [
        central,
        hessian_column_by_column,
        lambda gradient, theta, v: (gradient(theta + 1e-6 * v) - gradient(theta)) / 1e-6,
        lambda gradient, theta, v: np.imag(gradient(theta + 1e-20j * v)) / 1e-20,
    ],
    "3.1": [
        reptile_by_loops,
        reptile_in_place,
        lambda t, a, e: (1 - e) * t + e * sum(a) / len(a),
    ],
    "3.2": [
        walk_two_steps,
        lambda g1, g2, lr: [lr * p + lr * q for p, q in zip(g1, g2, strict=True)],
    ],
    "3.3": [count_pairs, lambda k, lr: -lr * math.comb(k, 2), lambda k, lr: -lr * (k * k - k) / 2],
    "4.1": [score_list, lambda g: (g @ g.T).sum(axis=1), lambda g: np.einsum("ip,jp->i", g, g)],
    "4.2": [
        plain_weights,
        agreement_weights,
        lambda g: (g @ g.mean(0) / np.abs(g @ g.mean(0)).sum()).tolist(),
    ],
    "4.3": [
        lambda g, w: weighted_sum(w, g),
        lambda g, w: [sum(w[i] * g[i, j] for i in range(len(g))) for j in range(g.shape[1])],
        lambda g, w: np.sum(w[:, None] * g, axis=0),
    ],
    "4.4": [
        lambda g: np.trace(g @ g.T) / np.sum(g @ g.T),
        lambda g: sum(gram(g)[i][i] for i in range(len(g))) / sum(score_list(g)),
        lambda g: float(np.linalg.norm(g) ** 2 / np.linalg.norm(g.sum(axis=0)) ** 2),
    ],
    "5.1": [maml_by_loops, maml_by_differences, maml_with(agreement_weights)],
    "5.2": [
        reptile_with(plain_weights),
        lambda t, a, e: (t - e * agreement_weights(t - a) @ (t - a)).tolist(),
    ],
    "5.3": [
        interval_by_hand,
        interval_by_scipy,
        lambda a, b: np.array([np.mean(a - b), *stats.ttest_rel(a, b).confidence_interval(0.95)]),
    ],
}

# ---------------------------------------------------------------- classic mistakes: (what the hint must say, answer)

WRONG = {
    "0.1": [
        ("query points", 10 + 10),
        ("all 25 tasks", 25 * 10),
        ("every point", 25 * (10 + 10)),
        ("number of tasks", 25),
        ("one number is expected", list(range(10))),
        ("not a function", lambda: 10),
    ],
    "0.2": [
        ("uphill", 1 + 0.1 * 4),
        ("subtract it from theta", 0.1 * 4),
        ("leaves out alpha", 1 - 4),
        ("changed places", 4 - 0.1 * 1),
        ("add it to theta", -0.1 * 4),
        ("not a function", lambda theta: theta - 0.1 * 4),
    ],
    "0.3": [
        ("that is the sum", 1 + 1 - 1),
        ("cancel", 0),
        ("third update", (1 + 1) / 3),
        ("the sign is wrong", (1 - 1 - 1) / 3),
        ("one number is expected", np.array([1, 1, -1]) / 3),
    ],
    "1.1": [
        ("phase is added", lambda x, a, p: a * np.sin(x + p)),
        ("amplitude multiplies the sine", lambda x, a, p: np.sin(a * (x - p))),
        ("cosine", lambda x, a, p: a * np.cos(x - p)),
        ("turned round", lambda x, a, p: a * np.sin(p - x)),
        ("subtracted from the sine", lambda x, a, p: a * np.sin(x) - p),
        ("amplitude is missing", lambda x, a, p: np.sin(x - p)),
    ],
    "1.2": [
        ("one mean over all tasks", lambda p, y: ((p - y) ** 2).mean()),
        ("adds the points up", lambda p, y: [np.sum((a - b) ** 2) for a, b in zip(p, y, strict=True)]),
        ("absolute error", lambda p, y: [np.mean(abs(a - b)) for a, b in zip(p, y, strict=True)]),
        ("root", lambda p, y: [math.sqrt(np.mean((a - b) ** 2)) for a, b in zip(p, y, strict=True)]),
        ("axes are mixed up", lambda p, y: ((p - y) ** 2).mean(axis=0).mean(axis=-1)),
        ("you averaged first", lambda p, y: [np.mean(a - b) ** 2 for a, b in zip(p, y, strict=True)]),
        ("an axis too many", lambda p, y: ((p - y) ** 2).mean(axis=1)),
    ],
    "1.3": [
        ("phases up to pi;", lambda x: -4 / np.pi * np.cos(x)),
        ("factor 2 is missing", lambda x: 2 / np.pi * (np.sin(x) - np.cos(x))),
        ("divided by the length", lambda x: 2 * np.sin(x) - 2 * np.cos(x)),
        ("integral of sin(x - phase)", lambda x: 4 / np.pi * (np.cos(x) - np.sin(x))),
        ("cos(x) is subtracted", lambda x: 4 / np.pi * (np.cos(x) + np.sin(x))),
        ("sine of the mean phase", lambda x: 2 * np.sin(x - np.pi / 4)),
    ],
    "2.1": SCALAR_MISTAKES,
    "2.2": [
        ("sum over tasks", lambda t, cs, cq, lr: len(cs) * task_by_task(scalar_exact)(t, cs, cq, lr)),
        (
            "one gradient per task",
            lambda t, cs, cq, lr: [scalar_exact(t, s, q, lr) for s, q in zip(cs, cq, strict=True)],
        ),
        *((word, task_by_task(wrong)) for word, wrong in SCALAR_MISTAKES),
    ],
    "2.3": [
        ("slope of the ReLU is missing", lambda d, W, h: np.einsum("no,io->ni", d, W)),
        ("not h itself", lambda d, W, h: np.einsum("no,io->ni", d, W) * h),
        ("wrong way round", lambda d, W, h: np.where(h > 0, 0, d @ W.T)),
        ("tanh", lambda d, W, h: np.einsum("no,io->ni", d, W) * (1 - h * h)),
        ("not the error that goes in", lambda d, W, h: np.where(h[:, : d.shape[1]] > 0, d, 0) @ W.T),
    ],
    "2.4": [
        ("divide by 2 h", lambda f, theta, v: (f(theta + 1e-5 * v) - f(theta - 1e-5 * v)) / 1e-5),
        ("forward minus backward", lambda f, theta, v: -central(f, theta, v)),
        ("added up", lambda f, theta, v: central(f, theta, v).sum()),
        ("that is the diagonal", lambda f, theta, v: [central(f, theta, e)[k] for k, e in enumerate(np.eye(len(v)))]),
        ("only the diagonal", lambda f, theta, v: v * [central(f, theta, e)[k] for k, e in enumerate(np.eye(len(v)))]),
        ("a vector of ones", lambda f, theta, v: central(f, theta, np.ones(len(v)))),
        ("gradient times v", lambda f, theta, v: f(theta) * v),
    ],
    "3.1": [
        ("moves away", lambda t, a, e: t + e * (t - a).mean(axis=0)),
        ("sum over tasks", lambda t, a, e: t + e * sum(row - t for row in a)),
        ("epsilon is missing", lambda t, a, e: t + (a - t).mean(axis=0)),
        ("direction only", lambda t, a, e: e * (a.mean(axis=0) - t)),
        ("without an axis", lambda t, a, e: t + e * (a - t).mean()),
        ("not of theta'_i - theta", lambda t, a, e: t + e * a.mean(axis=0)),
    ],
    "3.2": [
        ("the update is theta - theta'", lambda g1, g2, lr: -lr * g1 - lr * g2),
        ("alpha is missing", lambda g1, g2, lr: g1 + g2),
        ("last step only", lambda g1, g2, lr: lr * g2),
        ("first step only", lambda g1, g2, lr: lr * g1),
        ("not averaged", lambda g1, g2, lr: lr * np.mean([g1, g2], axis=0)),
    ],
    "3.3": [
        ("the sign", lambda k, lr: lr * math.comb(k, 2)),
        ("alpha is missing", lambda k, lr: -math.comb(k, 2)),
        ("counts once", lambda k, lr: -lr * sum(1 for i in range(k) for j in range(k) if i != j)),
        ("pair with itself", lambda k, lr: -lr * sum(range(k + 1))),
        ("not the steps", lambda k, lr: -lr * k),
        ("k squared", lambda k, lr: -lr * k * k / 2),
    ],
    "4.1": [
        ("self term is missing", without_self),
        ("inner product with the mean", lambda g: np.array(score_list(g)) / len(g)),
        ("cosines", cosine_scores),
        ("only the self term", lambda g: [row @ row for row in g]),
        ("whole matrix", gram),
        ("absolute values", lambda g: [sum(abs(v) for v in row) for row in gram(g)]),
        ("np.sum without an axis", lambda g: np.sum(g @ g.T)),
    ],
    "4.2": [
        ("book's normaliser", over_book_sum),
        ("absolute value is forgotten", lambda g: np.array(score_list(g)) / sum(score_list(g))),
        ("self term is missing", lambda g: over_absolute_sum(without_self(g))),
        ("divided by T once more", lambda g: plain_weights(g) / len(g)),
        ("sign of the score is lost", lambda g: over_absolute_sum([abs(s) for s in score_list(g)])),
        ("those are the scores", score_list),
        ("cosines", lambda g: over_absolute_sum(cosine_scores(g))),
        ("uniform weights", uniform),
        ("softmax", lambda g: [math.exp(s) / sum(map(math.exp, score_list(g))) for s in score_list(g)]),
    ],
    "4.3": [
        ("into one number", lambda g, w: np.sum(w[:, None] * g)),
        ("repeated for every parameter", lambda g, w: np.ones(g.shape[1]) * np.sum(w[:, None] * g)),
        ("divided by T", lambda g, w: np.mean(w[:, None] * g, axis=0)),
        ("one per task", lambda g, w: [w_i * row for w_i, row in zip(w, g, strict=True)]),
        ("ignores the weights", lambda g, w: sum(g) / len(g)),
        ("ignores the signs", lambda g, w: weighted_sum(abs(w), g)),
    ],
    "4.4": [
        ("one share a task", lambda g: np.diag(g @ g.T) / np.sum(g @ g.T, axis=1)),
        ("share of the other terms", lambda g: 1 - np.trace(g @ g.T) / np.sum(g @ g.T)),
        ("absolute inner products", lambda g: np.trace(g @ g.T) / np.sum(np.abs(g @ g.T))),
        ("other way round", lambda g: np.sum(g @ g.T) / np.trace(g @ g.T)),
        ("the others only", lambda g: np.trace(g @ g.T) / (np.sum(g @ g.T) - np.trace(g @ g.T))),
    ],
    "5.1": [
        ("uniform weights", maml_with(uniform)),
        ("into one number", lambda *case: np.sum(maml_by_loops(*case))),
        ("repeated for every parameter", lambda *case: np.ones(len(case[0])) * np.sum(maml_by_loops(*case))),
        ("book's normaliser", maml_with(over_book_sum)),
        ("divide by T", lambda *case: maml_by_loops(*case) / len(case[1])),
        ("support loss", lambda t, s, q, lr: maml_by_loops(t, s, s, lr)),
        ("outer gradients", lambda *c: weighted_sum(plain_weights(outer_gradients(*c)), outer_gradients(*c))),
        (
            "first-order",
            lambda t, s, q, lr: weighted_sum(
                plain_weights(steps_taken(t, s, lr)), outer_gradients(t, s, q, lr, factor=0)
            ),
        ),
        (
            "Hessian term has the wrong sign",
            lambda t, s, q, lr: weighted_sum(
                plain_weights(steps_taken(t, s, lr)), outer_gradients(t, s, q, lr, factor=+1)
            ),
        ),
        ("without weights", lambda *case: sum(outer_gradients(*case))),
    ],
    "5.2": [
        ("moves away", lambda t, a, e: t + e * weighted_sum(plain_weights(t - a), t - a)),
        ("plain Reptile", reptile_with(uniform)),
        ("weights the adapted parameters", lambda t, a, e: t + e * weighted_sum(plain_weights(t - a), a)),
        ("into one number", lambda t, a, e: t + e * np.sum(weighted_sum(plain_weights(t - a), a - t))),
        ("divides by T", lambda t, a, e: t + e * weighted_sum(plain_weights(t - a), a - t) / len(a)),
        ("epsilon is missing", lambda t, a, e: reptile_with(plain_weights)(t, a, 1)),
        ("book's normaliser", reptile_with(over_book_sum)),
    ],
    "5.3": [
        (
            "unpaired",
            lambda a, b: ends(np.mean(a) - np.mean(b), T9 * math.sqrt(np.var(a, ddof=1) / 10 + np.var(b, ddof=1) / 10)),
        ),
        ("two samples", lambda a, b: [np.mean(a) - np.mean(b), *stats.ttest_ind(a, b).confidence_interval(0.95)]),
        ("another order", lambda a, b: [interval_by_scipy(a, b)[k] for k in (1, 0, 2)]),
        ("normal distribution", lambda a, b: ends(np.mean(a - b), 1.96 * stats.sem(a - b))),
        ("ddof=1", lambda a, b: ends(np.mean(a - b), T9 * np.std(a - b) / math.sqrt(10))),
        ("square root of n", lambda a, b: ends(np.mean(a - b), T9 * np.std(a - b, ddof=1))),
        ("that is b - a", lambda a, b: interval_by_scipy(b, a)),
        ("degrees of freedom", lambda a, b: ends(np.mean(a - b), stats.t.ppf(0.975, 10) * stats.sem(a - b))),
        ("0.975 quantile", lambda a, b: ends(np.mean(a - b), stats.t.ppf(0.95, 9) * stats.sem(a - b))),
    ],
}

# Wrong all the same, though no hint is promised for them.
ALSO_WRONG = {
    "0.2": [2.4, 0.6001],
    "1.1": [lambda x, a, p: a * np.sin(np.radians(x - p)), lambda x, a, p: -a * np.sin(x - p)],
    "2.3": [lambda d, W, h: (h > 0) * 1.0, lambda d, W, h: d @ W],
    "2.4": [lambda f, theta, v: f(v), lambda f, theta, v: 2 * theta * v],
    "3.3": [lambda k, lr: -(lr**2) * math.comb(k, 2), lambda k, lr: 0.0],
    "4.2": [
        lambda g: np.abs(score_list(g)) / np.sum(score_list(g)),
        lambda g: np.array(score_list(g)) / np.linalg.norm(score_list(g)),
        lambda g: np.array(score_list(g)) / np.max(np.abs(score_list(g))),
    ],
    "5.1": [lambda t, s, q, lr: t - 0.1 * maml_by_loops(t, s, q, lr), lambda *case: -maml_by_loops(*case)],
    "5.3": [lambda a, b: stats.ttest_rel(a, b).confidence_interval(0.95)],
}


def cases(table):
    return [pytest.param(n, entry, id=f"{n}-{i}") for n, entries in table.items() for i, entry in enumerate(entries)]


def mistakes():
    return [pytest.param(n, word, answer, id=f"{n}-{word}") for n, rows in WRONG.items() for word, answer in rows]


def test_the_exercises_are_those_of_chapters_0_to_5():
    assert list(EXERCISES) == NUMBERS


@pytest.mark.parametrize("number", EXERCISES)
def test_every_exercise_has_two_right_answers_and_five_mistakes_here(number):
    assert len(RIGHT.get(number, [])) >= 2
    assert len(WRONG.get(number, [])) >= 5


@pytest.mark.parametrize(("number", "answer"), cases(RIGHT))
def test_right_answer_is_accepted_however_it_is_written(number, answer):
    assert ask(number, answer) == (True, f"{number}: right.\n")


@pytest.mark.parametrize(("number", "word", "answer"), mistakes())
def test_classic_mistake_is_rejected_and_named(number, word, answer):
    right, text = ask(number, answer)
    assert right is False
    assert word in text
    assert one_line(text)


@pytest.mark.parametrize("number", EXERCISES)
def test_each_mistake_of_an_exercise_gets_a_hint_of_its_own(number):
    hints = [ask(number, answer)[1] for _, answer in WRONG[number]]
    assert len(set(hints)) == len(hints)


@pytest.mark.parametrize(("number", "answer"), cases(ALSO_WRONG))
def test_other_wrong_answer_is_rejected(number, answer):
    right, text = ask(number, answer)
    assert right is False
    assert one_line(text)


@pytest.mark.parametrize("number", EXERCISES)
def test_answer_a_little_off_is_rejected(number):
    factor = 1 + {"0.3": 1e-2, "2.4": 1e-3, "5.3": 1e-3}.get(number, 1e-4)  # these may be rounded
    answer = RIGHT[number][0]
    off = answer * factor if number in VALUES else lambda *case: factor * np.array(answer(*case))
    right, text = ask(number, off)
    assert right is False
    assert "it should be" in text


@pytest.mark.parametrize("number", EXERCISES)
def test_right_numbers_in_one_axis_too_many_are_told_the_shape(number):
    answer = RIGHT[number][0]
    deep = [answer] if number in VALUES else lambda *case: np.array(answer(*case))[None]
    right, text = ask(number, deep)
    assert right is False
    assert "shape should be" in text or "one number is expected" in text


@pytest.mark.parametrize("number", ["1.1", "2.1", "3.1", "3.3", "4.2"])
def test_answer_that_is_right_on_the_first_case_only_is_rejected(number):
    calls, answer = [], RIGHT[number][0]

    def right_once(*case):
        calls.append(case)
        return answer(*case) if len(calls) == 1 else np.asarray(answer(*case)) + 1

    assert ask(number, right_once)[0] is False
    assert len(calls) > 1


@pytest.mark.parametrize("nothing", [..., None])
@pytest.mark.parametrize("number", EXERCISES)
def test_dots_and_none_are_not_attempted_yet(number, nothing):
    right, text = ask(number, nothing)
    assert right is False
    assert text.startswith(f"{number}: not attempted yet.") and one_line(text)


@pytest.mark.parametrize("number", [n for n in NUMBERS if n not in VALUES])
def test_function_that_returns_dots_is_not_attempted_yet(number):
    right, text = ask(number, lambda *case: ...)
    assert right is False
    assert "not attempted yet" in text and "rror" not in text and one_line(text)


@pytest.mark.parametrize("number", [n for n in NUMBERS if n not in VALUES])
def test_function_that_returns_nothing_is_asked_for_its_return(number):
    assert ask(number, lambda *case: None) == (
        False,
        f"{number}: not right: your function returns None; is the return missing?\n",
    )
    assert "prints instead" in ask(number, lambda *case: print("1.0"))[1]


@pytest.mark.parametrize("number", [n for n in NUMBERS if n not in VALUES])
def test_value_where_a_function_is_asked_for_is_told_so(number):
    assert ask(number, 1.0) == (False, f"{number}: this should be a function; pass its name, without calling it.\n")


class Stubborn:
    """Raises whatever is asked of it."""

    def __array__(self, *args, **kwargs):
        raise RuntimeError("no array")

    def __repr__(self):
        raise RuntimeError("no repr")

    def __eq__(self, other):
        raise RuntimeError("no comparison")

    __hash__ = None


class Shy(Exception):
    def __str__(self):
        raise ValueError("no text")


def endless():
    loop = []
    loop.append(loop)
    return loop


STRANGE = {
    "text": lambda: "ten",
    "two lines of text": lambda: "ten\neleven",
    "bytes": lambda: b"10",
    "empty list": lambda: [],
    "nan": lambda: float("nan"),
    "infinity": lambda: np.inf,
    "array of nan": lambda: np.full((3, 3), np.nan),
    "wrong shape": lambda: np.zeros((2, 3, 4)),
    "ragged": lambda: [[1.0, 2.0], [3.0]],
    "ragged with text": lambda: [[1.0, "b"], [3.0]],
    "list with nothing in it": lambda: [None, ...],
    "huge array": lambda: np.ones(2_000_000),
    "huge number": lambda: 10**400,
    "dictionary": lambda: {"w": 1.0},
    "set": lambda: {1, 2},
    "complex": lambda: 1j,
    "object": object,
    "stubborn": Stubborn,
    "array of objects": lambda: np.array([object(), object()]),
    "list in itself": endless,
    "generator": lambda: (v for v in range(3)),
    "module": lambda: np,
}


@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize("number", EXERCISES)
def test_strange_result_is_rejected_in_one_line(number, kind):
    right, text = ask(number, returning(number, STRANGE[kind]()))
    assert right is False
    assert one_line(text) and text.startswith(f"{number}: ")


@pytest.mark.parametrize("number", ["0.1", "1.2", "4.1"])
def test_ragged_list_is_told_the_shapes_of_its_parts(number):
    assert "not ((2,), (1,))" in ask(number, returning(number, [[1.0, 2.0], [3.0]]))[1]


@pytest.mark.parametrize("number", ["0.1", "1.1", "4.2"])
def test_nan_of_the_right_shape_is_called_nan(number):
    answer = RIGHT[number][0]
    nans = math.nan if number in VALUES else lambda *case: np.nan * np.array(answer(*case))
    assert "NaN" in ask(number, nans)[1]


@pytest.mark.parametrize("number", VALUES)
def test_number_written_as_text_is_not_a_number(number):
    assert ask(number, str(VALUES[number]))[0] is False


def test_complex_answer_is_not_taken_for_its_real_part():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in a notebook, where a warning is no error
        assert ask("0.1", np.array(10 + 5j))[0] is False


def raising(error):
    def answer(*case):
        raise error

    return answer


ERRORS = {
    "ValueError": ValueError("shapes (2,) and (3,)"),
    "no message": ValueError(),
    "several lines": ValueError("first\nsecond\nthird"),
    "KeyError": KeyError("w"),
    "AssertionError": AssertionError(),
    "StopIteration": StopIteration(),
    "MemoryError": MemoryError(),
    "RecursionError": RecursionError("too deep"),
    "NotImplementedError": NotImplementedError(),
}


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("number", [n for n in NUMBERS if n not in VALUES])
def test_function_that_raises_is_told_what_it_raised(number, name):
    right, text = ask(number, raising(ERRORS[name]))
    assert right is False
    assert type(ERRORS[name]).__name__ in text and one_line(text)


def test_error_without_a_printable_message_is_caught():
    right, text = ask("4.1", raising(Shy()))
    assert right is False
    assert "Shy" in text and one_line(text)


def test_answer_that_exits_is_caught():
    right, text = ask("4.1", lambda g: sys.exit("bye"))
    assert right is False
    assert one_line(text)


def test_interrupt_by_the_reader_still_stops_the_cell():
    with pytest.raises(KeyboardInterrupt):
        ask("4.1", raising(KeyboardInterrupt()))


def test_wrong_number_of_arguments_is_told_as_typeerror():
    assert "TypeError" in ask("4.3", lambda g: g)[1]


def test_answer_that_prints_leaves_one_line():
    def chatty(g):
        print("scores:", g)
        return score_list(g)

    assert ask("4.1", chatty) == (True, "4.1: right.\n")


@pytest.mark.parametrize("number", ["1.2", "3.1", "4.1", "4.2", "5.1", "5.2", "5.3"])
def test_answer_that_spoils_its_arguments_harms_no_later_one(number):
    right = RIGHT[number][0]

    def spoiler(*case):
        result = np.array(right(*case))
        for a in case:
            if isinstance(a, np.ndarray):
                a[...] = 7.0
        return result

    assert ask(number, spoiler)[0] is True
    assert ask(number, right)[0] is True


def test_answer_may_divide_by_zero_in_silence():
    right, text = ask("4.2", lambda g: g[:, 0] / np.zeros(len(g)))
    assert right is False
    assert "NaN" in text and one_line(text)


def test_floating_point_settings_are_as_before():
    before = np.geterr()
    ask("4.2", lambda g: np.seterr(all="raise"))
    assert np.geterr() == before


@pytest.mark.parametrize("number", ["9.9", "", "4", "4.20", "ten", None, 4.2, ...])
def test_unknown_number_lists_the_exercises_in_one_line(number):
    right, text = ask(number, 1)
    assert right is False
    assert one_line(text) and all(known in text for known in ALL)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(number=st.sampled_from(NUMBERS), value=anything)
def test_whatever_the_answer_check_prints_one_line(number, value):
    right, text = ask(number, returning(number, value))
    assert isinstance(right, bool)
    assert one_line(text) and text.startswith(f"{number}: ")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(number=st.sampled_from(sorted(VALUES)), value=st.floats())
def test_a_number_is_right_when_it_is_the_right_one(number, value):
    assert ask(number, value)[0] == (abs(value - VALUES[number]) <= 1e-7 * VALUES[number])


# ---------------------------------------------------------------- the notebooks and their exercises


def code_cells(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def asked_in(source):
    return re.findall(r"\bcheck\(\s*[\"']([^\"']*)[\"']", source)


def chapter(k, folder=NOTEBOOKS):
    found = sorted(folder.glob(f"{k:02d}_*.ipynb"))
    if not found:
        pytest.skip(f"chapter {k:02d} is not there yet")
    return found[0]


@pytest.mark.parametrize("folder", ["", "solutions"])
@pytest.mark.parametrize("k", range(6))
def test_chapter_asks_exactly_its_exercises_in_order(k, folder):
    asked = [n for source in code_cells(chapter(k, NOTEBOOKS / folder)) for n in asked_in(source)]
    assert asked == [n for n in EXERCISES if n.startswith(f"{k}.")]


def test_no_notebook_asks_an_exercise_that_does_not_exist():
    asked = {n for path in NOTEBOOKS.rglob("*.ipynb") for source in code_cells(path) for n in asked_in(source)}
    assert asked
    assert asked <= set(ALL)


def run_cells(sources):
    """What the cells print, run one after the other."""
    names, printed = {"np": np, "check": check}, io.StringIO()
    with contextlib.redirect_stdout(printed):
        for source in sources:
            exec(compile(source, "cell", "exec"), names)
    return printed.getvalue().splitlines()


@pytest.mark.parametrize("k", range(6))
def test_exercise_cells_as_the_reader_finds_them_are_not_attempted_yet(k):
    lines = run_cells(source for source in code_cells(chapter(k)) if asked_in(source))
    assert len(lines) >= 3
    assert all("not attempted yet" in line for line in lines)


@pytest.mark.parametrize("k", range(6))
def test_worked_solutions_are_right(k):
    lines = run_cells(code_cells(chapter(k, NOTEBOOKS / "solutions")))
    assert lines == [f"{n}: right." for n in EXERCISES if n.startswith(f"{k}.")]
