"""What chapter 12 says of the other learners on sines, and the cells that say so (tests/text/test_study_claims.py)."""

MAML, SGD, CAML = ((name, "uniform") for name in ("MAML", "Meta-SGD", "CAML"))
OUTER, DIVIDED, HALF = "agreement of outer", "power -1 of outer", "power -0.5 of outer"
UPDATES = "agreement of updates"
ALL = (MAML, SGD, CAML)


def under(rule: str, found: str, learners=ALL, **options) -> list:
    """The cells of a rule, each against uniform weights of the same learner."""
    return [((learner[0], rule), learner, found, *([options] if options else [])) for learner in learners]


CLAIMS: list = [
    (
        "At equal outer steps, uniform weights on both sides, Meta-SGD and CAML are both better than MAML (L5, L6): by "
        "a third of its error, and by two fifths.",
        [(SGD, MAML, "better"), (CAML, MAML, "better")],
    ),
    (
        "Agreement of *updates*, the paper's rule, makes Meta-SGD and CAML worse than uniform weights do (L1, L3), and "
        "not by percents: where MAML's error doubles, theirs is more than ten times as large.",
        under(UPDATES, "worse"),
    ),
    (
        "Agreement of *outer* gradients costs much less, and it is still worse than the mean for all three learners "
        "(exploratory).",
        under(OUTER, "worse"),
    ),
    (
        "The plan was wrong: it is worse than the mean in both learners.",
        under(DIVIDED, "worse", (SGD, CAML)),
    ),
    (
        "With $p = -1$ the worst tenth of the tasks is worse off than with the mean, for all three learners, while the "
        "median task of MAML and of CAML is a little better off (exploratory).",
        [
            *under(DIVIDED, "worse", field="test_worst"),
            *under(DIVIDED, "better", (MAML, CAML), field="test_median"),
        ],
    ),
    (
        "But of the four rules none is better than the plain mean, for any of the three learners.",
        [
            *under(UPDATES, "worse"),
            *under(OUTER, "worse"),
            *under(DIVIDED, "worse"),
            *under(HALF, "no difference found"),
        ],
    ),
]
