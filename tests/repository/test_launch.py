"""Buttons and Colab's chapters lead to the clone they are made in, and to no other."""

import json
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
from packaging.requirements import Requirement

from tests.support.checkout import ROOT
from tests.support.docs import launch

ORIGINS = [
    ("https://github.com/owner/name.git", "owner/name"),
    ("https://github.com/owner/name", "owner/name"),
    ("https://github.com/owner/name/", "owner/name"),
    ("https://token@github.com/owner/name", "owner/name"),
    ("git@github.com:owner/na.me.git", "owner/na.me"),
    ("ssh://git@github.com/owner/name.git", "owner/name"),
    ("https://gitlab.com/owner/name.git", ""),
    ("https://example.org/github.com/name", ""),
    ("https://github.com/owner/name/tree/main", ""),
    ("", ""),
]


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """An empty repository with the script in it; what a workflow would say of itself is not said."""
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "launch.py", tmp_path / "docs")
    (tmp_path / "README.md").write_text("above\n<!-- launch -->\nold\nbuttons\n<!-- /launch -->\nbelow\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def run(clone, *arguments):
    return subprocess.run([sys.executable, "docs/launch.py", *arguments], cwd=clone, capture_output=True, text=True)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize(("origin", "repository"), ORIGINS)
def test_buttons_name_this_clone(clone, origin, repository):
    if origin:
        subprocess.run(["git", "remote", "add", "origin", origin], cwd=clone, check=True)
    before = (clone / "README.md").read_text()
    done = run(clone, "badges")
    above, mark, *line, end, below = (clone / "README.md").read_text().splitlines()
    if not repository:
        assert done.returncode == 1 and "GitHub" in done.stdout
        assert (clone / "README.md").read_text() == before
        return
    assert (above, mark, end, below) == ("above", "<!-- launch -->", "<!-- /launch -->", "below")
    (line,) = line
    assert f"mybinder.org/v2/gh/{repository}/HEAD?urlpath=lab/tree/notebooks/00_start_here.ipynb)" in line
    assert f"colab.research.google.com/github/{repository}/blob/colab/notebooks/00_start_here.ipynb)" in line
    assert f"codespaces.new/{repository})" in line
    assert re.findall(r"!\[([^]]+)\]", line) == ["Open in Binder", "Open in Colab", "Open in Codespaces"]
    again = (clone / "README.md").read_text()
    assert run(clone, "badges").returncode == 0 and (clone / "README.md").read_text() == again


def test_a_workflow_says_which_repository_it_runs_in(monkeypatch):
    monkeypatch.setenv("GITHUB_REPOSITORY", "someone/else")
    assert launch.repository() == "someone/else"


@pytest.mark.parametrize("readme", ["no marks", "<!-- launch -->\n", "<!-- launch -->\n<!-- /launch -->\n" * 2])
def test_a_readme_without_its_marks_is_left_alone(readme):
    with pytest.raises(ValueError, match="<!-- launch -->"):
        launch.with_badges(readme, "buttons")


@pytest.fixture(scope="module")
def for_colab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("colab")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_REPOSITORY", "owner/name")
        assert launch.main("colab", str(folder)) == 0
    return folder


def test_every_chapter_and_solution_first_installs_the_package_and_nothing_else_is_changed(for_colab):
    paths = sorted(p.relative_to(ROOT) for p in (ROOT / "notebooks").rglob("[0-9]*.ipynb") if "." not in p.parent.name)
    assert sorted(p.relative_to(for_colab) for p in for_colab.rglob("*.ipynb")) == paths
    for path in paths:
        first, *cells = json.loads((for_colab / path).read_text(encoding="utf-8"))["cells"]
        ours = json.loads((ROOT / path).read_text(encoding="utf-8"))["cells"]
        wish = re.fullmatch(r'%pip install -q "(.+)"', first["source"][-1])[1]
        assert Requirement(wish).url == "git+https://github.com/owner/name"
        assert not Requirement(wish).extras  # Colab has TensorFlow
        assert [c["source"] for c in cells if c["cell_type"] == "code"] == [
            c["source"] for c in ours if c["cell_type"] == "code"
        ]
        assert [c.get("outputs") for c in cells] == [c.get("outputs") for c in ours]


def test_links_of_colabs_chapters_lead_out_of_it(for_colab):
    for path in for_colab.rglob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                for link in re.findall(r"\]\(([^)\s]+)\)", "".join(cell["source"])):
                    assert link.startswith(("https://", "http://", "#")), link
                    if to := re.match(r"https://(?:colab[^/]+/github|github\.com)/owner/name/blob/\w+/([^#]+)", link):
                        assert (ROOT / pathlib.PurePosixPath(to[1])).exists(), link
