"""Made before_the_move.npz and the .keras files beside it, with the code before the package was put into folders.

It ran at commit 874be40 and does so nowhere else: the names it imports are those of that state. It is kept as the
provenance of the numbers, which tests/learners/test_before_the_move.py compares with what the code of today gives.

    git worktree add ../before 874be40; cp tests/data/make_before_the_move.py ../before/; cd ../before
    PYTHONPATH=. python make_before_the_move.py FOLDER
"""

import itertools
import pathlib
import sys

import gaml_utils  # noqa: F401, before TensorFlow

# isort: split
import keras
import numpy as np
import tensorflow as tf
from gaml_utils.image_evaluation import episode_answers
from gaml_utils.keras_data import as_dataset
from gaml_utils.keras_meta import MAML, Reptile
from gaml_utils.matrix_free import task_by_task
from gaml_utils.models import head_only, zero_head
from gaml_utils.weight_family import power_weights

from gaml_utils.tasks import SineTasks, TaskBatch
from gaml_utils.weighting import agreement_weights, uniform_weights

RULES = {"uniform": uniform_weights, "agreement": agreement_weights, "power -1": power_weights(-1)}
LEARNERS = {
    "MAML": (MAML, {"inner_lr": 0.05}),
    "first order": (MAML, {"inner_lr": 0.05, "first_order": True}),
    "Reptile": (Reptile, {"inner_lr": 0.05}),
    "minibatches": (Reptile, {"inner_lr": 0.05, "batch_size": 2, "seed": 3}),
}


def network():
    keras.config.set_dtype_policy("float64")
    rng, layers = np.random.default_rng(0), keras.layers
    x = keras.Input((1,), dtype="float64")
    h = layers.Dense(8, "tanh", name="first")(x)
    model = keras.Model(x, layers.Dense(1, name="head")(layers.Dense(8, "tanh", name="second")(h)))
    keras.config.set_dtype_policy("float32")
    model.set_weights([0.5 * rng.normal(size=w.shape) for w in model.get_weights()])
    return model


def sines(seed=1):
    return SineTasks().sample(np.random.default_rng(seed), 4, 5, 7)


def episodes(tasks=3, ways=3):
    rng = np.random.default_rng(2)
    images = [rng.random((tasks, ways * n, 16, 16, 1)).astype("float32") for n in (2, 3)]
    labels = [np.tile(np.repeat(np.arange(ways, dtype="int32"), n), (tasks, 1)) for n in (2, 3)]
    return TaskBatch(images[0], labels[0], images[1], labels[1])


def compiled(kind, **settings):
    make, fixed = LEARNERS[kind]
    learner = make(network(), **fixed | settings)
    learner.compile(keras.optimizers.Adam(0.01), "mse")
    return learner


def main(folder):
    found = {f"sines/{name}": a for name, a in sines()._asdict().items()}

    def keep(case, numbers):
        found[case] = np.concatenate([np.ravel(np.asarray(n, dtype=np.float64)) for n in numbers])

    for kind, steps, rule, source in itertools.product(LEARNERS, (1, 3), RULES, ("updates", "outer")):
        case = f"{kind}/{steps}/{rule}/{source}"
        learner = compiled(kind, inner_steps=steps, weighting=RULES[rule], source=source)
        direction, w, result = tf.function(learner.outer_direction)(TaskBatch(*map(tf.constant, sines())))
        keep(case, [*direction, w, result.query_loss, *result.direction, *result.update])
    for kind, rule in itertools.product(LEARNERS, RULES):
        learner = compiled(kind, inner_steps=2, weighting=RULES[rule])
        history = learner.fit(as_dataset(SineTasks(), 4, 5, 7, dtype="float64"), steps_per_epoch=6, verbose=0).history
        keep(f"{kind}/{rule}/trained", [*learner.model.get_weights(), *(history[k] for k in sorted(history))])
        told = learner.evaluate(tf.data.Dataset.from_tensors(sines()), verbose=0, return_dict=True)
        keep(f"{kind}/{rule}/evaluate", [told[k] for k in sorted(told)])
        keep(f"{kind}/{rule}/adapt", learner.adapt(sines()[0][0], sines()[1][0]).get_weights())
    for kind in LEARNERS:
        result = task_by_task(compiled(kind, inner_steps=3, weighting=agreement_weights))(sines())
        keep(f"{kind}/task by task", [*result.gradient, result.weights, result.query_losses])

    saved = {
        "power": (compiled("MAML", weighting=power_weights(-1), source="outer"), sines()),
        "minibatches": (compiled("minibatches", weighting=agreement_weights), sines()),
    }
    keras.utils.set_random_seed(4)
    learner = MAML(zero_head(3, filters=2, shape=(16, 16, 1)), 20.0, inner_rule=head_only, weighting=agreement_weights)
    learner.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    saved["head_only"] = learner, episodes()
    for name, (learner, batch) in saved.items():
        learner.outer_step(TaskBatch(*map(tf.constant, batch)))
        learner.save(folder / f"{name}.keras")
        result = learner.meta_gradient(batch)
        keep(f"{name}.keras", [*result.gradient, result.weights, result.query_losses])
        keep(f"{name}.keras/adapt", learner.adapt(batch[0][0], batch[1][0]).get_weights())
    keep("head_only.keras/answers", [episode_answers(learner, episodes())])
    np.savez_compressed(folder / "before_the_move.npz", **found)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
