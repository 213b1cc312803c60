"""One training of an arm that imitates, and how often it reaches: chapter 16."""

from typing import Any

import numpy as np

from gaml_utils.experiments.learners.plan import UNIFORM, tuned
from gaml_utils.experiments.records import Job, Run
from gaml_utils.experiments.study.measures import weighting_of
from gaml_utils.experiments.trainings import rounded
from gaml_utils.tasks.physics_arm import PhysicsReachTasks
from gaml_utils.tasks.reaching import ReachTasks

CLONED = ("ignores the demonstration", "told the goal")  # one policy for all tasks, by plain behaviour cloning


def imitation_job(config: Any, job: Job) -> Run:
    """Success of rollouts on validation and test goals, after the demonstration and before it."""
    arm = PhysicsReachTasks if config["family"] == "imitation_mujoco" else ReachTasks
    tasks = arm(told=job["learner"] == "told the goal")
    policy_for = cloned_policy(config, job, tasks) if job["learner"] in CLONED else learned_policy(config, job, tasks)
    if policy_for is None:  # it diverged
        return {"validation_error": None}

    def distances(seed: Any, count: int, steps: int | None = None) -> np.ndarray:
        rng = np.random.default_rng(seed)
        goals = tasks.draw(rng, count)
        shown, starts = tasks.demonstrate(rng, goals, 1), tasks.starts(rng, count, 1)[:, 0]
        path = tasks.rollout(policy_for(*shown, steps=steps), goals, starts, config["rollout"])
        return np.linalg.norm(path[:, -1] - goals, axis=1)

    first, closer = config["within"]
    result = {"validation_error": rounded((distances(1_000, config["validation_tasks"]) >= first).mean())}
    if job["seed"] in config["tuning_seeds"]:
        return result
    test = [2_000, job["seed"]], config["test_tasks"]
    found = distances(*test)
    result |= {"test_error": rounded((found >= first).mean()), "test_error_closer": rounded((found >= closer).mean())}
    result["test_median"] = rounded(np.median(found))
    if job["rule"] == UNIFORM and job["learner"] not in CLONED:
        result["test_before"] = rounded((distances(*test, 0) >= first).mean())
    return result


def arm_network(config: Any, observations: int, settings: dict) -> Any:
    """Two hidden layers, then two actions, and where asked for the outputs of an inner head, from the same units."""
    import keras

    from gaml_utils.networks.context import Context

    layers = keras.layers
    x = h = keras.Input((observations,))
    h = Context(settings["context"])(h) if "context" in settings else h
    for _ in range(2):
        h = layers.Dense(config["units"], "relu")(h)
    out = layers.Dense(2, name="actions")(h)
    if "inner_outputs" in settings:
        out = layers.Concatenate()([out, layers.Dense(settings["inner_outputs"], name="inner")(h)])
    return keras.Model(x, out)


def learned_policy(config: Any, job: Job, tasks: ReachTasks) -> Any:
    """(demonstrations, steps) -> policy, of a meta-learner; None where its training diverged."""
    import keras
    import tensorflow as tf

    from gaml_utils.learners.names import LEARNERS
    from gaml_utils.learners.policies import policy_of

    s = config["learners"][job["learner"]]
    settings = {k: v for k, v in s["settings"].items() if k not in ("context", "inner_outputs")}
    settings[tuned(config, job["learner"])] = float(job["part"].split()[-1])
    kind = s["kind"].split(",")[0]
    weighting, source = weighting_of(job["rule"])
    needed = {"actions": 2} if kind == "MIL" else {}
    model = arm_network(config, tasks.observations, s["settings"])
    learner = LEARNERS[kind](model, weighting=weighting, source=source, **needed | settings)
    learner.compile(
        keras.optimizers.Adam(job["step_size"]), "mse", diagnostics=False, jit_compile=True, steps_per_execution=50
    )
    try:
        learner.fit(demonstrations(config, job, tasks), steps_per_epoch=config["iterations"], verbose=0)
    except tf.errors.InvalidArgumentError:
        return None
    return lambda x, y, steps=None: policy_of(learner, x, y, steps)


def cloned_policy(config: Any, job: Job, tasks: ReachTasks) -> Any:
    """The same for one policy that is fitted to the demonstrations of all tasks, and learns nothing from a new one."""
    import keras
    import tensorflow as tf

    model = arm_network(config, tasks.observations, {})
    model.compile(keras.optimizers.Adam(job["step_size"]), "mse")
    step = tf.function(lambda x, y: model.train_step((x, y)), autograph=False)
    for batch in demonstrations(config, job, tasks).take(config["iterations"]):
        x, y = batch.query_x, batch.query_y
        step(tf.reshape(x, (-1, x.shape[-1])), tf.reshape(y, (-1, y.shape[-1])))
    return lambda x, y, steps=None: lambda seen: model(seen).numpy()


def demonstrations(config: Any, job: Job, tasks: ReachTasks) -> Any:
    """Meta-batches without end: drawn anew, or, where the plan says so, from a pool of so many tasks drawn once."""
    import tensorflow as tf

    from gaml_utils.learners.data import as_dataset
    from gaml_utils.records import TaskBatch

    size = config["meta_batch"], config["shots"], config["queries"]
    if "pool" not in config:
        return as_dataset(tasks, *size, seed=job["seed"])
    drawn = tasks.sample(np.random.default_rng(job["seed"]), config["pool"], *size[1:])
    pool = tf.data.Dataset.from_tensor_slices(TaskBatch(*(part.astype(np.float32) for part in drawn)))
    mixed = pool.shuffle(config["pool"], seed=job["seed"]).repeat()
    return mixed.batch(config["meta_batch"], drop_remainder=True)
