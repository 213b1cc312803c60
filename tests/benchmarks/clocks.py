"""Rates from clocks that may be coarse."""

import time

TICK = time.get_clock_info("process_time").resolution


def per_second(count: float, seconds: float) -> float:
    """count / seconds; where the clock has not moved, one tick of it: the rate is at least that."""
    return count / max(seconds, TICK)
