"""Runs the chapters and their solutions from top to bottom.

python tests/notebooks/run_notebooks.py run | store [NUMBER ...]

Numbers, such as 08, choose chapters; all by default.

run    a line each (seconds, peak memory, ok); what came out as pages in build/run/site. Changes nothing else.
store  a line each, then writes the outputs into the notebooks, what was measured into data/results/chapters.json,
       the table of chapters and the picture of chapter 00 into README.md and docs/agreement.png. Nothing is written
       unless every notebook ran without an error.
"""

import argparse
import base64
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time

import nbformat
import psutil
from jupyter_client import KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from gaml_utils.writing import write_text

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
MEASURED = ROOT / "data" / "results" / "chapters.json"
LIVE = {"application/vnd.jupyter.widget-view+json", "application/javascript"}
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}


class PeakMemory(threading.Thread):
    """Looks at a process and its children every 20 ms; .megabytes is the most it saw.

    Where there are several and the system says so, pages that they share count once in all (pss).
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.process, self.megabytes, self.stopped = psutil.Process(pid), 0.0, threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(0.02):
            try:
                family = [self.process, *self.process.children(recursive=True)]
                found = [own_bytes(p, len(family) > 1) for p in family]
            except psutil.Error:  # one of them has just ended
                if not self.process.is_running():
                    return
                continue
            self.megabytes = max(self.megabytes, sum(found) / 1e6)


def own_bytes(process: psutil.Process, shared: bool) -> int:
    """The memory of a process; shared: of pages that it has in common with others its part alone, where known."""
    if shared and psutil.LINUX:
        return process.memory_full_info().pss
    return process.memory_info().rss


def execute(path: pathlib.Path) -> tuple[nbformat.NotebookNode, dict]:
    """The notebook with the outputs of one run from top to bottom, and what the run took."""
    notebook = nbformat.read(path, as_version=4)
    # this interpreter, whatever kernels are installed; the variable keeps text from C code out, as nbval does
    manager = KernelManager()
    manager.kernel_spec.argv[0] = sys.executable
    env = os.environ | {"PYTEST_CURRENT_TEST": "x"}
    start = time.perf_counter()
    manager.start_kernel(cwd=str(path.parent), env=env, stderr=subprocess.DEVNULL)
    watch = PeakMemory(manager.provisioner.process.pid)
    watch.start()
    client = NotebookClient(notebook, km=manager, timeout=600, record_timing=False, coalesce_streams=True)
    problem = None
    try:
        client.execute()
    except CellExecutionError as error:
        problem = str(error).strip().splitlines()[-1]
    finally:
        watch.stopped.set()
        if manager.has_kernel:
            manager.shutdown_kernel(now=True)
    seconds = time.perf_counter() - start
    return notebook, {"seconds": round(seconds, 1), "megabytes": round(watch.megabytes), "problem": problem}


def normalise(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """What belongs to the page and not to the machine: sources, tags, counts and outputs.

    Live widgets and their scripts are left out: stored, they would be names of sliders that are gone.
    """
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({"tags": cell.metadata.tags} if cell.metadata.get("tags") else {})
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if not LIVE & set(o.get("data", {}))]
    return notebook


def complaints(notebook: nbformat.NotebookNode) -> list[str]:
    """Why this run should not be stored."""
    found = []
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error" or output.get("name") == "stderr":
                found.append(f"cell {number} wrote {output.get('name', 'an error')}: {str(output.get('text'))[:80]!r}")
            elif "WARNING:" in output.get("text", ""):  # TensorFlow's logger writes to stdout in a notebook
                found.append(f"cell {number} logged a warning: {output.text[:80]!r}")
    return found


def chapter_facts(path: pathlib.Path) -> dict:
    """What the README's table says of a chapter and the page itself knows: title, minutes, exercises."""
    text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
    number, title = re.search(r"^# (\d\d)\. (.+)$", text, re.MULTILINE).groups()
    return {
        "number": number,
        "title": title,
        "minutes": int(re.search(r"about (\d+) minutes", text)[1]),
        "exercises": len(set(re.findall(r'check\("(\d+\.\d+)"', text))),
    }


