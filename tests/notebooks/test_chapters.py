"""Every chapter keeps the same frame, and its stored page is whole: executed, in order, readable by everyone."""

import ast
import importlib
import json
import pathlib
import re
import statistics

import nbformat
import pytest
from nbconvert import HTMLExporter

from tests.notebooks import run_notebooks
from tests.support.checkout import ROOT
from tests.support.pages import images

CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SOLUTIONS = sorted((ROOT / "notebooks" / "solutions").glob("*.ipynb"))
ALL = [*CHAPTERS, *SOLUTIONS]
SECTIONS = [
    "What you'll do",
    "What you'll learn",
    "What you'll need",
    "Summary",
    "Exercises",
    "In practice",
    "References",
]
MEASURED = json.loads((ROOT / "data" / "results" / "chapters.json").read_text(encoding="utf-8"))
chapters = pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
notebooks = pytest.mark.parametrize("path", ALL, ids=lambda p: f"{p.parent.name}/{p.stem}")


def read(path: pathlib.Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def cells(path: pathlib.Path, kind: str) -> list:
    return [cell for cell in read(path).cells if cell.cell_type == kind]


def prose(path: pathlib.Path) -> str:
    return "\n\n".join(cell.source for cell in cells(path, "markdown"))


def code(cell: nbformat.NotebookNode) -> list[str]:
    """The lines of code: no blank ones, and not the alt texts, which are prose."""
    return [line for line in re.sub(r'alt=("[^)]*)\)', "alt)", cell.source).splitlines() if line.strip()]


def printed(path: pathlib.Path) -> str:
    """All stored text: streams and text/plain."""
    outputs = [o for cell in cells(path, "code") for o in cell.outputs]
    return "\n".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in outputs)


def test_chapters_are_numbered_without_a_gap_and_each_has_solutions():
    assert [int(p.name[:2]) for p in CHAPTERS] == list(range(len(CHAPTERS)))
    assert [p.name for p in CHAPTERS] == [p.name for p in SOLUTIONS]


@chapters
def test_frame(path):
    text = prose(path)
    assert re.match(rf"# {path.name[:2]}\. [A-Z][a-z]+", text)
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert [h for h in headings if h in SECTIONS] == SECTIONS
    goals = text.split("## What you'll learn")[1].split("## What you'll need")[0].strip().splitlines()
    assert 3 <= len(goals) <= 5 and all(goal.startswith("- ") for goal in goals)
    assert re.search(r"about \d+ minutes, and \d+ MB of memory", text)
    assert re.search(r"arxiv\.org/abs/\d{4}\.\d{5}|doi\.org/10\.", text.split("## References")[1])


@chapters
def test_cell_limits(path):
    low, high = (10, 25) if path.name.startswith("00") else (30, 60)
    assert low <= len(read(path).cells) <= high
    sources = [code(cell) for cell in cells(path, "code")]
    assert statistics.median(len(lines) for lines in sources) <= 6
    assert len(prose(path)) > sum(len("\n".join(lines)) for lines in sources), "prose is a little longer than code"


@notebooks
def test_no_long_cells_and_the_right_heading(path):
    assert all(len(cell.source.splitlines()) <= 25 for cell in cells(path, "code"))
    title = cells(path, "markdown")[0].source.splitlines()[0]
    assert re.match(rf"# {path.name[:2]}\. ", title)


@notebooks
def test_printed_lines_fit_the_page(path):
    """As code does, whose lines ruff measures (notebooks/.ruff.toml)."""
    texts = [o.text for cell in cells(path, "code") for o in cell.outputs if "text" in o]
    assert [line for text in texts for line in text.splitlines() if len(line) > 100] == []


@notebooks
def test_stored_executed_in_order(path):
    counts = [cell.execution_count for cell in cells(path, "code")]
    assert counts == list(range(1, len(counts) + 1)), "make store runs a notebook from top to bottom"


@notebooks
def test_no_stored_error_warning_or_widget(path):
    for cell in cells(path, "code"):
        for output in cell.outputs:
            assert output.output_type in ("stream", "display_data"), "a bare value at the end of a cell"
            assert output.get("name") != "stderr"
            assert set(output.get("data", {})) <= {"text/html", "text/plain"}
    assert "widgets" not in read(path).metadata


@notebooks
def test_no_path_time_address_or_bare_scalar_in_an_output(path):
    text = re.sub(r"<Figure size \d+x\d+ with \d+ Axes>", "", printed(path))
    for pattern in (
        r"0x[0-9a-f]{6}",
        r"/(home|root|tmp|usr|work|Users)/",
        r"[A-Z]:\\",
        r"\d\d:\d\d:\d\d",
        r"it/s|s/it",
        r"\d m?s\b",
        r"np\.float",
        r"Traceback",
        r"<[\w. ]+ at ",
    ):
        assert not re.search(pattern, text), pattern


