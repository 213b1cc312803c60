"""Two and three processes on the loopback address train as one: the rule over all tasks, the same bits on each."""

import os
import subprocess
import sys

import numpy as np
import pytest

from gaml_utils.learners import Workers
from tests.support import worker_jobs
from tests.support.checkout import ROOT

FEW = ["rule agreement", "rule power -1", "learner Reptile"]  # of the jobs: for three workers


def launched(workers, *command):
    """What N workers of a script print, and how they end."""
    launcher = [sys.executable, "-m", "gaml_utils.learners.workers", "--workers", str(workers)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.run(
        [*launcher, *map(str, command)], env=environment, capture_output=True, text=True, timeout=600, cwd=ROOT
    )


@pytest.fixture(scope="module")
def alone():
    return worker_jobs.found(Workers(), list(worker_jobs.JOBS))


@pytest.fixture(scope="module", params=[2, 3])
def together(request, tmp_path_factory):
    """What each of the workers has found."""
    folder = tmp_path_factory.mktemp("workers")
    names = list(worker_jobs.JOBS) if request.param == 2 else FEW
    done = launched(request.param, worker_jobs.__file__, folder, *names)
    assert done.returncode == 0, done.stderr[-3000:]
    return [dict(np.load(folder / f"{request.param}_{k}.npz")) for k in range(request.param)]


def test_all_workers_end_with_equal_bits(together):
    first, *others = together
    assert len(first) > 20
    for other in others:
        assert other.keys() == first.keys()
        assert [name for name in first if first[name].tobytes() != other[name].tobytes()] == []


def test_workers_are_one_process_but_for_rounding(together, alone):
    """Variables, and states, to 1e-12; what is reported is kept in single precision."""
    for name, found in together[0].items():
        expected = alone[name]
        rounding = 1e-12 if "/variable" in name or "meta_gradient" in name else 2e-6
        scale = max(1.0, np.abs(expected).max())
        assert np.abs(found - expected).max() <= rounding * scale, name
