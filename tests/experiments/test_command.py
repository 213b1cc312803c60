"""The command line of the experiments."""

import pathlib
import sys

import pytest

from gaml_utils.experiments import __main__ as command
from gaml_utils.experiments import runner
from tests.support.small_experiment import NAME, TINY


def test_command_line_runs_the_named_experiment(monkeypatch, capsys):
    calls = []

    def run(name, config, **options):
        calls.append((name, config["seeds"], options))
        return pathlib.Path("somewhere") / f"{name}.json"

    monkeypatch.setattr(command, "run", run)
    command.main([NAME, "--jobs", "2"])
    command.main([NAME, "--seeds", "3"])
    command.main([NAME, "--scheduler", "tcp://host:8786"])
    assert calls == [
        (NAME, list(range(10)), {"processes": 2, "scheduler": None}),
        (NAME, [0, 1, 2], {"processes": 1, "scheduler": None}),
        (NAME, list(range(10)), {"processes": 1, "scheduler": "tcp://host:8786"}),
    ]
    assert capsys.readouterr().out == "sine_numpy.json\n" * 3


WRONG = [["sine_nympy"], [], [NAME, "--jobs", "two"], [NAME, "--jobs", "0"], [NAME, "--seeds", "0"]]
WRONG += [[NAME, "--jobs", "2", "--scheduler", "tcp://host:8786"]]


@pytest.mark.parametrize("arguments", WRONG)
def test_command_line_refuses_what_it_does_not_know(monkeypatch, capsys, arguments):
    monkeypatch.setattr(command, "run", lambda *a, **k: pytest.fail("nothing should run"))
    with pytest.raises(SystemExit) as stopped:
        command.main(arguments)
    assert stopped.value.code == 2
    assert "usage: python -m gaml_utils.experiments" in capsys.readouterr().err


def test_refused_name_is_told_the_names_there_are(capsys):
    with pytest.raises(SystemExit):
        command.main(["sine_nympy"])
    assert NAME in capsys.readouterr().err


def test_a_cluster_without_its_extra_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    monkeypatch.setattr(command, "run", lambda name, config, **where: runner.run(name, TINY, tmp_path, **where))
    with pytest.raises(SystemExit, match=r'^Dask is missing: pip install "gaml-utils\[cluster\]".*\nWhat was finished'):
        command.main([NAME, "--scheduler", "tcp://127.0.0.1:9"])
