"""Tests that need the real archives say so."""

import pytest

from gaml_utils.datasets import omniglot_archives as archives

needs_omniglot = pytest.mark.skipif(
    not all(archives.archive_here(name) for name in archives.ARCHIVES),
    reason="Omniglot is not here: GAML_DATA should name a folder with its three archives",
)
