"""The set-up check: silent where all is well, one sentence with its mend where something is not."""

from importlib import metadata
from types import SimpleNamespace

import pytest

from gaml_utils import setup_check
from gaml_utils.setup_check import MEND, check_setup, problems
from tests.support.checkout import ROOT


@pytest.fixture
def world(monkeypatch):
    """A machine to be spoiled: Python 3.12, and three packages that fit."""
    machine = SimpleNamespace(
        version_info=(3, 12, 1),
        modules={},
        requires=["numpy>=2.1", 'jupyterlab>=4.2; extra == "lab"', 'tensorflow>=2.19; extra == "keras"'],
        installed={"numpy": "2.4.3", "jupyterlab": "4.6.1", "tensorflow": "2.21.0"},
    )

    def version(name):
        if name not in machine.installed:
            raise metadata.PackageNotFoundError(name)
        return machine.installed[name]

    def requires(name):
        if machine.requires == "not installed":
            raise metadata.PackageNotFoundError(name)
        return machine.requires

    monkeypatch.setattr(setup_check.metadata, "version", version)
    monkeypatch.setattr(setup_check.metadata, "requires", requires)
    monkeypatch.setattr(setup_check, "sys", machine)
    return machine


def test_this_environment_has_no_problems():
    assert problems() == []


def test_this_environment_is_called_ready(capsys):
    assert check_setup() is True
    assert capsys.readouterr().out == "Ready: Python and every package are as the chapters need them.\n"


def test_good_machine_has_no_problems(world):
    assert problems() == []


@pytest.mark.parametrize("python", [(3, 10, 12), (3, 9, 0), (2, 7, 18)])
def test_python_that_does_not_fit_is_one_sentence_with_the_mend(world, python):
    world.version_info = python
    (sentence,) = problems()
    assert sentence.startswith(f"Python is {python[0]}.{python[1]}: use 3.11, 3.12 or 3.13;")
    assert "`make lab`" in sentence


@pytest.mark.parametrize("python", [(3, 11, 0), (3, 12, 9), (3, 13, 5), (3, 14, 0)])
def test_python_that_fits_is_no_problem(world, python):
    world.version_info = python
    assert problems() == []


@pytest.mark.parametrize("name", ["numpy", "jupyterlab"])
def test_missing_package_is_one_sentence_with_the_mend(world, name):
    del world.installed[name]
    (sentence,) = problems()
    assert sentence.startswith(f"{name} is missing: ")
    assert sentence.endswith(MEND)


@pytest.mark.parametrize("version", ["2.0.9", "1.26.4"])
def test_wrong_version_is_one_sentence_with_both_versions_and_the_mend(world, version):
    world.installed["numpy"] = version
    (sentence,) = problems()
    assert sentence.startswith(f"numpy is {version}, the chapters need >=2.1: ")
    assert sentence.endswith(MEND)


def test_missing_tensorflow_is_told_with_what_does_without_it(world):
    del world.installed["tensorflow"]
    (sentence,) = problems()
    assert sentence.startswith("tensorflow is missing (chapters 00 to 05 do without it): ")
    assert sentence.endswith(MEND)


@pytest.mark.parametrize("names", [("tensorflow", "tensorflow-cpu"), ("tensorflow-cpu", "tensorflow")])
def test_tensorflow_counts_under_either_name(world, names):
    asked, there = names
    world.requires[-1] = f'{asked}>=2.19; extra == "keras"'
    del world.installed["tensorflow"]
    world.installed[there] = "2.19.1"
    assert problems() == []
    world.installed[there] = "2.18.0"
    (sentence,) = problems()
    assert sentence.startswith(f"{asked} is 2.18.0, the chapters need >=2.19: ")


def test_colab_is_its_own_jupyter(world):
    del world.installed["jupyterlab"]
    world.modules["google.colab"] = object()
    assert problems() == []
    del world.installed["numpy"]
    assert len(problems()) == 1


def test_package_not_installed_itself_is_one_sentence_with_the_mend(world):
    world.requires = "not installed"
    (sentence,) = problems()
    assert sentence.startswith("gaml_utils is not installed here: ")
    assert sentence.endswith(MEND)


def test_what_only_the_tests_or_another_system_need_is_not_asked_for(world):
    world.requires += ['pytest>=8.2; extra == "test"', 'amiga>=1.0; sys_platform == "amiga"']
    assert problems() == []


def test_every_problem_is_told(world):
    world.version_info = (3, 10, 0)
    world.installed = {"numpy": "1.26.4"}
    assert [sentence.split()[0] for sentence in problems()] == ["Python", "numpy", "jupyterlab", "tensorflow"]


def test_old_python_is_told_even_where_gaml_utils_is_not_installed(world):
    world.version_info, world.requires = (3, 10, 0), "not installed"
    assert [sentence.split()[0] for sentence in problems()] == ["Python", "gaml_utils"]


def test_problems_are_printed_a_line_each(world, capsys):
    world.installed = {}
    assert check_setup() is False
    lines = capsys.readouterr().out.splitlines()
    assert lines == problems()
    assert len(lines) == 3


def test_no_requirements_at_all_is_no_problem(world):
    world.requires = None
    assert problems() == []


def test_mend_is_the_command_of_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert MEND.replace("keras,lab", "keras,lab,test") in readme
