"""From a font's letter to a line drawing, and from that to a drawing by an unsteady hand."""

import functools

import numpy as np
from PIL import Image, ImageFont
from scipy import ndimage

RENDERED = 80  # font size in pixels
CANVAS, BOX, SIDE = 56, 40, 28  # the drawing board, the letter on it, the final image
PEN = 3  # width of a stroke on the board
UNUSED = chr(0x10FFFF)  # never a character: fonts draw their missing-glyph box


def open_font(path: str) -> ImageFont.FreeTypeFont:
    """The font without shaping (ligatures, joined forms), which would ask for libraries that differ by machine."""
    return ImageFont.truetype(path, RENDERED, layout_engine=ImageFont.Layout.BASIC)


@functools.lru_cache(maxsize=1)
def missing_box(font: ImageFont.FreeTypeFont) -> tuple[tuple[int, int], bytes]:
    """Size and pixels of what the font draws for a character that it does not have."""
    mask = font.getmask(UNUSED)
    return mask.size, bytes(mask)


def is_missing(font: ImageFont.FreeTypeFont, character: str) -> bool:
    """Whether the font draws nothing or its missing-glyph box."""
    mask = font.getmask(character)
    return mask.getbbox() is None or (mask.size, bytes(mask)) == missing_box(font)


def render(font: ImageFont.FreeTypeFont, character: str) -> np.ndarray:
    """The letter cut to its ink, (height, width) in 0 to 255."""
    mask = font.getmask(character)
    left, top, right, bottom = mask.getbbox()
    return np.array(mask, np.uint8).reshape(mask.size[1], mask.size[0])[top:bottom, left:right]


def fit(letter: np.ndarray) -> np.ndarray:
    """The letter with its longer side BOX pixels, in the middle of the board: (56, 56) bool."""
    scale = BOX / max(letter.shape)
    height, width = (max(1, round(side * scale)) for side in letter.shape)
    small = np.asarray(Image.fromarray(letter).resize((width, height), Image.Resampling.BOX)) > 100
    board = np.zeros((CANVAS, CANVAS), bool)
    top, left = (CANVAS - height) // 2, (CANVAS - width) // 2
    board[top : top + height, left : left + width] = small
    return board


def thin(boards: np.ndarray) -> np.ndarray:
    """Strokes worn down to lines one pixel wide, (n, 56, 56) bool (Zhang and Suen 1984, Comm. ACM 27(3), 236-239).

    Weight is what tells fonts apart most, and what a hand with one pen does not have.
    """
    x = np.pad(boards, ((0, 0), (1, 1), (1, 1)))
    inner = (slice(None), slice(1, -1), slice(1, -1))
    clockwise = [(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)]
    busy = np.arange(len(x))  # the boards that still lose pixels
    while len(busy):
        y = x[busy]
        before = y.sum((1, 2))
        for first, second in (((0, 2, 4), (2, 4, 6)), ((0, 2, 6), (0, 4, 6))):
            p = [y[:, 1 + r : CANVAS + 1 + r, 1 + c : CANVAS + 1 + c] for r, c in clockwise]
            neighbours = sum(q.astype(np.int8) for q in p)
            changes = sum((~a & b).astype(np.int8) for a, b in zip(p, p[1:] + p[:1], strict=True))
            gone = (neighbours >= 2) & (neighbours <= 6) & (changes == 1)
            for triple in (first, second):
                gone &= ~(p[triple[0]] & p[triple[1]] & p[triple[2]])
            y[inner] &= ~gone
        x[busy] = y
        busy = busy[y.sum((1, 2)) < before]
    return x[inner]


def ink(lines: np.ndarray) -> np.ndarray:
    """The lines drawn with a pen, and the dots with a heavier touch: (n, 56, 56) in 0 to 1, edges a little soft."""
    around = ndimage.uniform_filter(lines.astype(float), (1, 3, 3)) * 9
    dots = lines & (around < 1.5)  # thinning left a single pixel of it
    wide = np.maximum(ndimage.maximum_filter(lines, (1, PEN, PEN)), ndimage.maximum_filter(dots, (1, PEN + 2, PEN + 2)))
    return ndimage.gaussian_filter(wide.astype(float), (0, 0.7, 0.7))


def shrink(boards: np.ndarray, ink_from: float = 0.55) -> np.ndarray:
    """(n, 56, 56) in 0 to 1 -> (n, 28, 28) uint8, 1 where a square of four pixels holds enough ink."""
    return (boards.reshape(-1, SIDE, 2, SIDE, 2).mean((2, 4)) > ink_from).astype(np.uint8)


class Wobble:
    """A random distortion of the board: rotation, shear, scale, shift, and an elastic field.

    All parts are independent and normal, so the sum of two wobbles, one of the hand and one of the moment, each with
    half of the variance, is again one. At strength 1 their standard deviations are, in pixels of the final image:
    rotation 5.9 degrees, shear and log-scale 0.09, shift 0.8, elastic 0.72 with a smoothing of 3.5.
    """

    def __init__(self, rng: np.random.Generator, strength: float):
        self.angle = np.deg2rad(5.9) * strength * rng.normal()
        self.shear, self.log_x, self.log_y = 0.09 * strength * rng.normal(size=3)
        self.shift = 2 * 0.8 * strength * rng.normal(size=(2, 1, 1))
        field = ndimage.gaussian_filter(rng.normal(size=(2, CANVAS, CANVAS)), (0, 7, 7))
        field *= 2 * np.sqrt(np.pi) * 7  # to a standard deviation of 1
        self.field = 2 * 0.72 * strength * field


def distort(board: np.ndarray, wobbles: list[Wobble]) -> np.ndarray:
    """The board (56, 56) seen through the sum of the wobbles."""
    angle, shear, log_x, log_y = (sum(getattr(w, n) for w in wobbles) for n in ("angle", "shear", "log_x", "log_y"))
    y, x = np.mgrid[:CANVAS, :CANVAS] - (CANVAS - 1) / 2
    x, y = np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y
    x, y = np.exp(log_x) * (x + shear * y), np.exp(log_y) * y
    where = np.stack([y, x]) + (CANVAS - 1) / 2 + sum(w.shift + w.field for w in wobbles)
    return ndimage.map_coordinates(board, where, order=1)