@notebooks
def test_every_figure_says_in_words_what_it_shows(path):
    """In what a reader's browser gets, not in what is stored."""
    stored = [o.data["text/plain"] for cell in cells(path, "code") for o in cell.outputs if "data" in o]
    page, _ = HTMLExporter().from_notebook_node(read(path))
    assert [alt for source, alt in images(page) if source.startswith("data:")] == stored
    assert all(len(alt) > 40 for alt in stored)
    assert "No description has been provided" not in page


@notebooks
def test_only_known_tags(path):
    tags = [tag for cell in read(path).cells for tag in cell.metadata.get("tags", [])]
    assert set(tags) <= {"nbval-ignore-output"}


@notebooks
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#\s]+)\)", prose(path)):
        if not target.startswith(("https://", "http://")):
            assert (path.parent / target).exists(), target


@chapters
def test_previous_contents_next(path):
    last, place = read(path).cells[-1].source.splitlines()[-1], CHAPTERS.index(path)
    assert "[contents](" in last
    assert ("← previous" in last) == (place > 0)
    assert ("next" in last) == (place < len(CHAPTERS) - 1)
    for other, near in ((place - 1, "previous"), (place + 1, "next")):
        if 0 <= other < len(CHAPTERS):
            title = cells(CHAPTERS[other], "markdown")[0].source.splitlines()[0].removeprefix("# ")
            assert re.search(rf"\[[^]]*{near}: {re.escape(title)}[^]]*\]\({CHAPTERS[other].name}\)", last)


@chapters
def test_three_or_more_exercises_not_yet_answered(path):
    questions = re.findall(rf"^\*\*({int(path.name[:2])}\.\d)\*\*", prose(path), re.MULTILINE)
    asked = re.findall(r'check\("(\d+\.\d)"', "\n".join(cell.source for cell in cells(path, "code")))
    assert len(asked) >= 3 and asked == questions
    assert printed(path).count("not attempted yet") == len(asked)


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda p: p.stem)
def test_solutions_answer_every_exercise_of_their_chapter(path):
    chapter = CHAPTERS[SOLUTIONS.index(path)]
    asked = re.findall(r'check\("(\d+\.\d)"', "\n".join(cell.source for cell in cells(chapter, "code")))
    assert re.findall(r"^(\d+\.\d): right\.$", printed(path), re.MULTILINE) == asked


@notebooks
def test_plain_words(path):
    for word in ("simply", "obviously", "of course", "trivial"):
        assert not re.search(rf"\b{word}\b", prose(path), re.IGNORECASE), word
    assert "—" not in prose(path)


def test_the_readme_table_is_what_was_measured():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme == run_notebooks.with_table(readme, MEASURED)


def test_the_readme_opens_with_the_picture_of_chapter_00():
    drawn, told = run_notebooks.picture(read(CHAPTERS[0]))
    assert (ROOT / "docs" / "agreement.png").read_bytes() == drawn
    opening = (ROOT / "README.md").read_text(encoding="utf-8").split("\n\n")[1]
    assert opening == f"![{told}](docs/agreement.png)"


def test_time_and_memory_were_measured_for_every_notebook_and_are_within_bounds():
    assert list(MEASURED) == sorted(MEASURED)
    assert set(MEASURED) == {p.relative_to(ROOT / "notebooks").as_posix() for p in ALL}
    for name, run in MEASURED.items():
        number = name.removeprefix("solutions/")[:2]
        assert run["seconds"] <= (20 if name.startswith("solutions/") else 75 if number >= "06" else 60), name
        most = {"17": 1500}.get(number, 1200 if number >= "08" else 1000 if number >= "06" else 400)
        assert run["megabytes"] <= most, name  # 17 has its workers with it
    assert sum(run["seconds"] for run in MEASURED.values()) <= 600


@chapters
def test_the_memory_a_chapter_asks_for_is_enough(path):
    asked = int(re.search(r"(\d+) MB of memory", prose(path))[1])
    assert MEASURED[path.name]["megabytes"] <= asked


def code_of(path):
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


@notebooks
def test_the_first_line_settles_what_numbers_depend_on(path):
    """Explained once, in chapter 00."""
    assert code_of(path)[0].startswith("from gaml_utils import reproducible\n\nreproducible()\n")


@notebooks
def test_what_is_imported_stands_in_a_face(path):
    """A folder's __init__, or a file of the ground: where a name lies within a folder is the folder's own business."""
    cells = ["" if source.startswith("%") else source for source in code_of(path)]
    tree = ast.parse("\n".join(line for source in cells for line in source.splitlines() if not line.startswith("%")))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("gaml_utils."):
            place = ROOT / node.module.replace(".", "/")
            ground = place.parent.name == "gaml_utils" and place.with_suffix(".py").is_file()
            assert ground or (place / "__init__.py").is_file(), f"from {node.module} import ..."
            if not ground:
                offered = set(importlib.import_module(node.module).__all__)
                folders = {p.name for p in place.iterdir() if p.is_dir()}
                assert {alias.name for alias in node.names} <= offered | folders, node.module
