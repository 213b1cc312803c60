"""Each chapter as reveal.js slides, out of what is stored: python docs/build_slides.py [FOLDER]. Nothing is executed.

A slide holds what an audience looks at: headings, formulas, tables, figures, at most ten lines of code with what they
print, and of each paragraph its first sentence. The paragraph stands in the speaker's notes (key S). Long cells go on
over several slides. Set-up cells, the checks of exercises and the list of references are left out.
"""

import ast
import pathlib
import re
import sys
from typing import NamedTuple

import assets
import jinja2
import nbformat
from nbconvert.filters import Highlight2HTML, markdown2html
from pygments.formatters import HtmlFormatter

ROOT = pathlib.Path(__file__).resolve().parents[1]
LINES = 10  # of code, at most
ROWS, ITEMS = 8, 6  # of a table and of a list, at most
ROOM = 600  # pixels of a slide, below its heading
SCRIPTS = ("reveal.js", "reveal.css", "notes.js", "mathjax.js")
LEFT_OUT = ("References", "What you'll need")


class Block(NamedTuple):
    """A piece that is not divided: its HTML, the height it needs in pixels, and what belongs into the notes."""

    body: str
    height: float
    notes: str = ""
    code: int = 0  # lines


def first_sentence(paragraph: str) -> str:
    """Up to its first full stop, question or exclamation mark outside of formulas, code and brackets."""
    hidden = re.sub(r"\$[^$]*\$|`[^`]*`|\([^()]*\)|\[[^\]]*\]", lambda m: "x" * len(m[0]), paragraph)
    end = re.search(r"(?<=[a-z\d*x\"”’][.?!:])\*{0,2}(?=\s+[\"“*_$`A-Z\d]|$)", hidden)
    return paragraph[: end.end()] if end else paragraph


def of_markdown(text: str) -> list[Block]:
    """Paragraphs, lists, tables and formulas, a block each."""
    blocks = []
    for piece in divided(text):
        shown, notes = piece, ""
        if piece.startswith("|"):
            height = 42.0 * (piece.count("\n") + 1)
        elif "$$" in piece:
            height = 110.0 + 45 * piece.count(r"\\")
        elif re.match(r"\s*([-*]|\d+\.)\s", piece):
            height = sum(52 + 43 * (len(line) // 75) for line in piece.splitlines())
        else:
            if not piece.startswith((">", "**", "<")):
                shown = first_sentence(piece)
                notes = piece if shown != piece else ""
            height = 63.0 + 43 * (len(re.sub(r"\]\([^)]*\)", "", shown)) // 78)
        blocks.append(Block(markdown2html(shown), height, markdown2html(notes) if notes else ""))
    return blocks


def divided(text: str) -> list[str]:
    """The paragraphs of a text; a long list or table in parts that fit, a table's head on each."""
    found = []
    for piece in re.split(r"\n\s*\n", text.strip()):
        lines = piece.splitlines()
        if piece.startswith("|") and len(lines) > 2 + ROWS:
            found += ["\n".join([*lines[:2], *lines[k : k + ROWS]]) for k in range(2, len(lines), ROWS)]
        elif re.match(r"[-*] |[-*]*\w+\*\*: ", piece) and len(lines) > ITEMS:
            found += ["\n".join(lines[k : k + ITEMS]) for k in range(0, len(lines), ITEMS)]
        else:
            found.append(piece)
    return found


def pieces(source: str) -> list[str]:
    """The code in pieces of at most LINES lines, divided between statements where that is possible."""
    source = re.sub(r'alt=(?:f?"(?:[^"\\]|\\.)*"\s*)+', "alt=...", source)
    lines = source.splitlines()
    if len(lines) <= LINES:
        return [source]
    starts = {node.lineno - 1 for node in ast.parse(source).body} if "%" not in source[:1] else set()
    found, begin = [], 0
    while begin < len(lines):
        end = min(begin + LINES, len(lines))
        if end < len(lines):
            end = max((line for line in starts if begin < line <= end), default=end)
        found.append("\n".join(lines[begin:end]).strip("\n"))
        begin = end
    return [piece for piece in found if piece]


def of_code(cell: nbformat.NotebookNode) -> list[Block]:
    """The code, then what it printed and drew."""
    highlight = Highlight2HTML()
    blocks = []
    for piece in pieces(cell.source):
        lines = piece.count("\n") + 1
        blocks.append(Block(highlight(piece), 40.0 + 27 * lines, code=lines))
    for output in cell.outputs:
        if "data" in output:
            blocks.append(Block(output.data["text/html"], 520))  # with a line of text below it
        else:
            lines = output.text.rstrip().splitlines()
            for k in range(0, len(lines), 20):
                some = "\n".join(lines[k : k + 20]).replace("&", "&amp;").replace("<", "&lt;")
                blocks.append(Block(f'<pre class="output">{some}</pre>', 24.0 + 27 * len(lines[k : k + 20])))
    return blocks


def wanted(cell: nbformat.NotebookNode) -> bool:
    """Whether an audience should see this cell."""
    return cell.cell_type != "code" or not re.search(r"reproducible\(\)\n|\bcheck\(", cell.source)


def sections(notebook: nbformat.NotebookNode) -> list[list[Block]]:
    """The deck: a section a heading, slide below slide in it."""
    deck: list[tuple[str, list[Block]]] = []
    for cell in filter(wanted, notebook.cells):
        if cell.cell_type == "code":
            deck[-1][1].extend(of_code(cell))
            continue
        text = re.sub(r"^.*\[contents\]\(.*$", "", cell.source, flags=re.MULTILINE)  # the links to other chapters
        for part in re.split(r"^(?=#{1,3} )", text, flags=re.MULTILINE):
            if heading := re.match(r"#{1,3} .+", part):
                deck.append((heading[0], []))
                part = part[heading.end() :]
            if part.strip():
                deck[-1][1].extend(of_markdown(part))
    _, (_, goal), *rest = deck  # what is done here stands below the title
    kept = [(deck[0][0], goal), *(part for part in rest if part[0].lstrip("# ") not in LEFT_OUT)]
    return [slides(heading, blocks) for heading, blocks in kept]


def slides(heading: str, blocks: list[Block]) -> list[Block]:
    """The blocks of one section on as many slides as they need, its heading on each."""
    title = Block(markdown2html(heading), 0)
    found = [title]
    for block in blocks:
        last = found[-1]
        if last != title and (last.height + block.height > ROOM or last.code + block.code > LINES):
            found.append(title)
            last = title
        found[-1] = Block(*(a + b for a, b in zip(last, block, strict=True)))
    return found


def main(folder: pathlib.Path) -> int:
    """Writes a page a chapter, and what they need beside them."""
    files = {name: assets.beside(name, folder) for name in SCRIPTS}
    template = jinja2.Template((pathlib.Path(__file__).parent / "slides.html.j2").read_text(encoding="utf-8"))
    highlighting = HtmlFormatter(style="default").get_style_defs(".highlight")
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        title = notebook.cells[0].source.splitlines()[0].removeprefix("# ")
        page = template.render(title=title, sections=sections(notebook), files=files, highlighting=highlighting)
        (folder / f"{path.stem}.html").write_text(page, encoding="utf-8")
    print(folder / "00_start_here.html")
    return 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve() if sys.argv[1:] else ROOT / "build" / "slides"))
