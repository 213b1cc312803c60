"""Self-checks for the exercises: check("4.2", answer) prints one line and returns True or False.

A check runs a right answer and the reader's on the same cases and compares what comes out, so any
implementation that computes the right thing passes. If what comes out is instead what a well-known mistake
computes, the hint names that mistake. The exercises of a chapter are in the module of its number.
"""

import importlib
import pkgutil
from typing import Any

from gaml_utils.exercises.compare import NOT_ATTEMPTED, verdict

__all__ = ["EXERCISES", "check"]

EXERCISES: dict[str, Any] = {}
for _name in sorted(module.name for module in pkgutil.iter_modules(__path__)):
    if _name.startswith("chapter_"):
        EXERCISES |= importlib.import_module(f"{__name__}.{_name}").EXERCISES


def check(number: str, answer: Any) -> bool:
    """Is this a right answer to exercise `number`? Says so in one line, with a hint if it is not.

    answer: what the exercise asks for, a number, an array or a function. `...` or None means not attempted
    yet. Never raises, whatever the answer does.
    """
    if number not in EXERCISES:
        print(f"There is no exercise {number!r}. Exercises: {', '.join(EXERCISES)}")
        return False
    right, message = verdict(EXERCISES[number], answer)
    if message == NOT_ATTEMPTED:
        print(f"{number}: not attempted yet. Replace the dots with your answer and run the cell again.")
    else:
        print(f"{number}: {message}")
    return right
