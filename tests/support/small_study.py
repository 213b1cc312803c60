"""A small study, its results made up."""

from gaml_utils.experiments.study import grid
from gaml_utils.experiments.study import plan as study

SMALL = grid.STUDY | {
    "seeds": [0, 1, 2, 3],
    "tuning_seeds": [0],
    "settings": {
        "sines": grid.setting("sines", rules=["agreement", "cosine"]),
        "noise": grid.setting("noise", rules=["agreement"], learners=["MAML"], share=0.2),
    },
}
LEARNERS = ("MAML", "Reptile")


def fields(ax):
    """What stands where: {(row, column): text object}."""
    return {
        (round(t.get_position()[1]), round(t.get_position()[0])): t
        for t in ax.texts
        if t.get_transform() == ax.transData
    }


def results(factors=None, diverged=(), best=0.003):
    """Uniform's error is 2 + seed / 10; a rule's is `factor` times that, a hundredth of it up or down."""
    factors, runs = factors or {}, []
    for part, setting in SMALL["settings"].items():
        for learner in setting["learners"]:
            for rule in study.rules_of(SMALL, part, learner):
                for seed in SMALL["seeds"]:
                    job = study.job(part, learner, rule, best if learner == "MAML" else 0.3, seed)
                    if (part, learner, rule, seed) in diverged:
                        runs.append(job | {"validation_error": None})
                        continue
                    error = factors.get((part, learner, rule), 1.0) * (2 + seed / 10) + 0.02 * (-1) ** seed
                    error = error if rule != "uniform" else 2 + seed / 10
                    summary = {
                        "test_error": error,
                        "test_median": 1.0 + 0.1 * (rule != "uniform"),
                        "test_worst": 3 * error,
                    }
                    runs.append(job | {"validation_error": error} | summary)
    return {"config": SMALL, "runs": runs}
