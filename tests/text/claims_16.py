"""What chapter 16 says of imitation, and the cells that say so (tests/text/test_study_claims.py)."""

ON = {"results": "imitation"}
AGREEMENT, HALF, POWER = "agreement of outer", "power -0.5 of outer", "power -1 of outer"
FLOOR = ("ignores the demonstration", "uniform")


def against(name: str, found: str, other: str = "MIL", **where: str) -> tuple:
    """A learner against another, both with uniform weights."""
    return (name, "uniform"), (other, "uniform"), found, ON | where
