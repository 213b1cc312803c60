"""Who trains together: sums and rows of all workers by tf.distribute's collectives. See gaml_utils.learners.workers."""

import contextlib
import faulthandler
import functools
import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gaml_utils.checks import check_positive
from gaml_utils.code import code_digest

TIMEOUT = 600.0  # seconds that a worker waits for another
PORTS = 20000  # of Slurm's workers: from here on, by the number of the job
LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)


class WorkerLost(RuntimeError):
    """Another worker has ended, or cannot be reached."""


class Workers:
    """Who trains together: this worker is number `index` of `count`. Made by join_workers.

    Sums and rows go through tf.distribute's collectives; the gradient, the weights and the optimiser are the learner's.
    """

    def __init__(self, strategy: Any = None, index: int = 0, timeout: float = TIMEOUT) -> None:
        self.strategy, self.index, self.timeout = strategy, index, timeout
        self.count = 1 if strategy is None else strategy.num_replicas_in_sync
        self.at_once: dict = {}  # the collectives that are called outside of a graph

    def __deepcopy__(self, memo: dict) -> "Workers":
        return self  # a connection has no copies

    @property
    def first(self) -> bool:
        """Is this the worker that shows the bar and writes files?"""
        return self.index == 0

    @property
    def alone(self) -> bool:
        """Is there no other?"""
        return self.count == 1

    def share(self, stacked: Any) -> Any:
        """This worker's part of a nest of arrays with a leading task axis. ValueError unless all parts are as large."""

        def part(a: Any) -> Any:
            self.check_tasks("each meta-batch", a.shape[0])
            size = a.shape[0] // self.count
            return a[self.index * size : (self.index + 1) * size]

        return stacked if self.alone else tf.nest.map_structure(part, stacked)

    def check_tasks(self, name: str, tasks: int) -> None:
        """Raise ValueError unless so many tasks can be shared out."""
        if tasks % self.count:
            raise ValueError(f"{name} should hold a multiple of {self.count} tasks, one share per worker, got {tasks}")

    def add_up(self, tensors: Any) -> Any:
        """The sum over the workers of each tensor of a nest, the same bits on each of them."""
        if self.alone:
            return tensors
        flat = tf.nest.flatten(tensors)
        return tf.nest.pack_sequence_as(tensors, self._run(summed, *flat))

    def join(self, tensors: Any) -> Any:
        """The rows of all, (rows, ...) -> (count rows, ...), of each tensor of a nest. One message per dtype."""
        flat = tf.nest.flatten(tensors)
        if self.alone or not flat:
            return tensors
        sent = [tf.cast(a, tf.int32) if a.dtype == tf.bool else tf.convert_to_tensor(a) for a in flat]
        found: list = [None] * len(flat)
        for dtype in sorted({a.dtype.name for a in sent}):
            places = [k for k, a in enumerate(sent) if a.dtype.name == dtype]
            columns = [tf.reshape(sent[k], (sent[k].shape[0], -1)) for k in places]
            own = tf.concat(columns, axis=1)
            [rows] = self._run(gathered, own)
            rows = tf.ensure_shape(rows, (self.count * columns[0].shape[0], sum(c.shape[1] for c in columns)))
            for k, part in zip(places, tf.split(rows, [c.shape[1] for c in columns], axis=1), strict=True):
                part = tf.reshape(part, (rows.shape[0], *sent[k].shape[1:]))
                found[k] = tf.cast(part, flat[k].dtype)
        return tf.nest.pack_sequence_as(tensors, found)

    def _run(self, function: Callable, *parts: tf.Tensor) -> list:
        """function(context, parts) of tf.distribute's replica context: a collective, in a graph or at once."""

        @tf.autograph.experimental.do_not_convert
        def in_replica(*parts: tf.Tensor) -> list:
            own = [tf.identity(part) for part in parts]  # on this worker's device, which collectives ask for
            return function(tf.distribute.get_replica_context(), own)

        if tf.inside_function():
            return self.strategy.run(in_replica, args=parts)
        if function not in self.at_once:
            run = functools.partial(self.strategy.run, in_replica)
            self.at_once[function] = tf.function(lambda *parts: run(args=parts), autograph=False, reduce_retracing=True)
        with self.waiting():
            return self.at_once[function](*parts)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Within it, this process ends after `timeout` seconds, and says where it waited.

        A limit for each collective, which TensorFlow offers, would keep a thread asleep for every one of them.
        """
        if self.alone:
            yield
            return
        faulthandler.dump_traceback_later(self.timeout, exit=True, file=2)  # wherever sys.stderr leads
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()

    def agree(self, **digests: str) -> None:
        """Raise ValueError, on each worker, for the first of these that is not the same on all of them."""
        if self.alone:
            return
        numbers = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big") for text in digests.values()]
        with told(self):
            rows = self.join(tf.constant([numbers], tf.int64)).numpy()
        for what, column in zip(digests, rows.T, strict=True):
            others = np.flatnonzero(column != column[0])
            if others.size:
                what = what.replace("_", " ")
                raise ValueError(
                    f"workers should have the same {what}, but worker {others[0]} differs in it from worker 0"
                )


def summed(context: Any, parts: list) -> list:
    """The sum over the workers of each tensor."""
    return context.all_reduce(tf.distribute.ReduceOp.SUM, parts)


def gathered(context: Any, parts: list) -> list:
    """The rows of all workers of each tensor."""
    return [context.all_gather(part, axis=0) for part in parts]


ALONE = Workers()


@contextlib.contextmanager
def told(workers: Workers) -> Iterator[None]:
    """Within it, the error of a collective among several workers becomes one sentence."""
    try:
        yield
    except LOST as error:
        if workers.alone:
            raise
        raise WorkerLost(
            "another worker has ended or cannot be reached: start all of them again by the same command, and a "
            f"training with a checkpoint goes on from there ({type(error).__name__} of TensorFlow)"
        ) from error


def join_workers(resolver: Any = None, timeout: float = TIMEOUT) -> Workers:
    """The workers of this training, once all of them are there. Call it before anything else of TensorFlow runs.

    resolver: None for the environment's TF_CONFIG, one worker alone if there is none; "slurm" for the job step this
    process is a task of; or any tf.distribute.cluster_resolver.ClusterResolver. timeout: seconds after which a worker
    that waits for another gives up; here the process ends then, and says where it waited. What one of them does alone,
    such as saving, should not take longer.
    Raises ValueError if the workers are not of the same versions, or have several devices each, and RuntimeError where
    TensorFlow has run before.
    """
    check_positive("timeout", timeout)
    if resolver is None and "TF_CONFIG" not in os.environ:
        return Workers()
    if resolver == "slurm":
        resolver = slurm_resolver()
    elif isinstance(resolver, str):
        raise ValueError(f'resolver should be None, "slurm" or a ClusterResolver, got {resolver!r}')
    faulthandler.dump_traceback_later(timeout, exit=True)  # TensorFlow itself waits for ever, and hears no signal
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy(resolver)
    except RuntimeError as error:
        if "program startup" not in str(error):
            raise
        raise RuntimeError("join_workers should be called before anything else of TensorFlow runs") from None
    except tf.errors.UnknownError as error:
        message = f"join_workers cannot listen at this worker's address, its port may be taken: {error.message}"
        raise RuntimeError(message) from None
    finally:
        faulthandler.cancel_dump_traceback_later()
    devices = len(strategy.extended.worker_devices)
    if devices != 1:
        raise ValueError(f"a worker should have one device, got {devices}: set CUDA_VISIBLE_DEVICES to one for each")
    workers = Workers(strategy, strategy.cluster_resolver.task_id or 0, timeout)
    sys.excepthook = _one_sentence
    workers.agree(package=code_digest(), TensorFlow=tf.__version__, Keras=keras.__version__, NumPy=np.__version__)
    return workers


def slurm_resolver() -> Any:
    """The tasks of this job step of Slurm as workers, on ports of the job's own: two jobs on a node should not meet."""
    settings: dict = {"port_base": PORTS + int(os.environ.get("SLURM_JOB_ID", "0")) % PORTS}
    if not shutil.which("nvidia-smi") and "CUDA_VISIBLE_DEVICES" not in os.environ:  # TensorFlow would count GPUs by it
        tasks = int(os.environ.get("SLURM_STEP_NUM_TASKS", "1"))
        settings |= {"gpus_per_node": tasks, "gpus_per_task": 1, "auto_set_gpu": False}  # and leave out tasks without
    return tf.distribute.cluster_resolver.SlurmClusterResolver(**settings)


def _one_sentence(kind: type, error: BaseException, trace: Any) -> None:
    """An excepthook: a lost worker is no fault of the code that waited for it, so no traceback of it is shown."""
    if isinstance(error, WorkerLost):
        print(f"{kind.__name__}: {error}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


def digest(arrays: Any) -> str:
    """A digest of a nest of arrays, bit for bit."""
    found = hashlib.sha256()
    for a in tf.nest.flatten(arrays):
        a = np.ascontiguousarray(a)
        found.update(f"{a.dtype} {a.shape}".encode() + a.tobytes())
    return found.hexdigest()
