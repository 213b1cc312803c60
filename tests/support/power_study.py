"""A small study of the powers with errors that are easy to tell apart."""

import copy

from gaml_utils.experiments.study.grid import STUDY
from gaml_utils.experiments.study.plan import study_jobs

FIELDS = ("validation_error", "test_error", "test_median", "test_worst")
ERRORS = {"uniform": 1.0, "agreement": 1.5, "power 0.5": 1.2, "power -0.5": 0.8, "power -1": 0.9}
POWERS = [rule for rule in ERRORS if rule != "uniform"]


def power_study():
    """Errors as above at step size 0.01 and twice as high at 0.1; updates are 0.3 higher; seeds differ."""
    sines = STUDY["settings"]["sines"] | {"rules": POWERS, "learners": ["MAML", "Reptile"]}
    learners = {name: s | {"step_sizes": [0.01, 0.1]} for name, s in STUDY["learners"]["sines"].items()}
    config = STUDY | {"settings": {"sines": sines}, "learners": {"sines": learners}, "control_seeds": []}
    done: dict = {}
    while any(tuple(job.values()) not in done for job in study_jobs(config, done)):
        for job in study_jobs(config, done):
            rule, _, source = job["rule"].partition(" of ")
            error = (ERRORS[rule] + 0.3 * (source == "updates" and job["learner"] == "MAML")) * (1 + 0.02 * job["seed"])
            error *= 2 if job["step_size"] == 0.1 else 1
            done[tuple(job.values())] = job | dict.fromkeys(FIELDS, error) | {"cpu_seconds": 2.0 + (rule != "uniform")}
    return {"config": config, "runs": [done[tuple(job.values())] for job in study_jobs(config, done)]}


def spoilt(results, rule, seed, value):
    """The same, with another error in one training."""
    changed = copy.deepcopy(results)
    for run in changed["runs"]:
        if (run["learner"], run["rule"], run["step_size"], run["seed"]) == ("MAML", rule, 0.01, seed):
            run.update(dict.fromkeys(FIELDS[1:], value))
    return changed
