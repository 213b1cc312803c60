"""The scripts of docs/, as modules."""

import sys

from tests.support.checkout import ROOT

sys.path.insert(0, str(ROOT / "docs"))

import assets
import build_site
import build_slides
import check_site
import launch

__all__ = ["assets", "build_site", "build_slides", "check_site", "launch"]
