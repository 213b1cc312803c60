"""The table of CHANGELOG.md leads to names that are there."""

import importlib
import re

import pytest

from tests.support.checkout import ROOT

TABLE = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split("| old module | new | names |", 1)[1]
ROWS = [[cell.strip() for cell in row.strip("| ").split("|")] for row in TABLE.splitlines() if row.startswith("| `")]


def new_names(cell: str) -> list[str]:
    """The names as they are now: `a` -> `b` was renamed, and so were those before it without a comma's own."""
    return [part.split("→")[-1].strip(" `") for part in cell.split(",") if "→" in part] if "→" in cell else []


@pytest.mark.parametrize(("old", "new", "names"), ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
def test_every_new_import_is_there(old, new, names):
    if new == "gone":
        return
    module = importlib.import_module(new.strip("`"))
    renamed = new_names(names)
    kept = [part.strip(" `") for part in names.split(",") if "→" not in part]
    if renamed and len(kept) and not hasattr(module, kept[0]):
        kept = []  # several old names became one
    assert all(hasattr(module, name) for name in [*kept, *renamed]), (new, names)
    assert not re.fullmatch(r"`gaml_utils`", old)


def test_there_are_rows_for_the_old_modules():
    assert len({row[0] for row in ROWS}) >= 38
