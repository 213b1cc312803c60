"""The grid of the study behind chapters 10 and 11: rules x settings (plan: data/results/README.md).

`python -m gaml_utils.experiments study` runs it, setting by setting.
"""

from collections.abc import Sequence
from typing import Any

from gaml_utils.experiments.glyphs.plan import GLYPHS as CHAPTER_08
from gaml_utils.experiments.records import Config, LearnerSettings, Setting

SINE_MAML: LearnerSettings = {
    "sizes": [1, 40, 40, 1],
    "activation": "relu",
    "inner_lr": 0.01,
    "inner_steps": 1,
    "optimizer": "Adam",
    "iterations": 1500,
    "step_sizes": [0.001, 0.003, 0.01, 0.03, 0.1],
}


SINE_LEARNERS: dict[str, LearnerSettings] = {
    "MAML": SINE_MAML,
    "first-order MAML": SINE_MAML,
    "Reptile": {
        "sizes": [1, 40, 40, 1],
        "activation": "tanh",
        "inner_lr": 0.02,
        "inner_steps": 5,
        "optimizer": "SGD",
        "iterations": 800,
        "step_sizes": [0.1, 0.3, 1.0, 3.0, 10.0],
    },
}


GLYPH_LEARNERS = {  # those of chapter 08
    learner: {name: value for name, value in s.items() if name != "step_sizes"}
    for learner, s in CHAPTER_08["learners"].items()
}


GLYPHS = {"ways": 5, "filters": 32, "iterations": 200, "step_sizes": [0.001, 0.003, 0.01]}
RULES_EVERYWHERE = ["agreement", "power -1", "cosine"]
RULES_IN_TWO_SETTINGS = ["leave one out", "power -0.5", "power 0.5"]  # in two settings only
TWO_LEARNERS = ["MAML", "Reptile"]
THREE_LEARNERS = ["MAML", "first-order MAML", "Reptile"]  # in two settings only


def setting(
    family: str,
    tasks: int = 25,
    share: float = 0.0,
    learners: Sequence[str] = TWO_LEARNERS,
    rules: Sequence[str] = RULES_EVERYWHERE,
) -> Setting:
    """One line of the grid. tasks: T, the size of a meta-batch; share: of its tasks that are not of the family.

    Its sources are what MAML's rules compare; with Reptile it is always the updates.
    """
    return {
        "family": family,
        "rules": list(rules),
        "learners": list(learners),
        "meta_batch": tasks,
        "share": share,
        "sources": ["updates", "outer"],
    }


STUDY: Config = {
    "seeds": list(range(10)),
    "tuning_seeds": [0, 1],
    "control_seeds": list(range(100, 110)),
    "glyph_seeds": list(range(5)),
    "glyph_tuning_seeds": [0],
    "shots": 10,
    "queries": 10,
    "validation_tasks": {"sines": 300, "glyphs": 150},
    "test_tasks": {"sines": 600, "glyphs": 300},
    "test_queries": {"sines": 50, "glyphs": 5},
    "settings": {
        "sines": setting("sines", learners=THREE_LEARNERS, rules=RULES_EVERYWHERE + RULES_IN_TWO_SETTINGS),
        "noise": setting("noise", share=0.2, rules=RULES_EVERYWHERE + RULES_IN_TWO_SETTINGS),
        "glyphs": setting("glyphs", tasks=10),
        "glyphs, wrong labels": setting("glyphs", tasks=10, share=0.2),
        "shifted phase": setting("shifted phase", share=0.2),
        "two modes": setting("two modes", share=0.5, learners=THREE_LEARNERS),
        "noise, 40%": setting("noise", share=0.4),
        "shifted phase, 40%": setting("shifted phase", share=0.4),
        "sines, 5 tasks": setting("sines", tasks=5),
        "sines, 10 tasks": setting("sines", tasks=10),
        "sines, 50 tasks": setting("sines", tasks=50),
        "nothing to learn": setting("nothing to learn"),
    },
    "learners": {"sines": SINE_LEARNERS, "glyphs": GLYPH_LEARNERS},
    "glyphs": GLYPHS,
}


