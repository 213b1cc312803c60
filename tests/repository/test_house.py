"""The repository: Binder finds our file, versions agree, all that is public is told, no machine is named."""

import ast
import importlib
import inspect
import json
import pathlib
import pkgutil
import platform
import re
import subprocess
import sys
import tomllib
from importlib import metadata

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import gaml_utils
from tests.support.checkout import ROOT
from tests.support.docs import launch

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
WANTED = [*PROJECT["dependencies"], *EXTRAS["keras"], *EXTRAS["lab"], *EXTRAS["test"]]
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")
MODULES = ["gaml_utils", *(m.name for m in pkgutil.walk_packages(gaml_utils.__path__, "gaml_utils."))]
SKIP = {
    ".git",
    ".venv",
    "build",
    "__pycache__",
    ".ruff_cache",
    ".mypy_cache",
    ".pytest_cache",
    ".hypothesis",
    ".ipynb_checkpoints",
}


def files() -> list[pathlib.Path]:
    """Everything of the repository, without what .gitignore names."""
    return [
        p
        for p in ROOT.rglob("*")
        if p.is_file()
        and not SKIP & set(p.relative_to(ROOT).parts)
        and not any(part.endswith(".egg-info") for part in p.parts)
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="repo2docker does not run on Windows")
def test_binder_builds_with_conda_from_our_file():
    reader = ["--user-id", "1000", "--user-name", "reader"]
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", *reader, str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Building conda environment for python=3.11" in done.stderr
    installs = done.stdout.index('env update -p ${NB_PYTHON_PREFIX} --file ".binder/environment.yml"')
    assert installs < done.stdout.index("COPY --chown=1000:1000 src/ ${REPO_DIR}/")  # kept from commit to commit


@pytest.mark.skipif(sys.platform != "linux" or platform.machine() != "x86_64", reason="what Binder is")
def test_binders_packages_are_those_of_the_constraints():
    text = (ROOT / ".binder" / "environment.yml").read_text(encoding="utf-8")
    assert text == launch.environment_file(), "python docs/launch.py lock"
    assert re.search(r"- python=3\.11$", text, re.MULTILINE) and "-e ." not in text
    for line in [*PROJECT["dependencies"], *EXTRAS["lab"], EXTRAS["keras"][0]]:
        assert re.search(rf"- {re.escape(Requirement(line).name)}==", text, re.IGNORECASE), line


@pytest.mark.skipif(sys.platform == "win32", reason="a script of Linux")
def test_binder_limits_threads_and_reads_our_settings():
    asked = "import os, json; print(json.dumps(dict(os.environ)))"
    done = subprocess.run([ROOT / ".binder" / "start", sys.executable, "-c", asked], cwd=ROOT, capture_output=True)
    env = json.loads(done.stdout)
    assert env["OMP_NUM_THREADS"] == "1" and int(env["TF_NUM_INTRAOP_THREADS"]) <= 2
    assert env["JUPYTER_CONFIG_PATH"].split(":")[0] == str(ROOT / ".jupyter")


def test_a_dev_container_sets_up_what_make_does():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    command, target = container["postCreateCommand"].split()
    assert command == "make" and f"\n{target}:" in (ROOT / "Makefile").read_text(encoding="utf-8")
    python = container["image"].split(":")[1]
    assert f"Programming Language :: Python :: {python}" in PROJECT["classifiers"]
    assert container["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"].endswith(
        target[:5] + "/bin/python"
    )


def test_requirements_are_lower_bounds_alone():
    """Exact versions stand in constraints.txt, and nowhere else."""
    for line in [*WANTED, *EXTRAS["bench"]]:
        assert re.fullmatch(r">=\d+\.\d+", str(Requirement(line).specifier)), line
    assert re.fullmatch(r">=3\.\d+", PROJECT["requires-python"])


def test_part_one_installs_without_tensorflow():
    names = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
    assert not names & {"tensorflow", "tensorflow-cpu", "keras"}


