"""The site is built, and read with a parser: every page is there, and nothing on it leads nowhere or says nothing."""

import os
import pathlib
import subprocess
import sys
from urllib.parse import unquote, urlsplit

import nbformat
import pytest

from tests.support.checkout import ROOT
from tests.support.docs import assets, check_site
from tests.support.pages import Page

NOTEBOOKS = [
    p.relative_to(ROOT) for p in sorted((ROOT / "notebooks").rglob("[0-9]*.ipynb")) if "." not in p.parent.name
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    env = os.environ | {"GITHUB_REPOSITORY": "owner/name"}
    command = [sys.executable, ROOT / "docs" / "build_site.py", folder]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "site"


def broken(site: pathlib.Path, pages: dict[pathlib.Path, Page]) -> list[str]:
    """Links within the site that lead nowhere."""
    found = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            to = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not to.is_file() or (parts.fragment and to in pages and unquote(parts.fragment) not in pages[to].ids):
                found.append(f"{path.relative_to(site)}: {link}")
    return found


def test_the_site_is_whole(site):
    """One test, for the site is built once."""
    paths = [path for path in sorted(site.resolve().rglob("*.html")) if "_static" not in path.parts]
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in paths}
    named = {str(path.relative_to(site.resolve())): page for path, page in pages.items()}
    for notebook in NOTEBOOKS:
        read = nbformat.read(ROOT / notebook, as_version=4)
        title = read.cells[0].source.splitlines()[0].removeprefix("# ")
        page = named[str(notebook.with_suffix(".html").as_posix())]
        assert page.title.startswith(title)
        ways = {f"https://colab.research.google.com/github/owner/name/blob/colab/{notebook.as_posix()}"}
        ways |= {f"https://mybinder.org/v2/gh/owner/name/HEAD?urlpath=lab/tree/{notebook.as_posix()}"}
        assert ways <= set(page.links)
        texts = [o.data["text/plain"] for c in read.cells for o in c.get("outputs", []) if "data" in o]
        assert [alt for source, alt in page.images if source.startswith("data:")] == texts
    for name in ("index", "README", "CONTRIBUTING", "api", "map_of_the_book", "solutions", "search"):
        assert f"{name}.html" in named
    assert {"gaml_utils.learners.MAML", "gaml_utils.weighting.power_weights"} <= named["api.html"].ids
    assert "| the book's |" not in (site / "map_of_the_book.html").read_text(encoding="utf-8")  # a table, not bars
    assert "relation network" in (site / "map_of_the_book.html").read_text(encoding="utf-8")
    assert [(n, source) for n, page in named.items() for source, alt in page.images if not alt.strip()] == []
    assert len({page.title for page in pages.values()}) == len(pages)
    assert broken(site.resolve(), pages) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path):
    (tmp_path / "a.html").write_text('<h1 id="here"></h1><a href="b.html#there">b</a> <a href="#here">top</a>')
    (tmp_path / "b.html").write_text('<a href="c.html">c</a> <a href="a.html#gone">a</a> <a href="https://x.org">x</a>')
    pages = {path: Page(path.read_text()) for path in tmp_path.glob("*.html")}
    assert sorted(broken(tmp_path, pages)) == ["a.html: b.html#there", "b.html: a.html#gone", "b.html: c.html"]


def test_without_a_network_the_formulas_address_is_kept_and_said(tmp_path, monkeypatch, capsys):
    def refused(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr(assets.pooch, "retrieve", refused)
    assert assets.beside("mathjax.js", tmp_path / "_static") == assets.address("mathjax.js")
    assert "these pages will need a network" in capsys.readouterr().out
    assert (tmp_path / "_static").is_dir()  # Sphinx's settings name it


def test_the_browsers_check_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(check_site.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="No Chromium or Chrome was found"):
        check_site.browser_path()
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    monkeypatch.setattr(sys, "argv", ["check_site.py", str(tmp_path)])
    with pytest.raises(SystemExit, match="Playwright is missing"):
        check_site.main()


def test_the_browsers_check_asks_for_a_site(monkeypatch, tmp_path):
    pytest.importorskip("playwright.sync_api", reason="the extra browser is not installed")
    monkeypatch.setattr(sys, "argv", ["check_site.py", str(tmp_path)])
    with pytest.raises(SystemExit, match="has no pages"):
        check_site.main()
