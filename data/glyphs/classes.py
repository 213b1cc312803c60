"""Which letters become classes, and which fonts draw each: enough fonts, in agreement, and no two letters alike."""

import collections
from typing import NamedTuple

import numpy as np
from scipy import ndimage
from shapes import fit, ink, is_missing, open_font, render, shrink, thin
from sources import SCRIPTS, letters

MAX_LETTERS, MIN_LETTERS = 30, 10  # of a script
TRIED, MAX_FONTS, MIN_FONTS = 40, 10, 3  # fonts of a script, and of a letter
COVERAGE = 0.6  # of a script's letters, for a font to be used
SAME_LETTER = 0.6  # correlation of two drawings of one letter, at least
FEW_FONTS = 4  # as many, fonts may be as alike as weights of one family:
SAME_FONT = (0.998, 0.97)  # mean correlation over a script, at most; from then on
LOOKALIKE = 0.965  # cosine of two classes, at most
INK = (0.03, 0.2)  # share of ink in a class's drawings, on average
CROWDED = 0.5  # share of ink in the box around a drawing, at most


class Glyph(NamedTuple):
    """One class: its letter, the fonts that draw it (indices), a drawing by each, and the picture these make."""

    script: str
    point: int  # Unicode code point
    fonts: list[int]
    drawings: np.ndarray  # (fonts, 56, 56) in 0 to 1
    picture: np.ndarray  # (28, 28) in 0 to 1, the mean over the fonts
    outline: np.ndarray  # (784,), the picture blurred, of length 1


def blurred(images: np.ndarray, centre: bool) -> np.ndarray:
    """Each image blurred (SD 1.5 pixels), minus its mean if asked, and scaled to length 1: (n, 784)."""
    x = ndimage.gaussian_filter(images.astype(float), (0, 1.5, 1.5)).reshape(len(images), -1)
    x -= x.mean(1, keepdims=True) if centre else 0
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)


def crowding(images: np.ndarray) -> float:
    """The share of ink in the box around each of (n, 28, 28), on average; a bar, all ink, counts as 8 pixels wide."""
    height, width = (np.maximum(images.any(axis).sum(1), 8) for axis in (2, 1))
    return float(np.mean(images.sum((1, 2)) / (height * width)))


def draw(path: str, points: list[int]) -> dict[int, np.ndarray]:
    """The letters that a font has, as line drawings: {code point: (56, 56) in 0 to 1}.

    A picture that the font gives to two letters says nothing of either: some fonts fill their gaps with a box.
    """
    font = open_font(path)
    cut = {c: render(font, chr(c)) for c in points if not is_missing(font, chr(c))}
    times = collections.Counter((letter.shape, letter.tobytes()) for letter in cut.values())
    boards = {c: fit(letter) for c, letter in cut.items() if times[letter.shape, letter.tobytes()] == 1}
    return dict(zip(boards, ink(thin(np.array(list(boards.values())))), strict=True)) if boards else {}


def covering(fonts: list) -> dict[str, list[int]]:
    """The fonts (their indices) that have enough of the letters of each script; of many, TRIED at even distances."""
    wanted = {script: letters(script) for script in SCRIPTS}
    found = {script: [] for script in SCRIPTS}
    for k, (_, path) in enumerate(fonts):
        font = open_font(str(path))
        for script, points in wanted.items():
            if not any(is_missing(font, chr(c)) for c in points[:20:8]):
                if np.mean([is_missing(font, chr(c)) for c in points]) <= 1 - COVERAGE:
                    found[script].append(k)
    return {script: chosen[:: -(-len(chosen) // TRIED) or 1] for script, chosen in found.items()}


def consistent(drawings: dict[int, dict[int, np.ndarray]], points: list[int]) -> dict[int, list[int]]:
    """For each letter the fonts whose drawing is like that of the font nearest to all others: {code point: fonts}."""
    agreed = {}
    for c in points:
        fonts = [k for k in drawings if c in drawings[k]]
        if len(fonts) >= MIN_FONTS:
            x = blurred(shrink(np.array([drawings[k][c] for k in fonts])), centre=True)
            alike = x @ x.T
            middle = np.argmax(np.median(alike, axis=1))
            agreed[c] = [k for k, a in zip(fonts, alike[middle], strict=True) if a >= SAME_LETTER]
    return agreed


def different(drawings: dict[int, dict[int, np.ndarray]], agreed: dict[int, list[int]]) -> list[int]:
    """Up to MAX_FONTS fonts, each as unlike the ones before as can be; fonts that often disagree are left out."""
    usable = [k for k in drawings if np.mean([k in agreed[c] for c in drawings[k] if c in agreed] or [0]) >= 0.75]
    if len(usable) < MIN_FONTS:
        return []
    empty = np.zeros((56, 56))
    has = np.array([[float(c in drawings[k]) for c in agreed] for k in usable])
    x = np.array([blurred(shrink(np.array([drawings[k].get(c, empty) for c in agreed])), True) for k in usable])
    alike = np.einsum("icp,jcp->ij", x, x) / np.einsum("ic,jc->ij", has, has)
    order = [int(np.argmax(alike.sum(1)))]  # the most typical one first
    while len(order) < min(MAX_FONTS, len(usable)):
        nearest = alike[:, order].max(1)
        nearest[order] = np.inf
        best = int(np.argmin(nearest))
        if nearest[best] > SAME_FONT[len(order) >= FEW_FONTS]:
            break
        order.append(best)
    return [usable[k] for k in order]


def glyphs_of(script: str, fonts: list, chosen: list[int], taken: list[Glyph]) -> tuple[list[Glyph], list]:
    """Up to MAX_LETTERS letters of a script that look like none before, or none where fewer than MIN_LETTERS are left.

    taken: the glyphs of the scripts before. Also gives what was dropped: (code point, code point of its lookalike),
    or (code point, None) for too little ink, too much of it or too crowded a drawing.
    """
    drawings = {k: draw(str(fonts[k][1]), letters(script)) for k in chosen}
    agreed = consistent(drawings, letters(script))
    order = different(drawings, agreed) if agreed else []
    found, dropped = [], []
    for point in agreed:
        hands = [k for k in order if k in agreed[point]]
        if len(hands) < MIN_FONTS or len(found) == MAX_LETTERS:
            continue
        boards = np.array([drawings[k][point] for k in hands])
        drawn = shrink(boards)
        picture = drawn.mean(0)
        outline = blurred(picture[None], centre=False)[0]
        others = taken + found
        alike = [float(other.outline @ outline) for other in others]
        if not INK[0] <= drawn.mean() <= INK[1] or crowding(drawn) > CROWDED:
            dropped.append((point, None))
        elif alike and max(alike) > LOOKALIKE:
            dropped.append((point, others[int(np.argmax(alike))].point))
        else:
            found.append(Glyph(script, point, hands, boards, picture, outline))
    return (found if len(found) >= MIN_LETTERS else []), dropped


def choose(fonts: list) -> tuple[list[Glyph], list]:
    """All classes, script after script, and all that was dropped."""
    taken, dropped = [], []
    for script, chosen in covering(fonts).items():
        found, lost = glyphs_of(script, fonts, chosen, taken)
        taken += found
        dropped += lost
    return taken, dropped
