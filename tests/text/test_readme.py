"""README's examples run as they stand, and the folders it names are there."""

import re

import pytest

from tests.support.checkout import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("code", EXAMPLES, ids=range(len(EXAMPLES)))
def test_examples_run(code):
    """Shortened: a thousand steps become three."""
    short, changed = re.subn(r"(iterations|steps_per_epoch)=\d+", r"\1=3", code)
    assert changed == 1
    exec(short, {})


def test_folders_of_the_package_are_those_it_names():
    table = README.split("| folder | holds |", 1)[1].split("\n\n", 1)[0]
    named = set(
        re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in table.splitlines() if row.startswith("| `")))
    )
    assert named == {p.parent.name for p in (ROOT / "gaml_utils").glob("*/__init__.py")}
