"""Imitation: what is trained for chapter 16, and how often its arm reaches. No TensorFlow here.

The step sizes are chosen as in plan.py, by the share of validation goals that are not reached.
"""

from typing import Any

from gaml_utils.experiments.learners.settings import OUTER_RULES, UNIFORM, Planned, learner

IMITATION: Any = {
    "family": "imitation",
    "seeds": list(range(5)),
    "tuning_seeds": [200, 201, 202],
    "control_seeds": [],
    "headline_seeds": list(range(5, 10)),
    "iterations": 1500,
    "meta_batch": 25,
    "shots": 1,
    "queries": 1,
    "units": 64,
    "validation_tasks": 200,
    "test_tasks": 300,
    "rollout": 40,
    "within": [0.1, 0.05],
    "step_sizes": [0.001, 0.003, 0.01],
    "learners": {
        "MIL": learner("MIL", OUTER_RULES, [0.1, 0.3, 1.0], inner_steps=3, context=10, inner_outputs=2),
        "MIL, watching": learner(
            "MIL, watching", [UNIFORM], [0.1, 0.3, 1.0], inner_steps=3, context=10, inner_outputs=20, watch_only=True
        ),
        "MAML": learner("MAML", [UNIFORM], [0.1, 0.3, 1.0], inner_steps=3),
        "CAML": learner("CAML", [UNIFORM], [0.3, 1.0, 3.0], inner_steps=3, context=10),
        "ignores the demonstration": learner("ignores the demonstration", [UNIFORM], 0.0),
        "told the goal": learner("told the goal", [UNIFORM], 0.0),
    },
}
IMITATION_HEADLINES: dict[str, Planned] = {
    "I1": (("MIL", UNIFORM), ("ignores the demonstration", UNIFORM), "test_error", "better"),
    "I2": (("MIL", UNIFORM), ("MAML", UNIFORM), "test_error", "better"),
    "I3": (("MIL, watching", UNIFORM), ("ignores the demonstration", UNIFORM), "test_error", "better"),
    "I4": (("MIL", "agreement of outer"), ("MIL", UNIFORM), "test_error", "worse"),
    "I5": (("MIL", "power -0.5 of outer"), ("MIL", UNIFORM), "test_error", "no difference"),
}

MUJOCO: Any = IMITATION | {  # the same in a physics engine, where that is installed
    "family": "imitation_mujoco",
    "headline_seeds": [],
    "iterations": 1000,
    "pool": 2000,  # tasks that are demonstrated once, for all steps
    "rollout": 60,
    "within": [0.02, 0.01],  # metres, of an arm of 0.21
    "learners": {
        name: IMITATION["learners"][name] | {"rules": [UNIFORM]}
        for name in ("MIL", "MIL, watching", "ignores the demonstration", "told the goal")
    },
}
