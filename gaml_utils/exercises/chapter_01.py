"""Exercises of chapter 01: sines, losses, the average curve."""

import numpy as np

from gaml_utils.exercises.compare import Exercise

_rng = np.random.default_rng(1)
_x = _rng.uniform(-5, 5, (4, 6, 1))
_amplitude, _phase = _rng.uniform(0.5, 5, (4, 1, 1)), _rng.uniform(0.2, 3, (4, 1, 1))
_prediction, _y = _rng.normal(size=(2, 4, 6, 1))
_line = np.linspace(-5, 5, 11)
_small = np.array([[[-1.0], [0.5], [2.0]], [[0.0], [1.0], [-3.0]]])
_small_y = np.array([[[0.5], [0.0], [1.0]], [[-2.0], [1.5], [-1.0]]])


def _sine(x, amplitude, phase):
    return amplitude * np.sin(x - phase)


def _task_losses(prediction, y):
    return np.mean((prediction - y) ** 2, axis=(1, 2))


def _mean_curve(x):
    return 2 * (2 / np.pi) * (np.sin(x) - np.cos(x))


EXERCISES = {
    "1.1": Exercise(
        _sine,
        cases=[(_small[:, :2], np.array([[[2.0]], [[0.5]]]), np.array([[[1.0]], [[2.5]]])), (_x, _amplitude, _phase)],
        mistakes={
            "the phase is added; y = A sin(x - phase).": lambda x, a, p: a * np.sin(x + p),
            "the amplitude multiplies the sine, not what is inside it.": lambda x, a, p: np.sin(a * (x - p)),
            "that is a cosine.": lambda x, a, p: a * np.cos(x - p),
            "the sign is turned round: sin(phase - x) is -sin(x - phase).": lambda x, a, p: a * np.sin(p - x),
            "the phase is subtracted from the sine, not from x.": lambda x, a, p: a * np.sin(x) - p,
            "the amplitude is missing.": lambda x, a, p: np.sin(x - p) + 0 * a,
        },
    ),
    "1.2": Exercise(
        _task_losses,
        cases=[(_small, _small_y), (_prediction, _y), (_prediction[:1], _y[:1])],
        mistakes={
            "that is one mean over all tasks; keep one loss per task, shape (tasks,).": lambda p, y: np.mean(
                (p - y) ** 2
            ),
            "that adds the points up; the loss of a task is the mean over its points.": lambda p, y: np.sum(
                (p - y) ** 2, axis=(1, 2)
            ),
            "that is the absolute error; square it.": lambda p, y: np.mean(np.abs(p - y), axis=(1, 2)),
            "that is the root of the mean squared error; leave the root out.": lambda p, y: np.sqrt(
                np.mean((p - y) ** 2, axis=(1, 2))
            ),
            "the axes are mixed up: you averaged over tasks, so each point is left with a loss.": lambda p, y: np.mean(
                (p - y) ** 2, axis=(0, 2)
            ),
            "square each error first, then average; you averaged first.": lambda p, y: np.mean(p - y, axis=(1, 2)) ** 2,
            "right numbers with an axis too many: average over axis 2 as well.": lambda p, y: np.mean(
                (p - y) ** 2, axis=1
            ),
        },
    ),
    "1.3": Exercise(
        _mean_curve,
        cases=[(np.array([-1.0, 0.0, 2.0]),), (_line,)],
        mistakes={
            "that is the average for phases up to pi; here they go up to pi / 2.": lambda x: (
                -2 * (2 / np.pi) * np.cos(x)
            ),
            "a factor 2 is missing: the mean amplitude is 2, and the phase interval is pi / 2 long, not pi.": lambda x: (
                (2 / np.pi) * (np.sin(x) - np.cos(x))
            ),
            "the integral is not yet divided by the length of the phase interval.": lambda x: (
                2 * (np.sin(x) - np.cos(x))
            ),
            "a sign: the integral of sin(x - phase) over the phase is +cos(x - phase).": lambda x: (
                -2 * (2 / np.pi) * (np.sin(x) - np.cos(x))
            ),
            "a sign: cos(x - pi / 2) is sin(x), and cos(x) is subtracted.": lambda x: (
                2 * (2 / np.pi) * (np.sin(x) + np.cos(x))
            ),
            "that is the sine of the mean phase; the mean of the sines is smaller.": lambda x: (
                2 * np.sin(x - np.pi / 4)
            ),
        },
    ),
}
