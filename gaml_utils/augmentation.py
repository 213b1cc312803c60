"""More training images out of those there are: each a little turned, sheared, stretched and moved (chapter 09)."""

import numpy as np


def affine_wobble(
    rng: np.random.Generator, images: np.ndarray, angle: float = 7.0, stretch: float = 0.1, shift: float = 1.0
) -> np.ndarray:
    """Images (n, height, width) under a random affine map each, about their middle; float32, between pixels bilinear.

    Standard deviations, of normal draws: `angle` in degrees; `stretch` of the shear and of the log-scale of either
    side; `shift` in pixels, either way. What comes in from outside is 0. For the `augment` of EpisodeTasks.
    """
    n, height, width = images.shape
    turn, shear, log_a, log_b, *move = rng.normal(size=(6, n)).astype(np.float32)
    turn, shear = np.radians(angle) * turn, stretch * shear
    a, b = np.exp(stretch * log_a), np.exp(stretch * log_b)
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.array([[cos * a, cos * shear - sin * b], [sin * a, sin * shear + cos * b]])
    middle = np.array([(height - 1) / 2, (width - 1) / 2], dtype=np.float32)
    grid = np.indices((height, width), dtype=np.float32).reshape(2, -1) - middle[:, None]
    place = np.einsum("ijn,jp->inp", matrix, grid) + middle[:, None, None] + shift * np.array(move)[:, :, None]
    last = np.array([height, width], dtype=np.float32)[:, None, None]
    place = np.clip(place, -1, last) + 1                       # in the image with its border of 0
    corner = place.astype(np.int32)
    down, right = (place - corner).astype(np.float32)
    framed = np.pad(images.astype(np.float32, copy=False), ((0, 0), (1, 2), (1, 2)))
    row = framed.shape[2]
    first = np.arange(n)[:, None] * framed[0].size + corner[0] * row + corner[1]
    pixels = framed.ravel()
    above = pixels[first] * (1 - right) + pixels[first + 1] * right
    below = pixels[first + row] * (1 - right) + pixels[first + row + 1] * right
    return (above * (1 - down) + below * down).reshape(images.shape)
