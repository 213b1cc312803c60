"""How a plan writes down a learner: its class, the rules that weigh its tasks, and what is chosen for it."""

from typing import Any

Cell = tuple[str, str]  # learner, rule
Planned = tuple[Cell, Cell, str, str]  # a cell, against which, of which field, expected
UNIFORM = "uniform"
RULES = [UNIFORM, "agreement of updates", "agreement of outer", "power -0.5 of outer", "power -1 of outer"]
GLYPH_RULES = [UNIFORM, "agreement of updates", "power -0.5 of outer"]
OUTER_RULES = [UNIFORM, "agreement of outer", "power -0.5 of outer", "power -1 of outer"]


def learner(kind: str, rules: list[str], inner: list[float] | float | str, **settings: Any) -> dict:
    """How one learner is trained. kind: its class, by its name in learners.names.

    inner: the list its inner step size is chosen from; one number, where nothing is to be chosen; or the name of the
    learner that it takes it over from. tuned="temperature": it has no inner step size, and this is chosen instead.
    settings: what its class is made with, and what says how it is trained: `context`, how many numbers adapt;
    `network`, `loss`, `iterations`, `shots`, `queries`, `unlabelled` and `tasks`, see training.
    """
    more = {"tuned": settings.pop("tuned")} if "tuned" in settings else {}
    return {"kind": kind, "rules": rules, "inner": inner, "settings": settings} | more
