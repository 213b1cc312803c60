"""Trainings in processes that may die: each job's result once, whatever happens to the process that works on it.

Locally by a ProcessPoolExecutor, on a cluster by dask.distributed's executor; both speak concurrent.futures.
"""

import multiprocessing
import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Any

from gaml_utils.experiments.records import Job, Run, key

# A fresh process lets go what TensorFlow keeps of all it has compiled. An executor's own max_tasks_per_child can hang
# on Python 3.11 (cpython issue 115634), so a new executor is made instead, after so many jobs a process.
JOBS_PER_PROCESS = 6
TRIES_ALONE = 2


class Lost(Exception):
    """These jobs end the process that works on them, also where they are alone on it."""

    def __init__(self, jobs: list[Job]) -> None:
        self.jobs = jobs
        names = "; ".join(", ".join(map(str, key(job))) for job in jobs)
        super().__init__(
            f"These trainings ended their process, {TRIES_ALONE} times while they were alone, as the system does where "
            f"memory runs out: {names}. All others are done and kept: give the same command where there is more memory."
        )


def locally(task: Callable[[Job], Run], jobs: list[Job], processes: int) -> Iterator[Run]:
    """The result of each job, as they end, from so many processes.

    Where a process dies, nobody knows whose job was to blame. The jobs that were being worked on are tried again one
    at a time; one that ends its process twice so is lost, and the others go on. Raises Lost at the end, if any is, and
    at once what a training itself raises.
    """
    waiting, suspects, deaths = deque(jobs), deque[Job](), Counter[tuple]()
    lost: list[Job] = []
    while waiting or suspects:
        queue, width, most = (suspects, 1, 1) if suspects else (waiting, processes, JOBS_PER_PROCESS * processes)
        for job in (yield from _shift(task, queue, width, most)):
            deaths[key(job)] += width == 1
            (lost if deaths[key(job)] == TRIES_ALONE else suspects).append(job)
    if lost:
        raise Lost(lost)


def _shift(task: Callable, queue: deque[Job], width: int, most: int) -> Generator[Run, None, list[Job]]:
    """One executor's life: at most so many jobs off the queue, width at a time. Returns those whose process died."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(width, mp_context=spawn, initializer=_end_with_parent) as crew:
        flying: dict[Future, Job] = {}
        while True:
            try:
                most -= _fill(crew, task, queue, flying, min(width, len(flying) + most))
            except BrokenProcessPool:
                return list(flying.values())
            if not flying:
                return []
            ended = wait(flying, return_when=FIRST_COMPLETED).done
            dead = [future for future in ended if isinstance(future.exception(), BrokenProcessPool)]
            for future in ended.difference(dead):
                del flying[future]
                yield future.result()
            if dead:
                return list(flying.values())


def _end_with_parent() -> None:
    """In a worker: where the command itself is killed, nobody would tell its workers, and they would wait for ever."""

    def wait_and_end(parent: multiprocessing.process.BaseProcess) -> None:
        parent.join()
        os._exit(1)

    if parent := multiprocessing.parent_process():
        threading.Thread(target=wait_and_end, args=(parent,), daemon=True).start()


def _fill(crew: Executor, task: Callable, queue: deque[Job], flying: dict[Future, Job], width: int) -> int:
    """Submit until so many jobs are flying. Returns how many were submitted."""
    submitted = 0
    while queue and len(flying) < width:
        flying[crew.submit(task, queue[0])] = queue[0]  # may raise: then the job stays where it is
        queue.popleft()
        submitted += 1
    return submitted


def on_cluster(task: Callable[[Job], Run], jobs: list[Job], scheduler: str, variables: dict[str, str]) -> Iterator[Run]:
    """The same from the workers of a Dask cluster; scheduler: its address, such as tcp://host:8786.

    variables: of the workers' environment. Where a worker dies, Dask gives its job to another. One that kills worker
    after worker (distributed.scheduler.allowed-failures of them) is lost. Raises ImportError without the extra
    "cluster", OSError where nobody answers at the address.
    """
    try:
        from dask.distributed import Client, KilledWorker
    except ImportError as error:
        raise ImportError(f'Dask is missing: pip install "gaml-utils[cluster]" ({error})') from error
    queue, lost = deque(jobs), []
    flying: dict[Future, Job] = {}
    with Client(scheduler, name="gaml_utils") as client:
        client.register_worker_callbacks(partial(_set, variables))  # of all workers, those to come among them
        crew = client.get_executor(pure=False)
        while queue or flying:
            threads = sum(client.nthreads().values())
            _fill(crew, task, queue, flying, 2 * max(1, threads))  # one at work and one ahead
            for future in wait(flying, return_when=FIRST_COMPLETED).done:
                job = flying.pop(future)
                if isinstance(future.exception(), KilledWorker):
                    lost.append(job)
                else:
                    yield future.result()
    if lost:
        raise Lost(lost)


def _set(variables: dict[str, str], **_: Any) -> None:
    os.environ.update(variables)
