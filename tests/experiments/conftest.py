"""What the tests of long runs share."""

import contextlib
import os
import pathlib

import pytest

from gaml_utils.experiments import crew
from gaml_utils.experiments import runner as ex
from gaml_utils.experiments.sines import training
from tests.support.small_experiment import NAME, THREADS, TINY, Here, replace_experiment


@pytest.fixture(autouse=True)
def same_environment(monkeypatch):
    """A run sets thread counts for its processes; the other tests should not see them."""
    for name in THREADS:
        monkeypatch.setenv(name, os.environ.get(name, ""))
        monkeypatch.delenv(name)


@pytest.fixture
def here(monkeypatch):
    """Run without starting processes."""
    monkeypatch.setattr(crew, "ProcessPoolExecutor", Here)


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """A run that nobody stopped, in a process of its own as the real ones are."""
    folder = tmp_path_factory.mktemp("whole") / "made" / "on the way"
    with pytest.MonkeyPatch.context() as patch:
        for name in THREADS:
            patch.setenv(name, "1")
        return ex.run(NAME, TINY, folder)


@pytest.fixture
def counted(monkeypatch):
    """The jobs that are really worked on."""
    worked = []

    def work(config, job):
        worked.append(ex.key(job))
        return training.sine_numpy_job(config, job)

    replace_experiment(monkeypatch, work=work)
    return worked


@pytest.fixture
def full_disk(monkeypatch):
    """Within `with full_disk():` a text is written half, and then there is no space left."""
    write_text = pathlib.Path.write_text

    def half(path, text, **options):
        write_text(path, text[: len(text) // 2], **options)
        raise OSError("no space left")

    @contextlib.contextmanager
    def full():
        with monkeypatch.context() as patch:
            patch.setattr(pathlib.Path, "write_text", half)
            yield

    return full
