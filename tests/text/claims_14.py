"""What chapter 14 says of learning without labels, and the cells that say so (tests/text/test_study_claims.py)."""

ON = {"results": "cactus"}
EXPLORATORY = "(exploratory)."


def source(name: str) -> tuple[str, str]:
    """Prototypical networks trained on tasks of this source."""
    return f"prototypical, {name}", "uniform"


def against_mean(rule: str, found: str) -> list:
    """A rule on the clusters of `instance`, against the plain mean, for both learners."""
    learners = ("prototypical, instance", "MAML, instance")
    return [((learner, rule), (learner, "uniform"), found, ON) for learner in learners]


AGREEMENT, HALF, POWER = "agreement of outer", "power -0.5 of outer", "power -1 of outer"
INSTANCE, AUTOENCODER = ([(source(name), source("pixels"), "better", ON)] for name in ("instance", "autoencoder"))

CLAIMS: list = [
    ("U1: *instance* is better than *pixels*, by 15 points.", INSTANCE),
    (
        "U2 came out against our guess: we had expected no difference between *autoencoder* and *pixels*, and the "
        "autoencoder is better, by nearly 4 points.",
        AUTOENCODER,
    ),
    (
        "U3: *instance* is better than *views*, by nearly 6 points.",
        [(source("instance"), source("views"), "better", ON)],
    ),
    (
        "Headlines U4 and U5: between power -1 and the plain mean there is no difference, within two points of "
        "accuracy, for prototypical networks and for MAML.",
        against_mean(POWER, "no difference"),
    ),
    (f"With power -0.5 no difference was found either {EXPLORATORY}", against_mean(HALF, "no difference found")),
    (
        f"Agreement is worse than the mean: 10% more error with prototypical networks, 6% more with MAML {EXPLORATORY}",
        against_mean(AGREEMENT, "worse"),
    ),
    (
        "- An embedding that knows which changes do not matter is better than pixels, by 15 points; one that can draw "
        "the image again, by 4.",
        INSTANCE + AUTOENCODER,
    ),
    (
        "Power -1 made no difference, and agreement is worse than the mean.",
        against_mean(POWER, "no difference") + against_mean(AGREEMENT, "worse"),
    ),
]
