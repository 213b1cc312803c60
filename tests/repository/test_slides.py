"""Slides are built out of the chapters: nothing that an audience should see is lost, and nothing is too long."""

import re

import nbformat
import pytest

from tests.support.checkout import ROOT
from tests.support.docs import assets, build_slides
from tests.support.pages import Page

CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slides")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assets, "beside", lambda name, folder: name)
        assert build_slides.main(folder) == 0
    return folder


def slides_of(path):
    return [slide for section in build_slides.sections(nbformat.read(path, as_version=4)) for slide in section]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_every_chapter_has_a_deck_with_all_figures_headings_and_formulas(path, decks):
    notebook = nbformat.read(path, as_version=4)
    text = (decks / f"{path.stem}.html").read_text(encoding="utf-8")
    page = Page(text)
    title = notebook.cells[0].source.splitlines()[0].removeprefix("# ")
    assert page.title == f"{title}: slides"
    stored = [o.data["text/plain"] for c in notebook.cells for o in c.get("outputs", []) if "data" in o]
    assert [alt for source, alt in page.images if source.startswith("data:")] == stored
    prose = [c.source for c in notebook.cells if c.cell_type == "markdown"]
    for heading in re.findall(r"^## (.+)$", "\n".join(prose), re.MULTILINE):
        shown = re.sub(r"[*`]|<[^>]+>", "", heading)
        found = shown in re.sub(r"<[^>]+>|&#39;", lambda m: "'" if m[0] == "&#39;" else "", text).replace("&quot;", '"')
        assert found or heading in (*build_slides.LEFT_OUT, "What you'll do"), heading
    assert text.count("$$") >= 2 * sum(source.count("$$") // 2 for source in prose if "$$" in source) * 0.99


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_no_slide_has_more_than_ten_lines_of_code(path):
    shown = 0
    for slide in slides_of(path):
        pieces = re.findall(r'<div class="[^"]*highl[^"]*">.*?</div>', slide.body, re.DOTALL)
        lines = [line for piece in pieces for line in re.sub(r"<[^>]+>", "", piece).strip("\n").splitlines()]
        assert len(lines) <= 10
        shown += len(lines)
    assert shown > 10


def test_all_lines_of_a_long_cell_are_shown_in_order_and_it_is_divided_between_statements():
    source = "\n".join(["x = 1"] * 7 + ["def f():", "    a = 1", "", "    b = 2", "    return a + b"] + ["y = 2"] * 9)
    pieces = build_slides.pieces(source)
    assert [len(p.splitlines()) for p in pieces] == [7, 10, 4]
    assert "\n".join(pieces).split() == source.split()


def test_one_statement_longer_than_a_slide_is_divided_all_the_same():
    pieces = build_slides.pieces("f(\n" + "    1,\n" * 20 + ")")
    assert all(len(p.splitlines()) <= 10 for p in pieces) and sum(len(p.splitlines()) for p in pieces) == 22


@pytest.mark.parametrize(
    ("paragraph", "first"),
    [
        ("One. Two.", "One."),
        ("Why so? Because.", "Why so?"),
        ("By 0.5 it falls. Then not.", "By 0.5 it falls."),
        ("With $x. Y$ it holds. Next.", "With $x. Y$ it holds."),
        ("See [it. Here](a.md) first. Then.", "See [it. Here](a.md) first."),
        ("As (Finn et al. 2017) say. Next.", "As (Finn et al. 2017) say."),
        ("One sentence alone", "One sentence alone"),
    ],
)
def test_the_first_sentence(paragraph, first):
    assert build_slides.first_sentence(paragraph) == first


def test_what_is_not_on_the_slide_stands_in_the_notes():
    (block,) = build_slides.of_markdown("A short one. And a long one that goes on.")
    assert "goes on" not in block.body and "goes on" in block.notes


def test_exercises_checks_and_set_up_are_left_out():
    for path in CHAPTERS:
        text = re.sub(r"<[^>]+>", "", "".join(slide.body for slide in slides_of(path)))
        assert "reproducible()" not in text.replace("reproducible(), ", "") or path.name.startswith("00")
        assert "_ = check(" not in text