# The headlines, declared before the run: (setting, learner, rule), each against "uniform", over the mean test error.
HYPOTHESES = {
    "H1": ("sines", "MAML", "agreement of updates", "worse"),
    "H2": ("sines", "MAML", "agreement of outer", "worse"),
    "H3": ("sines", "MAML", "power -1 of outer", "better"),
    "H4": ("sines", "Reptile", "agreement of updates", "worse"),
    "H5": ("shifted phase", "MAML", "agreement of outer", "worse"),
    "H6": ("noise", "MAML", "agreement of outer", "worse"),
    "H7": ("noise", "MAML", "cosine of outer", "better"),
    "H8": ("noise", "MAML", "power -1 of outer", "better"),
    "H9": ("two modes", "MAML", "power -1 of outer", "better"),
    "H10": ("glyphs", "MAML", "agreement of updates", "no difference"),
    "H11": ("glyphs", "MAML", "power -1 of outer", "better"),
    "H12": ("glyphs, wrong labels", "MAML", "agreement of outer", "better"),
}


def quick(config: Config) -> Config:
    """H1 to H8, small: half the outer steps, three seeds, and three step sizes, tuned on one seed."""
    outer = {"learners": ["MAML"], "sources": ["outer"]}
    kept: dict[str, Any] = {
        "sines": {"learners": TWO_LEARNERS, "rules": ["agreement", "power -1"]},
        "noise": outer | {"rules": RULES_EVERYWHERE},
        "shifted phase": outer | {"rules": ["agreement"]},
    }
    learners = {
        name: s | {"iterations": s["iterations"] // 2, "step_sizes": s["step_sizes"][1:4]}
        for name, s in SINE_LEARNERS.items()
    }
    return config | {
        "seeds": [0, 1, 2],
        "tuning_seeds": [0],
        "control_seeds": [],
        "validation_tasks": {"sines": 100},
        "test_tasks": {"sines": 200},
        "settings": {name: config["settings"][name] | changed for name, changed in kept.items()},
        "learners": {"sines": learners, "glyphs": GLYPH_LEARNERS},
    }


def follow_up(config: Config, rules: list[str], iterations: int = SINE_MAML["iterations"]) -> Config:
    """MAML on sines and with noise again, comparing outer gradients alone: other rules, or a longer training."""
    kept = {name: config["settings"][name] for name in ("sines", "noise")}
    changed: Any = {"rules": rules, "learners": ["MAML"], "sources": ["outer"]}
    return config | {
        "control_seeds": [],
        "settings": {name: s | changed for name, s in kept.items()},
        "learners": {"sines": {"MAML": SINE_MAML | {"iterations": iterations}}},
    }


STUDY_RIDGE = follow_up(STUDY, ["power -1, ridge 0.01", "power -1", "power -1, ridge 1"])
STUDY_LONG = follow_up(STUDY, ["power -1"], iterations=6000)
STUDY_LENGTHS = follow_up(STUDY, ["diagonal -0.5", "diagonal -1"])


# Tuning seeds apart from the test seeds, five of them.
APART: dict[str, Any] = {"control_seeds": [], "tuning_seeds": [200, 201, 202, 203, 204]}
TWO_RULES = ["power -1", "clipped"]

STUDY_QUIET: Any = follow_up(STUDY, TWO_RULES) | APART
STUDY_QUIET["settings"] = {
    name: setting(family, share=share, learners=["MAML"], rules=TWO_RULES) | {"sources": ["outer"]}
    for name, family, share in (
        ("noise", "noise", 0.2),
        ("quiet noise", "quiet noise", 0.2),
        ("quiet noise, 40%", "quiet noise", 0.4),
    )
}

# H2 at the step size that its tuning seeds did not choose: one size, so that nothing is tuned.
STUDY_H2: Any = follow_up(STUDY, ["agreement"]) | {
    "settings": {"sines": follow_up(STUDY, ["agreement"])["settings"]["sines"]}
}
STUDY_H2["learners"] = {"sines": {"MAML": SINE_MAML | {"step_sizes": [0.01]}}}

# Reptile on sines, with a size between the list's 1 and 3.
STUDY_REPTILE: Any = STUDY | APART
STUDY_REPTILE["settings"] = {"sines": setting("sines", learners=["Reptile"], rules=["power -1", "power -0.5"])}
STUDY_REPTILE["learners"] = {"sines": {"Reptile": SINE_LEARNERS["Reptile"] | {"step_sizes": [0.3, 1.0, 1.5, 2.0, 3.0]}}}
