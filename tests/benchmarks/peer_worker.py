"""One contender in a process of its own: peer_worker.py MODULE FUNCTION PROBLEM, started by keras_speed.py.

It reads a number of seconds a line, works about so long, and answers what it did; for a check, it answers the gradient.
A duel (peer_duel.py) is two contenders that answer once.
"""

import importlib
import json
import os
import sys
import time

try:
    import resource
except ImportError:  # Windows
    resource = None

from peer_problems import Problem


class Terminal:
    """Swallows what is printed, yet passes for a terminal, so that a training bar does its work."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        """Nothing."""
        return len(text)

    def flush(self) -> None:
        """Nothing."""

    def isatty(self) -> bool:
        """So a bar is drawn."""
        return True


class Enough(BaseException):
    """No further turn is wanted."""


class Turns:
    """Called after each call of the contender: says when the block is over, reports, and waits for the next."""

    def __init__(self, answers: int, per_call: int) -> None:
        self.answers, self.per_call = answers, per_call
        self.start(0.0)

    def start(self, seconds: float) -> None:
        """A new block."""
        self.seconds, self.calls = seconds, 0
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def __call__(self) -> None:
        self.calls += 1
        wall = time.perf_counter() - self.wall
        if wall >= self.seconds:
            cpu = time.process_time() - self.cpu
            say(self.answers, steps=self.calls * self.per_call, wall=wall, cpu=cpu, megabytes=peak_megabytes())
            line = sys.stdin.readline()
            if not line:
                raise Enough
            self.start(float(line))


def peak_megabytes() -> float | None:
    """The most memory this process has had."""
    if resource is None:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def say(answers: int, **content: object) -> None:
    """One line of JSON to the parent."""
    os.write(answers, (json.dumps(content) + "\n").encode())


def one_step(contender: object) -> list:
    """theta before minus theta after one outer step with rate 1: the meta-gradient the timed code computes."""

    def stop() -> None:
        raise Enough

    before = contender.theta()
    try:
        contender.run(stop)
    except Enough:
        pass
    return [(a - b).tolist() for a, b in zip(before, contender.theta(), strict=True)]


def main() -> None:
    """Set up, then check or take turns."""
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints is no answer
    sys.stdout = Terminal()
    module, function, problem = sys.argv[1], sys.argv[2], Problem(**json.loads(sys.argv[3]))
    if hasattr(os, "sched_setaffinity") and not problem.check:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    contender = getattr(importlib.import_module(module), function)(problem)
    if problem.check:
        return say(answers, gradient=one_step(contender) if hasattr(contender, "run") else contender)
    if not hasattr(contender, "run"):
        return say(answers, found=contender)
    try:
        contender.run(Turns(answers, contender.per_call))
    except Enough:
        pass


if __name__ == "__main__":
    main()
