"""What a Keras model does otherwise where several workers train it: one of them shows and writes, all of them agree."""

import json
import sys
import warnings
from typing import Any

import keras

from gaml_utils.learners.engine.batches import as_batches
from gaml_utils.learners.engine.workers import ALONE, Workers, digest

ONE_PROCESS = ("jit_compile", "run_eagerly")  # ways to run that are for one process
WRITING = (keras.callbacks.ModelCheckpoint, keras.callbacks.CSVLogger, keras.callbacks.TensorBoard)


class TrainedTogether(keras.Model):
    """A keras.Model with `workers`, one alone unless `compile` is given others. EpisodicModel stands on it."""

    _workers: Workers = ALONE
    functional: Any = None  # what compile sets

    @property
    def workers(self) -> Workers:
        """Who trains this learner together; may be set anew, as after loading it. ValueError for something else."""
        return self._workers

    @workers.setter
    def workers(self, workers: Workers) -> None:
        check_workers(workers, **{name: getattr(self, name) for name in ONE_PROCESS if self.compiled})
        self.agree_on(workers)
        self._workers = workers
        if self.functional is not None:
            self.make_functions()

    def agree_on(self, workers: Workers, **parts: Any) -> None:
        """Raise ValueError, on each worker, unless they have the same learner, and the same of each of these."""
        if not workers.alone:
            workers.agree(**{name: described(part) for name, part in ({"learner": self} | parts).items()})

    def save(self, *args: Any, **kwargs: Any) -> None:
        """As keras.Model.save, on the first worker; the others write nothing."""
        if self.workers.first:
            super().save(*args, **kwargs)

    def save_weights(self, *args: Any, **kwargs: Any) -> None:
        """As keras.Model.save_weights, on the first worker; the others write nothing."""
        if self.workers.first:
            super().save_weights(*args, **kwargs)

    def as_worker(self, arguments: dict) -> dict:
        """The arguments of fit or evaluate for this worker: the first alone shows a bar and writes files."""
        if self.workers.alone:
            return arguments
        if not self.workers.first:
            arguments = arguments | {"verbose": 0}
        callbacks = arguments.get("callbacks") or []
        callbacks = getattr(callbacks, "callbacks", callbacks)
        callbacks = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
        if not self.workers.first:
            callbacks = [reading(c) for c in callbacks if not isinstance(c, WRITING)]
        return arguments | {"callbacks": [*callbacks, SameStart()]}

    def batches(self, data: Any, size: int | None, steps: int | None, name: str, steps_name: str) -> Any:
        """As as_batches, of this worker. ValueError for a dataset of as_dataset made for another number of workers."""
        made_for = getattr(data, "workers_count", self.workers.count)
        if made_for != self.workers.count:
            raise ValueError(
                f"{name} should be made for the {self.workers.count} workers that the learner is compiled with, but is "
                f"made for {made_for}: as_dataset(..., workers=workers), compile(..., workers=workers)"
            )
        return as_batches(data, size, steps, name, steps_name, self.workers)


def check_workers(workers: Any, **running: Any) -> Workers:
    """Workers, given back, or a ValueError. running: how a learner runs, which several workers may not be able to."""
    if not isinstance(workers, Workers):
        raise ValueError(f"workers should be what join_workers() gives, got {workers!r}")
    for name in ONE_PROCESS:
        if running.get(name) and not workers.alone:
            raise ValueError(f"compile should be called without {name} where there are several workers")
    return workers


class SameStart(keras.callbacks.Callback):
    """Raises ValueError where workers begin from other values: another seed, or another checkpoint."""

    def on_train_begin(self, logs: Any = None) -> None:
        """After the callbacks that restore."""
        self._look()

    def on_test_begin(self, logs: Any = None) -> None:
        """Before all of them judge."""
        self._look()

    def _look(self) -> None:
        learner = self.model
        learner.workers.agree(
            values_of_parameters=digest([v.numpy() for v in learner.outer_variables]),
            state_of_the_optimizer=digest([v.numpy() for v in learner.optimizer.variables]),
            state_of_the_model=digest([v.numpy() for v in learner.model.non_trainable_variables]),
        )


def reading(callback: Any) -> Any:
    """The callback for a worker that writes no files: a BackupAndRestore still restores."""
    if isinstance(callback, keras.callbacks.BackupAndRestore):
        return keras.callbacks.BackupAndRestore(callback.backup_dir, save_freq=sys.maxsize, delete_checkpoint=False)
    return callback


def described(thing: Any) -> str:
    """What a learner or an optimiser is made with, as text; of a model that does not say it, its variables."""
    if not hasattr(thing, "get_config"):
        return repr_of(thing)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            config = thing.get_config()
    except NotImplementedError:
        config = {v.path: str(v.shape) for v in thing.variables}
    return type(thing).__name__ + repr_of(config)


def repr_of(config: Any) -> str:
    """A nest of settings as text that holds no address in memory."""
    return json.dumps(config, sort_keys=True, default=lambda thing: type(thing).__name__ + getattr(thing, "name", ""))
