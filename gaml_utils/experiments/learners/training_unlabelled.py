"""Training tasks without labels, from embeddings that have seen none: chapter 14.

The embedding of a source and a seed is trained once: it lies in the folder of temporary files for the next training.
"""

import hashlib
import json
import os
import pathlib
import tempfile
from typing import Any

import numpy as np

from gaml_utils.checks import known
from gaml_utils.code import code_digest
from gaml_utils.datasets.glyphs import load_glyphs
from gaml_utils.tasks.augmentation import affine_wobble, elastic_wobble
from gaml_utils.tasks.clusters import ClusterTasks, cluster, same_label_pairs, task_purities
from gaml_utils.tasks.episodes import EpisodeTasks
from gaml_utils.tasks.views import ViewTasks

FEATURES = 64
TEMPERATURE = 10.0  # of the prototypical network that tells single images apart
INSTANCES = 64  # so many at a time
BATCH = 64  # images, of an autoencoder's step
CHUNK = 590  # images that are embedded together


def wobbled(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """As another hand, or font, might have it: what this leaves alike is said to be the same."""
    return elastic_wobble(rng, affine_wobble(rng, images))


def training_tasks(config: Any, source: str, seed: int) -> tuple[Any, Any, dict]:
    """Tasks of the training and of the validation scripts, and what is known of the partition from outside.

    source: "labels", the true ones; "views", each image a class of its own; "shuffled", clusters at random, as large as
    those of "instance"; or an embedding that is clustered: "pixels", "autoencoder", "denoising", "instance".
    """
    from gaml_utils.experiments.glyphs.training import episode_tasks

    ways = config["ways"]
    if config["family"] != "cactus":
        return episode_tasks("train", ways), episode_tasks("validation", ways), {}
    sets = {split: load_glyphs().part(split) for split in ("train", "validation")}
    if source == "labels":  # no hands: clusters know none either
        found = [EpisodeTasks(s.images, s.labels, ways) for s in sets.values()]
        return found[0], found[1], {}
    if source == "views":
        found = [ViewTasks(s.images, ways, wobbled) for s in sets.values()]
        return found[0], found[1], {}
    rng = np.random.default_rng([4_000, seed])
    tasks, about = [], {}
    for split, embedded in embeddings("instance" if source == "shuffled" else source, config, seed).items():
        images, labels = sets[split].images, sets[split].labels
        k = round(config["clusters"] * len(images) / len(sets["train"].images))
        clusters = cluster(embedded, k, rng=rng)
        if source == "shuffled":
            clusters = rng.permutation(clusters)
        tasks.append(ClusterTasks(images, clusters, ways))
        if split == "train":
            about = partition_record(clusters, labels)
    return tasks[0], tasks[1], about


def partition_record(clusters: np.ndarray, labels: np.ndarray) -> dict:
    """How far clusters and characters agree; for the page alone, nothing is chosen by it."""
    from sklearn.metrics import normalized_mutual_info_score

    return {
        "pair_share": round(same_label_pairs(clusters, labels), 5),
        "nmi": round(float(normalized_mutual_info_score(labels, clusters)), 4),
    }


def purity_correlation(config: Any, learner: Any, tasks: Any, seed: int, batches: int = 40) -> float:
    """Spearman's correlation of a task's weight with the share of true pairs in its classes, over fresh tasks."""
    from scipy import stats

    labels, size = load_glyphs().part("train").labels, (config["meta_batch"], config["shots"], config["queries"])
    weights, purities = [], []
    for k in range(batches):
        drawn = tasks.draw(np.random.default_rng([5_000, seed, k]), *size)  # as `sample` draws them from that seed
        batch = tasks.sample(np.random.default_rng([5_000, seed, k]), *size)
        weights.append(np.asarray(learner.meta_gradient(batch).weights))
        purities.append(task_purities(np.concatenate(drawn, axis=2), labels))
    return float(stats.spearmanr(np.concatenate(weights), np.concatenate(purities)).statistic)


def embeddings(source: str, config: Any, seed: int) -> dict[str, np.ndarray]:
    """split -> (images, FEATURES), of the training and of the validation images; learned on the training images."""
    made_by = [code_digest(), pathlib.Path(__file__).read_text(encoding="utf-8")]
    name = hashlib.sha256(json.dumps([source, config, seed, made_by]).encode()).hexdigest()[:20]
    kept = pathlib.Path(tempfile.gettempdir()) / f"gaml_embedding_{name}.npz"
    if kept.exists():
        with np.load(kept, allow_pickle=False) as stored:
            return dict(stored)
    images = {split: load_glyphs().part(split).images for split in ("train", "validation")}
    makers = {
        "pixels": blurred_pixels,
        "autoencoder": autoencoder,
        "denoising": denoising,
        "instance": instance_features,
    }
    embed = known("source", source, makers)(images["train"], config["embedding_steps"], seed, config["filters"])
    found = {split: np.asarray(embed(x), np.float32) for split, x in images.items()}
    whole = kept.with_suffix(f".{os.getpid()}.npz")
    np.savez(whole, train=found["train"], validation=found["validation"])
    whole.replace(kept)
    return found


def blurred_pixels(images: np.ndarray, steps: int, seed: int, filters: int) -> Any:
    """Means of 2 x 2 pixels, and their principal components: nothing is learned but these."""
    from sklearn.decomposition import PCA

    def blurred(x: np.ndarray) -> np.ndarray:
        n, height, width = x.shape
        return x.reshape(n, height // 2, 2, width // 2, 2).mean(axis=(2, 4)).reshape(n, -1)

    fitted = PCA(FEATURES, random_state=seed).fit(blurred(images))
    return lambda x: fitted.transform(blurred(x))


def autoencoder(images: np.ndarray, steps: int, seed: int, filters: int, wobble: Any = None) -> Any:
    """FEATURES numbers out of which the image can be drawn again; with a wobble, out of a wobbled image."""
    import keras
    import tensorflow as tf

    from gaml_utils.networks import encoder

    layers = keras.layers
    keras.utils.set_random_seed(seed)
    narrow = keras.Sequential([encoder(2 * filters, strides=(2, 2)), layers.Dense(FEATURES)])
    wide = keras.Sequential(
        [
            keras.Input((FEATURES,)),
            layers.Dense(7 * 7 * filters, "relu"),
            layers.Reshape((7, 7, filters)),
            layers.Conv2DTranspose(filters, 3, 2, "same", activation="relu"),
            layers.Conv2DTranspose(1, 3, 2, "same"),
        ]
    )
    both = keras.Sequential([narrow, wide])
    both.compile(keras.optimizers.Adam(0.003), keras.losses.BinaryCrossentropy(from_logits=True))
    rng = np.random.default_rng([6_000, seed])
    step = tf.function(lambda x, y: both.train_step((x, y)), autograph=False)
    for _ in range(steps):
        y = images[rng.integers(len(images), size=BATCH)].astype(np.float32)
        x = y if wobble is None else wobble(rng, y)
        step(tf.constant(x[..., None]), tf.constant(y[..., None]))
    return lambda x: features_of(narrow, x)


def denoising(images: np.ndarray, steps: int, seed: int, filters: int) -> Any:
    """An autoencoder that is given the image wobbled, and asked for the image as it was."""
    return autoencoder(images, steps, seed, filters, wobbled)


def instance_features(images: np.ndarray, steps: int, seed: int, filters: int) -> Any:
    """Features that tell single images apart, whatever the wobble: a prototypical network over ViewTasks."""
    import keras
    import tensorflow as tf

    from gaml_utils.learners.data import as_dataset
    from gaml_utils.learners.metric import PrototypicalNetwork
    from gaml_utils.networks import encoder

    keras.utils.set_random_seed(seed)
    learner = PrototypicalNetwork(encoder(filters), INSTANCES, temperature=TEMPERATURE)
    learner.compile(keras.optimizers.Adam(0.003), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    data = iter(as_dataset(ViewTasks(images, INSTANCES, wobbled), 1, 1, 1, seed=seed))
    step = tf.function(learner.outer_step, autograph=False)
    for _ in range(steps):
        step(next(data))
    return lambda x: features_of(learner.model, x)


def features_of(model: Any, images: np.ndarray) -> np.ndarray:
    """(images, features), in shuffled order: images stand by script, and a batch's statistics would tell which one."""
    order = np.random.default_rng(7_000).permutation(len(images))
    found = [
        model(images[part, ..., None].astype(np.float32), training=True).numpy()
        for part in np.array_split(order, -(-len(images) // CHUNK))
    ]
    return np.concatenate(found)[np.argsort(order)]
