"""What chapter 11 says of the study, and the cells that say so (tests/text/test_study_claims.py)."""

SINES, NOISE = ("sines", "MAML"), ("noise", "MAML")
RIDGE, LONG = {"results": "study_ridge"}, {"results": "study_long"}

CLAIMS: list = [
    (
        "On sines, H3, the very case of the pilot, the plan expected $p = -1$ to win, and no difference was found "
        "between $p = -1$ and the mean.",
        [(*SINES, "power -1 of outer", "no difference found")],
    ),
    (
        "With noise tasks, H8, MAML with $p = -1$ is better than with the mean, after correction and by a wide "
        "margin: two fifths less error.",
        [(*NOISE, "power -1 of outer", "better")],
    ),
    (
        "With $p = -1/2$ of outer gradients MAML is better than with the mean on sines (exploratory).",
        [(*SINES, "power -0.5 of outer", "better")],
    ),
    (
        "With noise tasks it is better still to turn the dial further, to $p = -1$.",
        [(*NOISE, "power -1 of outer", "better", {"against": "power -0.5 of outer"})],
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
        "With noise tasks there is no such price: with $p = -1$ the mean, the median and the worst tenth are all "
        "better (the last two exploratory).",
        [
            (*NOISE, "power -1 of outer", "better"),
            (*NOISE, "power -1 of outer", "better", {"field": "test_median"}),
            (*NOISE, "power -1 of outer", "better", {"field": "test_worst"}),
        ],
    ),
    (
        "Cosine weights of outer gradients lose less than agreement does, but on sines they are still worse than the "
        "mean (exploratory).",
        [(*SINES, "cosine of outer", "worse"), (*SINES, "agreement of outer", "worse")],
    ),
    (
        "With noise tasks they were expected to win (H7), and after correction no difference from the mean was found; "
        "what was found points the other way.",
        [(*NOISE, "cosine of outer", "no difference found")],
    ),
    (
        "Comparing *updates* instead of outer gradients makes no negative power any good in these two settings: at "
        "best no difference from the mean was found, with noise tasks and $p = -1/2$ (exploratory).",
        [
            (*NOISE, "power -0.5 of updates", "no difference found"),
            (*NOISE, "power -1 of updates", "diverged"),
            (*SINES, "power -0.5 of updates", "diverged"),
            (*SINES, "power -1 of updates", "diverged"),
        ],
    ),
    (
        "On sines Reptile with $p = -1/2$ is better than with the mean, and so it is with $p = -1$ (both exploratory).",
        [
            ("sines", "Reptile", "power -0.5 of updates", "better"),
            ("sines", "Reptile", "power -1 of updates", "better"),
        ],
    ),
    (
        "With noise tasks Reptile with $p = -1$ is better than with the mean by a third (exploratory).",
        [("noise", "Reptile", "power -1 of updates", "better")],
    ),
    (
        "With noise tasks the diagonal alone makes MAML better than the mean, at $p = -1/2$ and at $p = -1$ "
        "(exploratory), and it gets most of what the whole matrix gets: the interval of the rest holds 0.",
        [(*NOISE, f"diagonal {p} of outer", "better", {"results": "study_lengths"}) for p in ("-0.5", "-1")],
    ),
    (
        "On sines, where nobody is bad, $p = -1$ of the diagonal alone gains nothing, no difference from the mean was "
        "found, and the whole matrix ends a little below it.",
        [(*SINES, "diagonal -1 of outer", "no difference found", {"results": "study_lengths"})],
    ),
    (
        "At 0.01 dividing goes too far: on sines $p = -1$ is then worse than the mean (exploratory). At 1 it is nearly "
        "the mean again, and no difference was found.",
        [
            (*SINES, "power -1, ridge 0.01 of outer", "worse", RIDGE),
            (*SINES, "power -1, ridge 1 of outer", "no difference found", RIDGE),
        ],
    ),
    (
        "With noise tasks every ridge is better than the mean, but 0.01 and 1 are both worse than 0.1 (exploratory).",
        [(*NOISE, f"power -1{ridge} of outer", "better", RIDGE) for ridge in ("", ", ridge 0.01", ", ridge 1")]
        + [
            (*NOISE, f"power -1, ridge {ridge} of outer", "worse", RIDGE | {"against": "power -1 of outer"})
            for ridge in ("0.01", "1")
        ],
    ),
    (
        "With two modes (H9) and on characters (H11) the plan expected $p = -1$ to win as well, and no difference was "
        "found.",
        [(part, "MAML", "power -1 of outer", "no difference found") for part in ("two modes", "glyphs")],
    ),
    (
        "Elsewhere the curve has three points only, and its left end lies level with the mean: with a shifted phase, "
        "with two modes, on characters and with wrong labels no difference from the mean was found at $p = -1$.",
        [
            (part, "MAML", "power -1 of outer", "no difference found")
            for part in ("shifted phase", "two modes", "glyphs", "glyphs, wrong labels")
        ],
    ),
    (
        "With two modes the price is plain: the median task is better off and the worst tenth worse (exploratory).",
        [
            ("two modes", "MAML", "power -1 of outer", "better", {"field": "test_median"}),
            ("two modes", "MAML", "power -1 of outer", "worse", {"field": "test_worst"}),
        ],
    ),
    (
        "With a shifted phase and with two modes Reptile with $p = -1$ is better as well, at the largest size of the "
        "list (exploratory). On characters, with right labels and with wrong ones, no difference was found.",
        [
            ("shifted phase", "Reptile", "power -1 of updates", "better"),
            ("two modes", "Reptile", "power -1 of updates", "better"),
            ("glyphs", "Reptile", "power -1 of updates", "no difference found"),
            ("glyphs, wrong labels", "Reptile", "power -1 of updates", "no difference found"),
        ],
    ),
    (
        "With 5 in a meta-batch Reptile with $p = -1$ is worse than with the mean, with 10 it is better, and with 50 "
        "it is better by far more (all exploratory; with 50 again at the largest size of the list).",
        [
            (f"sines, {tasks} tasks", "Reptile", "power -1 of updates", verdict)
            for tasks, verdict in ((5, "worse"), (10, "better"), (50, "better"))
        ],
    ),
    (
        "With two fifths of noise $p = -1$ is better than the mean by more than with one fifth, and with two fifths of "
        "shifted phases it is better as well; with 5, 10 and 50 tasks of sines no difference was found (all "
        "exploratory).",
        [
            ("noise, 40%", "MAML", "power -1 of outer", "better"),
            ("shifted phase, 40%", "MAML", "power -1 of outer", "better"),
            *((f"sines, {n} tasks", "MAML", "power -1 of outer", "no difference found") for n in (5, 10, 50)),
        ],
    ),
    (
        "On sines a longer training changes nothing: after 6,000 outer steps no difference was found there either.",
        [(*SINES, "power -1 of outer", "no difference found", LONG)],
    ),
    (
        "After four times the steps $p = -1$ is still better than the mean, by two fifths of its error (exploratory).",
        [(*NOISE, "power -1 of outer", "better", LONG)],
    ),
    (
        "Of the two gains one is left: with the finer list Reptile with $p = -1/2$ is still better than with the mean "
        "on sines, and for $p = -1$ no difference from the mean was found any more (both exploratory).",
        [
            ("sines", "Reptile", "power -0.5 of updates", "better", {"results": "study_reptile"}),
            ("sines", "Reptile", "power -1 of updates", "no difference found", {"results": "study_reptile"}),
        ],
    ),
    (
        "Short gradients are now the bad ones, and $p = -1$ listens to short gradients: with a fifth of quiet noise "
        "it is worse than the mean, and with two fifths worse still; clipping is worse than the mean as well, by less "
        "(all exploratory).",
        [
            (part, "MAML", f"{rule} of outer", "worse", {"results": "study_quiet"})
            for part in ("quiet noise", "quiet noise, 40%")
            for rule in ("power -1", "clipped")
        ],
    ),
]
