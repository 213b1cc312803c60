"""What chapter 11 says of the study, and the cells that say so (tests/test_study_claims.py)."""

SINES = ("sines", "MAML")

CLAIMS: list = [
    (
        "On sines, H3, the very case of the pilot, the plan expected $p = -1$ to win, and no difference was found "
        "between $p = -1$ and the mean.",
        [(*SINES, "power -1 of outer", "no difference found")],
    ),
    (
        "With $p = -1/2$ of outer gradients MAML is better than with the mean on sines (exploratory).",
        [(*SINES, "power -0.5 of outer", "better")],
    ),
    (
        "With $p = -1$ on sines the *median* task is better off than with the mean, while for the *worst* tenth no "
        "difference was found, and what was found points the other way (exploratory).",
        [
            (*SINES, "power -1 of outer", "better", {"field": "test_median"}),
            (*SINES, "power -1 of outer", "no difference found", {"field": "test_worst"}),
        ],
    ),
    (
        "Cosine weights of outer gradients lose less than agreement does, but on sines they are still worse than the "
        "mean (exploratory).",
        [(*SINES, "cosine of outer", "worse"), (*SINES, "agreement of outer", "worse")],
    ),
    (
        "On sines Reptile with $p = -1/2$ is better than with the mean, and so it is with $p = -1$ (both exploratory).",
        [
            ("sines", "Reptile", "power -0.5 of updates", "better"),
            ("sines", "Reptile", "power -1 of updates", "better"),
        ],
    ),
]
