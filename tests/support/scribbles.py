"""Small images to learn from."""

import keras
import numpy as np
from scipy import ndimage

WAYS = 3


def scribbles(rng, n):
    return (rng.random((n, 28, 28)) < 0.1).astype(np.float32)


def features_of(model, x, training=False):
    return keras.Model(model.input, model.get_layer("length1").output)(x, training=training).numpy()


# ---------------------------------------------------------------- more images out of those there are


def strokes(n=6, side=28):
    """A filled disc or bar each, away from the border: images with little at single pixels."""
    rows, columns = np.indices((side, side))
    middle = np.random.default_rng(5).integers(11, 17, size=(n, 2))
    return np.stack([np.hypot(rows - r, columns - c) < 5 for r, c in middle]).astype(np.float32)


def centre(images):
    return np.array([ndimage.center_of_mass(image) for image in images])
