"""What chapter 16 says of imitation, and the cells that say so (tests/text/test_study_claims.py)."""

ON = {"results": "imitation"}
AGREEMENT, HALF, POWER = "agreement of outer", "power -0.5 of outer", "power -1 of outer"


def against(name: str, found: str, other: str, **where: str) -> tuple:
    """A learner against another, both with uniform weights."""
    return (name, "uniform"), (other, "uniform"), found, ON | where


def against_mean(rule: str, found: str) -> tuple:
    """A rule against the plain mean, for MIL."""
    return ("MIL", rule), ("MIL", "uniform"), found, ON


RULES = [against_mean(AGREEMENT, "worse"), against_mean(HALF, "undecided"), against_mean(POWER, "no difference found")]

CLAIMS: list = [
    (
        "I1: MIL is better than ignoring the demonstration, by 82 points.",
        [against("MIL", "better", "ignores the demonstration")],
    ),
    ("I2: it is better than MAML with one head, by 21 points.", [against("MIL", "better", "MAML")]),
    (
        "CAML, with ten numbers that adapt, is worse than MIL by 8 points and better than MAML by 15 (exploratory).",
        [against("CAML", "worse", "MIL"), against("CAML", "better", "MAML")],
    ),
    (
        "Within 0.05 no difference was found between CAML and MIL (exploratory).",
        [against("CAML", "no difference found", "MIL", field="test_error_closer")],
    ),
    (
        "I3: watching without the actions is better than ignoring the demonstration, by 22 points.",
        [against("MIL, watching", "better", "ignores the demonstration")],
    ),
    (
        "It is a poor one: worse than MIL by 60 points (exploratory).",
        [against("MIL, watching", "worse", "MIL")],
    ),
    (
        "I4, as expected: agreement is worse than the mean, and MIL then misses about twice as many goals.",
        RULES[:1],
    ),
    ("For power -1 no difference was found (exploratory).", RULES[2:]),
    ("Once more no rule is better than the plain mean.", RULES),
    ("- Agreement made MIL worse; for two powers no difference was found or it stayed undecided.", RULES),
]
