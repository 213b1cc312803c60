"""Learners without labels and without an inner loop: what is trained for chapters 14 and 15. No TensorFlow here.

The step sizes are chosen as in plan.py. On clusters they are chosen without labels: on validation tasks of the same
kind as the training tasks, clusters of the validation scripts' images.
"""

import itertools
from typing import Any

from gaml_utils.experiments.learners.settings import OUTER_RULES, UNIFORM, Planned, learner

TESTED = {  # on glyphs, as chapter 13's learners
    "ways": 5,
    "filters": 16,
    "meta_batch": 4,
    "shots": 1,
    "queries": 3,
    "validation_tasks": 150,
    "test_tasks": 300,
    "test_queries": 5,
    "step_sizes": [0.001, 0.003, 0.01],
    "seeds": list(range(5)),
    "tuning_seeds": [200, 201, 202],
    "control_seeds": [],
    "headline_seeds": list(range(5, 10)),
}

METRIC: Any = TESTED | {
    "family": "metric",
    "iterations": 1000,
    "learners": {
        "MAML": learner("MAML", OUTER_RULES, [0.3, 1.0, 3.0]),
        "MAML, equal time": learner("MAML", [UNIFORM], "MAML", iterations=770),
        "Reptile": learner("Reptile", [UNIFORM], [0.1, 0.3, 1.0], inner_steps=5, batch_size=5, shots=4, queries=1),
        "siamese": learner("siamese", [UNIFORM], 1.0, tuned="temperature", network="features"),
        "siamese, pairs": learner(
            "siamese, pairs", [UNIFORM], 1.0, tuned="temperature", network="features", loss="pair cross-entropy"
        ),
        "prototypical": learner(
            "prototypical", OUTER_RULES, [3.0, 10.0, 30.0], tuned="temperature", network="features"
        ),
        "Gaussian prototypical": learner(
            "Gaussian prototypical", [UNIFORM], [3.0, 10.0, 30.0], tuned="temperature", network="precisions"
        ),
        "relation": learner(
            "relation", OUTER_RULES, 1.0, tuned="temperature", network="maps", loss="pair cross-entropy"
        ),
        "matching": learner("matching", [UNIFORM], [0.03, 0.1, 0.3], tuned="temperature", network="features"),
        "MANN": learner("MANN", [UNIFORM], 10.0, tuned="strength", network="features"),
        "MANN, 5,000 steps": learner(
            "MANN, 5,000 steps", [UNIFORM], 10.0, tuned="strength", network="features", iterations=5000
        ),
    },
}
METRIC_HEADLINES: dict[str, Planned] = {
    "M1": (("prototypical", UNIFORM), ("MAML", UNIFORM), "test_error", "better"),
    "M2": (("relation", UNIFORM), ("prototypical", UNIFORM), "test_error", "no difference"),
    "M3": (("prototypical", "agreement of outer"), ("prototypical", UNIFORM), "test_error", "worse"),
    "M4": (("prototypical", "power -0.5 of outer"), ("prototypical", UNIFORM), "test_error", "no difference"),
    "M5": (("prototypical", "power -1 of outer"), ("prototypical", UNIFORM), "test_error", "no difference"),
}

SEMI_SUPERVISED: Any = METRIC | {  # a learner whose support sets hold images without a label as well
    "family": "semi_supervised",
    "headline_seeds": [],
    "learners": {
        "semi-supervised prototypical": learner(
            "semi-supervised prototypical",
            [UNIFORM],
            [3.0, 10.0, 30.0],
            tuned="temperature",
            network="features",
            unlabelled=5,
        )
    },
}

SOURCES = ["labels", "instance", "denoising", "autoencoder", "pixels", "views", "shuffled"]  # of the training tasks
ON_TOP: dict[str, Any] = {
    "MAML": {"inner": 1.0},
    "prototypical": {"inner": 10.0, "tuned": "temperature", "network": "features"},
}
LEFT_OUT = [("MAML", "denoising"), ("MAML", "autoencoder")]
CACTUS: Any = TESTED | {
    "family": "cactus",
    "iterations": 600,
    "meta_batch": 8,
    "clusters": 500,
    "embedding_steps": 1500,
    "learners": {
        f"{kind}, {source}": learner(kind, OUTER_RULES if source == "instance" else [UNIFORM], **on_top, tasks=source)
        for (kind, on_top), source in itertools.product(ON_TOP.items(), SOURCES)
        if (kind, source) not in LEFT_OUT
    },
}
PROTOTYPICAL = "prototypical, instance"
CACTUS_HEADLINES: dict[str, Planned] = {
    "U1": ((PROTOTYPICAL, UNIFORM), ("prototypical, pixels", UNIFORM), "test_error", "better"),
    "U2": (("prototypical, autoencoder", UNIFORM), ("prototypical, pixels", UNIFORM), "test_error", "no difference"),
    "U3": ((PROTOTYPICAL, UNIFORM), ("prototypical, views", UNIFORM), "test_error", "better"),
    "U4": ((PROTOTYPICAL, "power -1 of outer"), (PROTOTYPICAL, UNIFORM), "test_error", "no difference"),
    "U5": (("MAML, instance", "power -1 of outer"), ("MAML, instance", UNIFORM), "test_error", "no difference"),
}
