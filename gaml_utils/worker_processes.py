"""The processes of several workers on one machine, each with its TF_CONFIG: see gaml_utils.learners.workers.

Nothing here imports TensorFlow, so that who starts workers need not be as large as one: `python -m
gaml_utils.worker_processes` is the same command as that of gaml_utils.learners.workers, and begins sooner.
"""

import argparse
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
from typing import IO

from gaml_utils.checks import check_count

GRACE = 10.0  # seconds to end by itself, for a worker whose fellow is gone
LOOK = 0.1  # seconds between two looks at the processes


def worker_environments(workers: int, host: str = "127.0.0.1") -> list[dict[str, str]]:
    """The environment of each worker: its TF_CONFIG with ports that are free now, and its share of the cores."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(workers)]
        for one in sockets:
            one.bind((host, 0))
        addresses = [f"{host}:{one.getsockname()[1]}" for one in sockets]
    threads = str(max(1, (os.cpu_count() or 1) // workers))
    names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
    shared = dict.fromkeys(names, threads) | os.environ
    configs = [
        {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}} for index in range(workers)
    ]
    return [shared | {"TF_CONFIG": json.dumps(config)} for config in configs]


def run_workers(command: list[str], workers: int = 2, host: str = "127.0.0.1", output: IO[str] | None = None) -> int:
    """Run a Python script, command[0], with its arguments, as so many processes. Returns 0 if all end well.

    If one does not, the others are stopped, one sentence says which it was, and 1 is returned. What they print is
    passed on, or goes to `output`, an open file, with that sentence. Raises ValueError if there is no such script.
    """
    if not pathlib.Path(command[0]).is_file():
        raise ValueError(f"script should be a Python file, got {command[0]!r}, which is none")
    environments = worker_environments(workers, host)
    command = [sys.executable, *command]
    processes = [subprocess.Popen(command, env=env, stdout=output, stderr=output) for env in environments]
    try:
        return _wait(processes, output or sys.stderr)
    finally:
        _stop(processes)


def _wait(processes: list[subprocess.Popen], told: IO[str]) -> int:
    running = dict(enumerate(processes))
    while running:
        for index, process in list(running.items()):
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(LOOK)
                del running[index]
                if code:
                    print(_sentence(index, len(processes), code), file=told, flush=True)
                    return 1
    return 0


def _sentence(index: int, workers: int, code: int) -> str:
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    return (
        f"worker {index} of {workers} (numbered from 0) {how}, so the others are stopped: the same command starts all "
        "of them again, and a training with a checkpoint goes on from there"
    )


def _stop(processes: list[subprocess.Popen]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def main(arguments: list[str] | None = None) -> int:
    """`python -m gaml_utils.learners.workers --workers N SCRIPT ...`: N processes of the script on this machine."""
    parser = argparse.ArgumentParser(prog="python -m gaml_utils.learners.workers", description=main.__doc__)
    parser.add_argument("--workers", type=int, default=2, help="so many processes (2)")
    parser.add_argument("--host", default="127.0.0.1", help="the address they listen on (127.0.0.1)")
    parser.add_argument("script", help="a Python script that calls join_workers()")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...", help="arguments of the script")
    given = parser.parse_args(arguments)
    try:
        check_count("--workers", given.workers)
        return run_workers([given.script, *given.rest], given.workers, given.host)
    except (ValueError, OSError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    sys.exit(main())