def table(measured: dict) -> str:
    """README's table of chapters. Times are rounded up to 5 s, memory to 50 MB."""
    lines = ["| chapter | minutes | run time | memory | exercises | worked answers |", "|---|---|---|---|---|---|"]
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        facts, run = chapter_facts(path), measured[path.name]
        seconds, megabytes = 5 * math.ceil(run["seconds"] / 5), 50 * math.ceil(run["megabytes"] / 50)
        lines.append(
            f"| [{facts['number']}. {facts['title']}](notebooks/{path.name}) | {facts['minutes']} | {seconds} s "
            f"| {megabytes} MB | {facts['exercises']} | [solutions](notebooks/solutions/{path.name}) |"
        )
    return "\n".join(lines)


def with_table(readme: str, measured: dict) -> str:
    """The README with the table between its two marks."""
    head, rest = readme.split("<!-- chapters -->")
    return f"{head}<!-- chapters -->\n{table(measured)}\n<!-- /chapters -->{rest.split('<!-- /chapters -->')[1]}"


def pages(notebooks: dict[pathlib.Path, nbformat.NotebookNode], folder: pathlib.Path) -> pathlib.Path:
    """The site, with these notebooks in the places of those that are stored. Returns its first page."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, notebook in notebooks.items():
        ran = folder / "notebooks" / path.relative_to(NOTEBOOKS)
        ran.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, ran)
    subprocess.run([sys.executable, ROOT / "docs" / "build_site.py", folder, folder / "notebooks"], check=True)
    return folder / "site" / "index.html"


def picture(notebook: nbformat.NotebookNode) -> tuple[bytes, str]:
    """The first figure of a notebook, as a PNG, and its text."""
    first = next(o.data for cell in notebook.cells for o in cell.get("outputs", []) if "data" in o)
    return base64.b64decode(re.search(r"base64,([^\"]+)", first["text/html"])[1]), first["text/plain"]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["run", "store"])
    parser.add_argument("numbers", nargs="*", help="of the chapters, such as 08; all by default")
    arguments = parser.parse_args()
    store = arguments.command == "store"
    chosen = [
        path
        for path in sorted(NOTEBOOKS.rglob("*.ipynb"))
        if ".ipynb_checkpoints" not in path.parts and (not arguments.numbers or path.name[:2] in arguments.numbers)
    ]
    if not chosen:
        parser.error(f"no chapter has a number in {arguments.numbers}")
    notebooks, measured, failed = {}, {}, False
    for path in chosen:
        name = path.relative_to(NOTEBOOKS).as_posix()
        notebook, run = execute(path)
        problems = [run.pop("problem")] if run["problem"] else complaints(notebook) if store else []
        run.pop("problem", None)
        failed |= bool(problems)
        print(f"{name:46s} {run['seconds']:6.1f} s {run['megabytes']:5d} MB  {'; '.join(problems) or 'ok'}", flush=True)
        notebooks[path], measured[name] = normalise(notebook), run
    print(f"{'together':46s} {sum(run['seconds'] for run in measured.values()):6.1f} s", flush=True)
    if not store:
        pages(notebooks, ROOT / "build" / "run")
    if store and not failed:
        for path, notebook in notebooks.items():
            write_text(path, nbformat.writes(notebook) + "\n")
        if arguments.numbers:
            measured = dict(sorted((json.loads(MEASURED.read_text(encoding="utf-8")) | measured).items()))
        write_text(MEASURED, json.dumps(measured, indent=1) + "\n")
        readme = ROOT / "README.md"
        text = with_table(readme.read_text(encoding="utf-8"), measured)
        if first := notebooks.get(NOTEBOOKS / "00_start_here.ipynb"):
            drawn, told = picture(first)
            (ROOT / "docs" / "agreement.png").write_bytes(drawn)
            text = re.sub(r"!\[[^]]*\](?=\(docs/agreement\.png\))", lambda _: f"![{told}]", text)
        write_text(readme, text)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
