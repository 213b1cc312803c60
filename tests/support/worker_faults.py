"""What can go wrong between workers: a script for gaml_utils.learners.workers.

worker_faults.py FOLDER             # a training, then what is refused, a sentence each: FOLDER/refused_<number>.json
worker_faults.py FOLDER NUMBER      # a training, in the second epoch of which worker NUMBER is killed, the first time
"""

import json
import os
import pathlib
import signal
import sys

import keras
import numpy as np
import tensorflow as tf

from gaml_utils.learners import MAML, as_dataset, join_workers, task_by_task
from gaml_utils.tasks import SineTasks
from gaml_utils.weighting import agreement_weights, uniform_weights

EPOCHS = 3


def made(seed=1, rule=agreement_weights, units=5):
    keras.utils.set_random_seed(seed)
    layers = [keras.Input((1,)), keras.layers.Dense(units, "tanh"), keras.layers.Dense(1)]
    return MAML(keras.Sequential(layers), 0.01, weighting=rule)


class Deadly(keras.callbacks.Callback):
    """Kills this process at the end of the second epoch, once."""

    def __init__(self, mark):
        super().__init__()
        self.mark = mark

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1 and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)


def train(workers, folder, victim):
    learner = made()
    learner.compile(keras.optimizers.Adam(0.003), "mse", workers=workers)
    callbacks = [
        keras.callbacks.BackupAndRestore(folder / "backup", delete_checkpoint=False),
        keras.callbacks.ModelCheckpoint(folder / "best.keras"),
        keras.callbacks.CSVLogger(folder / f"log_{workers.index}.csv"),
    ]
    if victim == workers.index:
        callbacks.insert(0, Deadly(folder / "was killed"))
    data = as_dataset(SineTasks(), 4, 3, 3, learner=learner, workers=workers)
    learner.fit(data, steps_per_epoch=2, epochs=EPOCHS, callbacks=callbacks)
    learner.save(folder / f"saved_{workers.index}.keras")
    np.savez(folder / f"end_{workers.index}.npz", *[v.numpy() for v in learner.outer_variables])


def refusals(workers, folder):
    other = workers.index

    def fitted(learner, data=None, **settings):
        data = data or as_dataset(SineTasks(), 4, 3, 3, workers=workers)
        learner.compile(workers=workers, loss="mse", **settings)
        learner.fit(data, steps_per_epoch=1, verbose=0)

    tries = {
        "seed": lambda: as_dataset(SineTasks(), 4, 3, 3, seed=other, workers=workers),
        "tasks": lambda: as_dataset(SineTasks(amplitude=(1.0, 2.0 + other)), 4, 3, 3, workers=workers),
        "meta_batch": lambda: as_dataset(SineTasks(), 5, 3, 3, workers=workers),
        "model": lambda: fitted(made(units=5 + other)),
        "rule": lambda: fitted(made(rule=[agreement_weights, uniform_weights][other])),
        "optimizer": lambda: fitted(made(), optimizer=keras.optimizers.Adam(0.001 + other)),
        "diagnostics": lambda: fitted(made(), diagnostics=bool(other)),
        "start": lambda: fitted(made(seed=other)),
        "shares": lambda: fitted(made(), as_dataset(SineTasks(), 4, 3, 3)),
        "in memory": lambda: fitted(made(), SineTasks().sample(np.random.default_rng(0), 5, 3, 3)),
        "jit_compile": lambda: fitted(made(), jit_compile=True),
        "run_eagerly": lambda: fitted(made(), run_eagerly=True),
        "task_by_task": lambda: (fitted(learner := made()), task_by_task(learner)),
        "unequal": lambda: fitted(made(), unequal(workers)),
        "unequal, one by one": lambda: fitted(made(), (batch for batch in unequal(workers))),
        "unequal, judged": lambda: judged(workers),
        "XLA, loaded": lambda: setattr(compiled(jit_compile=True), "workers", workers),
        "rule, loaded": lambda: setattr(compiled([agreement_weights, uniform_weights][other]), "workers", workers),
        "diverging": lambda: fitted(made(), spoiled(workers)),
        "threads": lambda: steady(workers),
        "nothing": lambda: fitted(made()),
    }
    said = {}
    for name, attempt in tries.items():
        try:
            attempt()
            said[name] = "nothing"
        except (ValueError, tf.errors.InvalidArgumentError) as error:
            said[name] = " ".join(str(error).translate({ord("["): None, ord("]"): None}).split())
    (folder / f"refused_{workers.index}.json").write_text(json.dumps(said))


def compiled(rule=agreement_weights, **running):
    learner = made(rule=rule)
    learner.compile(loss="mse", **running)
    return learner


def judged(workers):
    learner = made()
    learner.compile(loss="mse", workers=workers)
    learner.evaluate(unequal(workers), verbose=0)


def unequal(workers):
    """Shares of 2 and of 3 tasks, from a dataset of one's own."""
    return in_tensors(SineTasks().sample(np.random.default_rng(0), 2 + workers.index, 3, 3))


def steady(workers):
    """A training asks for no thread a step: with one for each collective, it ends where the system has no more."""
    learner = made()
    learner.compile(loss="mse", workers=workers)
    data, threads = as_dataset(SineTasks(), 4, 3, 3, workers=workers), []
    for steps in (10, 30):
        learner.fit(data, steps_per_epoch=steps, verbose=0)
        threads.append(len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 0)
    if threads[1] > threads[0] + 20:
        raise ValueError(f"{threads} threads")


def spoiled(workers):
    """Shares of 2 tasks, of which the last of all is infinite."""
    batch = SineTasks().sample(np.random.default_rng(0), 4, 3, 3)
    batch.query_y[3] = np.inf
    return in_tensors(workers.share(batch))


def in_tensors(batch):
    return tf.data.Dataset.from_tensors(type(batch)(*(np.float32(a) for a in batch)))


if __name__ == "__main__":
    workers, folder = join_workers(), pathlib.Path(sys.argv[1])
    victim = int(sys.argv[2]) if sys.argv[2:] else None
    train(workers, folder, victim)
    if victim is None:
        refusals(workers, folder)
