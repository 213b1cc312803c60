"""Makes data/glyphs/glyphs.npz and glyphs.json: letters of many scripts, 20 images each by different hands.

Run on Debian, with the packages that README.md here lists: python data/glyphs/make.py [folder]
"""

import hashlib
import json
import pathlib
import platform
import sys

import numpy as np
import PIL
import scipy
from classes import choose
from PIL import features
from shapes import Wobble, distort, shrink
from sources import font_files, letters, package_versions

SEED, IMAGES, STRENGTH = 20, 20, 1.5  # STRENGTH: of the wobble, set by README's table


def images_of(script: str, point: int, boards: np.ndarray) -> np.ndarray:
    """IMAGES distorted drawings of one letter, fonts in turn: (IMAGES, 28, 28). Half of the variance is the hand's."""
    half = STRENGTH * np.sqrt(0.5)
    drawn = []
    for i in range(IMAGES):
        hand = Wobble(np.random.default_rng([SEED, letters(script)[0], i]), half)
        own = Wobble(np.random.default_rng([SEED, letters(script)[0], i, point]), half)
        drawn.append(distort(boards[i % len(boards)], [hand, own]))
    return shrink(np.array(drawn))


def split_of(scripts: list[str]) -> np.ndarray:
    """60% of the scripts train, 15% validate and 25% test, drawn at random."""
    rank = np.random.default_rng(SEED).permutation(len(scripts)) / len(scripts)
    return np.where(rank < 0.6, "train", np.where(rank < 0.75, "validation", "test"))


def build() -> tuple[dict[str, np.ndarray], list[tuple[str, pathlib.Path]], list]:
    """The arrays of the file, the (package, path) of each font used, and the letters dropped."""
    fonts = font_files()
    glyphs, dropped = choose(fonts)
    scripts = list(dict.fromkeys(g.script for g in glyphs))
    used = sorted({k for g in glyphs for k in g.fonts})
    images = np.array([images_of(g.script, g.point, g.drawings) for g in glyphs])
    arrays = {
        "images": np.packbits(images.reshape(len(glyphs) * IMAGES, -1), axis=1),
        "hands": np.array([used.index(g.fonts[i % len(g.fonts)]) for g in glyphs for i in range(IMAGES)], np.int16),
        "class_codepoint": np.array([g.point for g in glyphs], np.int32),
        "class_script": np.array([scripts.index(g.script) for g in glyphs], np.int16),
        "class_picture": np.array([np.round(255 * g.picture) for g in glyphs]).astype(np.uint8),
        "scripts": np.array(scripts),
        "split": split_of(scripts),
        "fonts": np.array([fonts[k][1].stem for k in used]),
    }
    return arrays, [fonts[k] for k in used], dropped


def provenance(arrays: dict[str, np.ndarray], used: list[tuple[str, pathlib.Path]]) -> dict:
    """What it takes to make the same arrays again, and their SHA-256 (of the bytes of each, in C order)."""
    versions = package_versions()
    sources = {}
    for script in range(len(arrays["scripts"])):
        rows = np.repeat(arrays["class_script"], IMAGES) == script
        sources[str(arrays["scripts"][script])] = sorted({used[k][0] for k in np.unique(arrays["hands"][rows])})
    return {
        "command": "python data/glyphs/make.py",
        "seed": SEED,
        "sha256": {name: hashlib.sha256(a.tobytes()).hexdigest() for name, a in arrays.items()},
        "libraries": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "pillow": PIL.__version__,
            "freetype": features.version("freetype2"),
        },
        "packages": versions,
        "packages_of_scripts": sources,
    }


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent
    arrays, used, dropped = build()
    np.savez_compressed(folder / "glyphs.npz", **arrays)
    (folder / "glyphs.json").write_text(json.dumps(provenance(arrays, used), indent=1) + "\n", encoding="utf-8")
    print(f"{len(arrays['class_script'])} characters of {len(arrays['scripts'])} scripts, {len(used)} fonts")
    print(f"dropped {sum(b is not None for _, b in dropped)} lookalikes, {sum(b is None for _, b in dropped)} by ink")
