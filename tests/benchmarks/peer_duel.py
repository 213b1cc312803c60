"""Ours and TensorFlow by hand, in turn in one process.

One and the same program, started or built twice, differs by where its memory happens to lie, and that can be more than
ours and TensorFlow by hand differ. So each is built several times, and the medians over all of them are compared.
"""

import threading
import time
from collections.abc import Callable

import numpy as np
import peer_tensorflow
from clocks import per_second
from peer_problems import Contender, Problem

BUILDS = {"sine": 8, "stride": 4, "pool": 4}  # small steps scatter more
ROUNDS, SECONDS = 7, 0.3
ONE_STEP = ("by_hand", "ours", "ours_agreement", "ours_outer", "ours_power")
SEVERAL = ("by_hand_several_xla", *(f"ours_several_xla{rule}" for rule in ("", "_agreement", "_outer", "_power")))


class Duellist:
    """A contender in a thread of its own that works only while its block lasts."""

    def __init__(self, contender: Contender) -> None:
        self.contender, self.seconds = contender, 0.0
        self.error: Exception | None = None
        self.go, self.back = threading.Semaphore(0), threading.Semaphore(0)
        threading.Thread(target=self.work, daemon=True).start()

    def work(self) -> None:
        """For ever, a block at a time."""
        self.start()
        try:
            self.contender.run(self.turn)
        except Exception as error:
            self.error = error
            self.back.release()

    def start(self) -> None:
        """Wait for the next block."""
        self.go.acquire()
        self.calls, self.wall, self.cpu = 0, time.perf_counter(), time.process_time()

    def turn(self) -> None:
        """After each call: is the block over?"""
        self.calls += 1
        if time.perf_counter() - self.wall >= self.seconds:
            self.rate = per_second(self.calls * self.contender.per_call, time.process_time() - self.cpu)
            self.back.release()
            self.start()

    def block(self, seconds: float) -> float:
        """Steps a CPU second over about so many seconds. What went wrong in its thread is raised here."""
        self.seconds = seconds
        self.go.release()
        self.back.acquire()
        if self.error:
            raise self.error
        return self.rate


def duel(problem: Problem) -> dict[str, dict[str, float]]:
    """For one step a call, and for several under XLA where it serves: see `ratios`."""
    found = {"a step a call": ratios(problem, ONE_STEP)}
    if not problem.conv:
        found["8 a call, XLA"] = ratios(problem, SEVERAL)
    return found


def ratios(problem: Problem, names: tuple) -> dict[str, float]:
    """Rates over one another: of each contender the median over builds and rounds.

    Ours over by hand; with agreement over uniform weights; agreement of the outer gradients over that of the updates;
    and power_weights(-1) of the outer gradients over uniform weights.
    """
    makers: list[Callable] = [getattr(peer_tensorflow, name) for name in names]
    rates = []
    for _ in range(BUILDS[problem.family]):
        duellists = [Duellist(make(problem)) for make in makers]
        for n, seconds in enumerate((0.0, 0.0, *[SECONDS] * ROUNDS)):  # the second call may still compile
            found = {k: duellists[k].block(seconds) for k in np.roll(range(len(duellists)), n)}
            rates.append([found[k] for k in range(len(duellists))])  # who begins changes from round to round
        del rates[-ROUNDS - 2 : -ROUNDS]
    hand, ours, agreement, outer, power = np.median(rates, axis=0).tolist()
    return {
        "ours / by hand": ours / hand,
        "agreement / uniform": agreement / ours,
        "outer / updates": outer / agreement,
        "power -1 / uniform": power / ours,
    }
