"""Trainings that one process, or several workers, do: a script for gaml_utils.learners.workers, and a module for tests.

worker_jobs.py FOLDER NAME ...    # every worker writes FOLDER/<workers>_<its number>.npz
"""

import functools
import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf

from gaml_utils.learners import LEARNERS, MAML, Reptile, as_dataset
from gaml_utils.learners.workers import Workers, join_workers
from gaml_utils.records import TaskBatch
from gaml_utils.tasks import SineTasks
from gaml_utils.weighting import agreement_weights, power_weights, uniform_weights
from tests.learners.test_every_learner import KINDS, build, sizes
from tests.support.keras_models import Noise, dropout, float64, functional

TASKS = 6  # a meta-batch: shared out between two, and between three


def sines(workers, learner, steps=3, judge=True, **compiled):
    """The learner after so many outer steps on sines, its history, and how it is judged (with all diagnostics)."""
    learner.compile(
        keras.optimizers.Adam(0.003), "mse", metrics=["mae"], workers=workers, diagnostics=judge, **compiled
    )
    return trained(workers, learner, SineTasks(), (4, 5), steps, judge)


def trained(workers, learner, tasks, points, steps=3, judge=True):
    """The learner after so many outer steps, its history, and how it is judged."""
    data = [as_dataset(tasks, TASKS, *points, workers=workers, dtype="float64", seed=seed) for seed in (0, 1)]
    history = learner.fit(data[0], steps_per_epoch=steps, verbose=0).history
    judged = learner.evaluate(data[1], steps=2, return_dict=True, verbose=0) if judge else {}
    return learner, history, judged


def net(*layers, features=1):
    keras.utils.set_random_seed(3)
    with float64():
        return functional(*layers, *(keras.layers.Dense(n, a) for n, a in ((5, "tanh"), (1, None))), shape=(features,))


def listed(workers, kind):
    """A learner of the list, as its own tests have it."""
    learner, tasks = build(kind)
    learner.compile(keras.optimizers.Adam(0.003), KINDS[kind][1], workers=workers, diagnostics=False)
    return trained(workers, learner, tasks, sizes(tasks), judge=False)


def on_noise(workers, model):
    """A model with a state, or with chance, in it."""
    learner = MAML(model, 0.05, weighting=agreement_weights, first_order=True)
    learner.compile(keras.optimizers.Adam(0.003), "mse", workers=workers)
    return trained(workers, learner, Noise(), (4, 5), judge=False)


def with_spectral():
    keras.utils.set_random_seed(3)
    with float64():
        return functional(keras.layers.SpectralNormalization(keras.layers.Dense(4, "tanh")), keras.layers.Dense(1))


def with_dropout():
    keras.utils.set_random_seed(3)
    with float64():
        return dropout()


def in_memory(workers):
    """A meta-batch that every worker has whole."""
    learner = MAML(net(), 0.01, weighting=agreement_weights)
    learner.compile(keras.optimizers.Adam(0.003), "mse", workers=workers)
    batch = SineTasks().sample(np.random.default_rng(0), 2 * TASKS, 4, 5)
    history = learner.fit(batch, batch_size=TASKS, epochs=2, verbose=0).history
    return learner, history, learner.evaluate(batch, return_dict=True, verbose=0)


def by_generator(workers):
    """Shares that a generator gives: Python fetches each batch."""
    learner = MAML(net(), 0.01, weighting=agreement_weights)
    learner.compile(keras.optimizers.Adam(0.003), "mse", workers=workers)

    def shares():
        for seed in range(3):
            yield workers.share(TaskBatch(*SineTasks().sample(np.random.default_rng(seed), TASKS, 4, 5)))

    return learner, learner.fit(shares(), verbose=0).history, {}


def once(workers):
    """meta_gradient of a share: that of the whole meta-batch."""
    learner = MAML(net(), 0.01, weighting=agreement_weights)
    learner.compile("sgd", "mse", workers=workers)
    result = learner.meta_gradient(workers.share(SineTasks().sample(np.random.default_rng(0), TASKS, 4, 5)))
    learner.optimizer.apply(result.gradient, learner.outer_variables)
    return learner, {"weights": result.weights.numpy()}, {"losses": result.query_losses.numpy()}


RULES = {
    "uniform": uniform_weights,
    "agreement": agreement_weights,
    "power -1": power_weights(-1),
    "one's own": lambda rows: tf.nn.softmax(tf.reduce_sum(rows, axis=1)),
}
JUDGED = ("agreement", "one's own")  # a rule that is two sums, and one that sees all rows
JOBS = {
    **{
        f"rule {name}": lambda w, rule=rule, judge=name in JUDGED: sines(
            w, MAML(net(), 0.01, weighting=rule), 20, judge, steps_per_execution=5
        )
        for name, rule in RULES.items()
    },
    **{
        f"source {source}": lambda w, source=source: sines(
            w, MAML(net(), 0.01, weighting=agreement_weights, source=source)
        )
        for source in ("outer", "losses")
    },
    **{f"learner {kind}": lambda w, kind=kind: listed(w, kind) for kind in LEARNERS},
    "long updates": lambda w: sines(w, Reptile(net(), 1e-160, 1, weighting=agreement_weights), judge=False),
    "inner batches": lambda w: sines(
        w, Reptile(net(), 0.02, 3, batch_size=2, weighting=agreement_weights), judge=False
    ),
    "dropout": lambda w: on_noise(w, with_dropout()),
    "a state that lives on": lambda w: on_noise(w, with_spectral()),
    "in memory": in_memory,
    "a generator": by_generator,
    "meta_gradient": once,
}


@functools.cache
def alone(name):
    """What one process finds."""
    return found(Workers(), [name])


def found(workers, names):
    """name of an array -> array: variables, state, history and judgement of each job."""
    arrays = {}
    for name in names:
        learner, history, judged = JOBS[name](workers)
        variables = [*learner.outer_variables, *learner.model.non_trainable_variables]
        arrays |= {f"{name}/variable {k}": v.numpy() for k, v in enumerate(variables)}
        arrays |= {f"{name}/{key}": np.array(value) for key, value in (history | judged).items()}
    return arrays


if __name__ == "__main__":
    folder, *names = sys.argv[1:]
    workers = join_workers()
    path = pathlib.Path(folder) / f"{workers.count}_{workers.index}.npz"
    np.savez(path, **found(workers, names or list(JOBS)))
