"""What the tasks are made of: the embedded characters, Omniglot, and the golden batch."""

from gaml_utils.datasets.glyphs import load_glyphs
from gaml_utils.datasets.golden_batch import load_golden_batch
from gaml_utils.datasets.image_folder import LabelledImages, load_image_folder
from gaml_utils.datasets.images import ImageSet
from gaml_utils.datasets.omniglot import load_omniglot, omniglot_is_here, omniglot_one_shot_runs

__all__ = [
    "ImageSet",
    "LabelledImages",
    "load_glyphs",
    "load_golden_batch",
    "load_image_folder",
    "load_omniglot",
    "omniglot_is_here",
    "omniglot_one_shot_runs",
]
