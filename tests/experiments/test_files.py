"""Results are written whole or not at all."""

import json
import math

import numpy as np
import pytest

from gaml_utils.experiments import runner as ex

# ---------------------------------------------------------------- written whole or not at all


def test_written_file_is_json_and_nothing_is_left_beside_it(tmp_path):
    content = {"runs": [{"part": "other seeds", "curve": [1.5, None, -3e-07], "none": []}], "sizes": [[1, 4], [2]]}
    ex.write_json(tmp_path / "a.json", content)
    assert json.loads((tmp_path / "a.json").read_text()) == content
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_write_that_fails_half_way_leaves_the_old_file(tmp_path, full_disk):
    (tmp_path / "a.json").write_text("old")
    with full_disk(), pytest.raises(OSError, match="no space left"):
        ex.write_json(tmp_path / "a.json", {"new": 1})
    assert (tmp_path / "a.json").read_text() == "old"


@pytest.mark.parametrize("content", [{"array": np.zeros(2)}, {"object": object()}, {"number": math.nan}])
def test_content_that_is_no_json_leaves_the_old_file(tmp_path, content):
    (tmp_path / "a.json").write_text("old")
    with pytest.raises((TypeError, ValueError)):
        ex.write_json(tmp_path / "a.json", {"fine": 1} | content)
    assert (tmp_path / "a.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_move_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    def refuse(source, target):
        raise PermissionError("in use")

    (tmp_path / "a.json").write_text("old")
    monkeypatch.setattr(ex.os, "replace", refuse)
    with pytest.raises(PermissionError):
        ex.write_json(tmp_path / "a.json", {"new": 1})
    assert (tmp_path / "a.json").read_text() == "old"
