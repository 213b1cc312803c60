"""More training images out of those there are: each a little turned, stretched, moved and bent (chapter 09)."""

import numpy as np


def affine_wobble(
    rng: np.random.Generator, images: np.ndarray, angle: float = 7.0, stretch: float = 0.1, shift: float = 1.0
) -> np.ndarray:
    """Images (n, height, width), or with channels, under a random affine map each, about their middle; float32.

    Between pixels they are read bilinearly.
    Standard deviations, of normal draws: `angle` in degrees; `stretch` of the shear and of the log-scale of either
    side; `shift` in pixels, either way. What comes in from outside is 0. For the `augment` of EpisodeTasks.
    """
    n, height, width = images.shape[:3]
    turn, shear, log_a, log_b, *move = rng.normal(size=(6, n)).astype(np.float32)
    turn, shear = np.radians(angle) * turn, stretch * shear
    a, b = np.exp(stretch * log_a), np.exp(stretch * log_b)
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.array([[cos * a, cos * shear - sin * b], [sin * a, sin * shear + cos * b]])
    middle = np.array([(height - 1) / 2, (width - 1) / 2], dtype=np.float32)
    grid = np.indices((height, width), dtype=np.float32).reshape(2, -1) - middle[:, None]
    place = np.einsum("ijn,jp->inp", matrix, grid) + middle[:, None, None] + shift * np.array(move)[:, :, None]
    return interpolated(images, place)


def elastic_wobble(rng: np.random.Generator, images: np.ndarray, strength: float = 0.35, knots: int = 5) -> np.ndarray:
    """Images (n, height, width), or with channels, bent by a smooth random displacement; float32, read bilinearly.

    strength: its standard deviation in pixels.
    Random moves at knots x knots places, spread over the image by Gaussian bumps. For the `augment` of EpisodeTasks.
    """
    n, height, width = images.shape[:3]
    bumps = [gaussian_bumps(side, knots) for side in (height, width)]
    move = bumps[0] @ (strength * rng.standard_normal((n, 2, knots, knots), dtype=np.float32)) @ bumps[1].T
    place = move + np.indices((height, width), dtype=np.float32)
    return interpolated(images, np.moveaxis(place.reshape(n, 2, -1), 1, 0))


def gaussian_bumps(side: int, knots: int) -> np.ndarray:
    """(side, knots): how much each knot moves each pixel; rows of length 1, so that the SD is the same everywhere."""
    x, k = np.linspace(0, 1, side)[:, None], np.linspace(0, 1, knots)
    bumps = np.exp(-0.5 * ((x - k) * (knots - 1) / 0.7) ** 2)
    return (bumps / np.linalg.norm(bumps, axis=1, keepdims=True)).astype(np.float32)


def interpolated(images: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Images (n, height, width) read at other places, (2, n, height * width) in pixels; outside is 0.

    With channels, (n, height, width, channels), each channel is read at the same places.
    """
    if images.ndim == 4:
        return np.stack([interpolated(images[..., c], place) for c in range(images.shape[3])], axis=-1)
    n, height, width = images.shape
    last = np.array([height, width], dtype=np.float32)[:, None, None]
    place = np.clip(place, -1, last) + 1  # in the image with its border of 0
    corner = place.astype(np.int32)
    down, right = (place - corner).astype(np.float32)
    framed = np.pad(images.astype(np.float32, copy=False), ((0, 0), (1, 2), (1, 2)))
    row = framed.shape[2]
    first = np.arange(n)[:, None] * framed[0].size + corner[0] * row + corner[1]
    pixels = framed.ravel()
    above = pixels[first] * (1 - right) + pixels[first + 1] * right
    below = pixels[first + row] * (1 - right) + pixels[first + row + 1] * right
    return (above * (1 - down) + below * down).reshape(images.shape)


def centred(images: np.ndarray) -> np.ndarray:
    """Images (n, height, width), each moved by whole pixels until the centre of its ink is the middle; any dtype.

    With channels, (n, height, width, channels), their mean counts as ink.
    """
    n, height, width = images.shape[:3]
    ink = images.reshape(n, height * width, -1).mean(axis=2, dtype=np.float64)
    centre = np.indices((height, width)).reshape(2, -1) @ ink.T / np.maximum(ink.sum(axis=1), 1e-9)  # (2, n)
    middle = np.array([(height - 1) / 2, (width - 1) / 2])[:, None]
    down, right = np.where(ink.any(axis=1), np.rint(centre - middle), 0).astype(np.int64)
    rows = (np.arange(height) + down[:, None]) % height
    columns = (np.arange(width) + right[:, None]) % width
    return images[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]