def pinned() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in CONSTRAINTS.splitlines():
        requirement = Requirement(line)
        found.setdefault(canonicalize_name(requirement.name), []).append(str(requirement.specifier))
    return found


def test_constraints_hold_no_address_and_pin_exactly():
    assert "://" not in CONSTRAINTS and "@" not in CONSTRAINTS
    assert all(re.fullmatch(r"==[\w.]+", version) for versions in pinned().values() for version in versions)


def test_constraints_satisfy_every_requirement():
    for line in WANTED:
        requirement = Requirement(line)
        versions = pinned()[canonicalize_name(requirement.name)]
        assert all(requirement.specifier.contains(v.removeprefix("==")) for v in versions), line


def test_constraints_are_complete():
    """Whatever we ask for, all the way down, is pinned, at the version installed."""
    for name in launch.needed({"keras", "lab", "test"}, dict(default_environment())) - {"pip", "setuptools"}:
        assert f"=={metadata.version(name)}" in pinned().get(name, ()), f"{name} is missing from constraints.txt"


def test_versions_agree():
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)[1]
    assert gaml_utils.__version__ == PROJECT["version"] == cited


def public_functions() -> list:
    found = []
    for name in MODULES:
        module = importlib.import_module(name)
        for key, value in vars(module).items():
            if not key.startswith("_") and getattr(value, "__module__", None) == name and callable(value):
                found.append(value)
                if inspect.isclass(value):
                    found += [m for k, m in vars(value).items() if inspect.isfunction(m) and not k.startswith("_")]
    return found


@pytest.mark.parametrize("thing", public_functions(), ids=lambda f: f"{f.__module__}.{f.__qualname__}")
def test_every_public_name_has_a_docstring_and_type_hints(thing):
    assert inspect.getdoc(thing)
    if inspect.isfunction(thing) and "<lambda>" not in thing.__qualname__ and "chapter_" not in thing.__module__:
        signature = inspect.signature(thing)
        missing = [n for n, p in signature.parameters.items() if p.annotation is p.empty and n != "self"]
        assert not missing and signature.return_annotation is not signature.empty


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_is_for_and_stays_small(name):
    path = pathlib.Path(importlib.import_module(name).__file__)
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 240


def test_no_machine_path_and_no_registry_in_a_file():
    forbidden = re.compile(r"/(home|root|Users|work|tmp)/\w|\b(?:localhost|pypi\.\w+|files\.pythonhosted)\b|index-url")
    for path in files():
        if path.suffix in (".npz", ".png", ".keras") or path.name in ("test_house.py", "test_chapters.py"):
            continue
        text = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", path.read_text(encoding="utf-8"))
        assert not (hit := forbidden.search(text)), f"{path.relative_to(ROOT)}: {hit and hit[0]}"


def test_arrays_are_loaded_without_pickle():
    for path in files():
        if path.suffix == ".py" and path != pathlib.Path(__file__).resolve():
            assert "allow_pickle=True" not in path.read_text(encoding="utf-8"), path.name


def test_top_level_is_short():
    allowed = {
        "notebooks",
        "docs",
        "gaml_utils",
        "data",
        "tests",
        "README.md",
        "pyproject.toml",
        "Makefile",
        "constraints.txt",
        "LICENSE",
        "LICENSE-TEXT",
        "CITATION.cff",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        ".gitignore",
        ".pre-commit-config.yaml",
        ".ci",
        ".github",
        ".binder",
        ".devcontainer",
        ".jupyter",
    }
    here = {p.relative_to(ROOT).parts[0] for p in files()}
    assert here <= allowed


def test_readme_links_lead_somewhere():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)\)", readme):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_readme_holds_no_placeholder():
    """Nothing that a reader would have to fill in, and no badge of somebody's clone."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not re.search(r"OWNER|ADDRESS|YOUR-|<your", readme)
    assert "<!-- launch -->\n<!-- /launch -->" in readme
