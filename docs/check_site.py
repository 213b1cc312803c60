"""What only a browser knows of the built site: python docs/check_site.py SITE [--png FOLDER]

Every page at three widths, without a network: nothing is wider than the window, formulas are set, pictures are there,
no script fails. Three of the pages by axe-core, light and dark: no serious fault. Needs Chromium or Chrome, and the
extra "browser"; fails where they are missing.
"""

import argparse
import os
import pathlib
import shutil
import sys
from typing import Any

import assets

WIDTHS = (1280, 700, 390)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
JUDGED = ("index.html", "notebooks/04_when_gradients_disagree.html", "map_of_the_book.html")
FLAGS = ["--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"]

# formulas that are not set, pictures that are not there, and what sticks out, each as a list of texts
LOOK = """() => {
  const out = [...document.querySelectorAll("img")].filter(i => !i.complete || !i.naturalWidth || !i.alt.trim());
  const sums = [...document.querySelectorAll(".math")].filter(m => !m.querySelector("mjx-container"));
  return {pictures: out.map(i => i.src.slice(0, 80)), formulas: sums.map(m => m.textContent.slice(0, 80))};
}"""
WIDER = """() => {
  const wide = document.scrollingElement.scrollWidth - window.innerWidth;
  if (wide <= 1) return [];
  const inside = e => { for (let p = e.parentElement; p; p = p.parentElement)
    if (getComputedStyle(p).overflowX !== "visible") return true; return false; };
  const over = [...document.querySelectorAll("main *")].filter(
    e => e.getBoundingClientRect().right > window.innerWidth + 1 && !inside(e));
  return [`${wide} pixels: ` + over.slice(0, 3).map(e => e.outerHTML.slice(0, 80)).join(" | ")];
}"""
SERIOUS = """async () => (await axe.run()).violations
  .filter(v => ["serious", "critical"].includes(v.impact))
  .map(v => `${v.id}: ${v.nodes.length} times, such as ${v.nodes[0].html.slice(0, 120)}`)"""


def browser_path() -> str:
    """A Chromium or Chrome of this machine; the variable CHROMIUM names another."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        sys.exit("No Chromium or Chrome was found: install one, or name it in the variable CHROMIUM.")
    return found


def faults(page: Any, path: pathlib.Path) -> list[str]:
    """What is wrong with one page at any width."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(f"script: {error}"))
    page.on("requestfailed", lambda request: said.append(f"not loaded: {request.url[:100]}"))
    page.goto(path.as_uri())
    page.evaluate("() => window.MathJax?.startup?.promise")
    looked = page.evaluate(LOOK)
    said += [f"formula not set: {text}" for text in looked["formulas"]]
    said += [f"picture: {source}" for source in looked["pictures"]]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        said += [f"wider than {width} by {text}" for text in page.evaluate(WIDER)]
    return said


def main() -> int:
    """The command line. Returns 1 if there is a fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", type=pathlib.Path)
    parser.add_argument("--png", type=pathlib.Path, help="a folder for pictures of the three pages")
    arguments = parser.parse_args()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sys.exit('Playwright is missing: .venv/bin/python -m pip install -e ".[browser]" -c constraints.txt')
    pages = [p for p in sorted(arguments.site.resolve().rglob("*.html")) if "_static" not in p.parts]
    if not pages:
        sys.exit(f"{arguments.site} has no pages: make site builds them.")
    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        context = browser.new_context(offline=True)
        for path in pages:
            page = context.new_page()
            found += [f"{path.relative_to(arguments.site.resolve())}: {text}" for text in faults(page, path)]
            page.close()
        for scheme in ("light", "dark"):
            context = browser.new_context(offline=True, color_scheme=scheme)
            for name in JUDGED:
                page = context.new_page()
                page.goto((arguments.site.resolve() / name).as_uri())
                page.evaluate("() => window.MathJax?.startup?.promise")
                page.add_script_tag(path=assets.cached("axe.js"))
                found += [f"{name}, {scheme}: {text}" for text in page.evaluate(SERIOUS)]
                for width in WIDTHS if arguments.png else ():
                    page.set_viewport_size({"width": width, "height": 900})
                    stem = f"{pathlib.PurePath(name).stem}-{scheme}-{width}.png"
                    page.screenshot(path=arguments.png / stem, full_page=width < 1000)
                page.close()
        browser.close()
    print(*found, f"{len(pages)} pages at {len(WIDTHS)} widths: {len(found)} faults", sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
