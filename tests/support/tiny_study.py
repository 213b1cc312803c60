"""The study's config, made tiny."""

from gaml_utils.experiments.study import grid
from gaml_utils.experiments.study.grid import STUDY

TINY = STUDY | {
    "seeds": [0, 1, 2],
    "tuning_seeds": [0],
    "control_seeds": [100],
    "glyph_seeds": [0, 1],
    "validation_tasks": {"sines": 6, "glyphs": 6},
    "test_tasks": {"sines": 20, "glyphs": 20},
    "learners": {
        "sines": {name: s | {"iterations": 6} for name, s in grid.SINE_LEARNERS.items()},
        "glyphs": grid.GLYPH_LEARNERS,
    },
    "glyphs": grid.GLYPHS | {"filters": 4, "iterations": 4},
}
