"""Processes that die cost nothing but time; a job that kills them is told by name."""

import os
import signal
import subprocess
import sys
import threading
from functools import partial

import psutil
import pytest

from gaml_utils.experiments import crew, runner
from gaml_utils.experiments.records import key
from tests.support import deadly
from tests.support.checkout import ROOT
from tests.support.small_experiment import NAME, TINY, apart_from_time, replace_experiment

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
JOBS = [deadly.job(number) for number in range(8)]
ALL = [deadly.result(job) for job in JOBS]


def in_order(results):
    return sorted(results, key=key)


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """By the processes that are started."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("killed", [(), (0,), (7,), (2, 3)])
def test_a_killed_process_costs_no_result_and_doubles_none(tmp_path, processes, killed):
    found = crew.locally(partial(deadly.once, str(tmp_path), killed), JOBS, processes)
    assert in_order(found) == ALL
    assert len(list(tmp_path.iterdir())) == len(killed)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_job_that_always_kills_is_lost_by_name_and_the_others_go_on(processes):
    found = []
    with pytest.raises(crew.Lost, match=r"comparison, MAML, uniform, 0\.1, 3\. All others are done") as lost:
        for result in crew.locally(partial(deadly.always, (3,)), JOBS, processes):
            found.append(result)
    assert [job["seed"] for job in lost.value.jobs] == [3]
    assert in_order(found) == [result for result in ALL if result["seed"] != 3]


def test_all_that_kill_are_told():
    with pytest.raises(crew.Lost) as lost:
        list(crew.locally(partial(deadly.always, (1, 6)), JOBS, 2))
    assert sorted(job["seed"] for job in lost.value.jobs) == [1, 6]


def test_a_process_is_let_go_after_a_few_jobs(tmp_path, monkeypatch):
    monkeypatch.setattr(crew, "JOBS_PER_PROCESS", 3)
    assert in_order(crew.locally(partial(deadly.process, str(tmp_path)), JOBS, 1)) == ALL
    by_process = {}
    for path in tmp_path.iterdir():
        seed, number = path.name.split()
        by_process.setdefault(number, []).append(seed)
    assert sorted(len(seeds) for seeds in by_process.values()) == [2, 3, 3]


KILLED = """
import os, signal, sys
from functools import partial
from gaml_utils.experiments import crew
from tests.support import deadly
for result in crew.locally(partial(deadly.process, sys.argv[1]), [deadly.job(n) for n in range(8)], 2):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_where_the_command_is_killed_its_workers_end(tmp_path):
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, stderr=subprocess.DEVNULL)
    assert done.returncode == -signal.SIGKILL
    workers = {int(path.name.split()[1]) for path in tmp_path.iterdir()}
    assert workers and all(ends(number) for number in workers)


def ends(number):
    """Whether a process is gone, or a zombie that nobody has buried, within five minutes."""
    for _ in range(3000):
        try:
            if psutil.Process(number).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        threading.Event().wait(0.1)
    return False


def test_what_a_training_raises_is_raised_and_what_was_finished_is_there():
    found = []
    with pytest.raises(ValueError, match="a loss is NaN"):
        for result in crew.locally(deadly.raising, JOBS, 1):
            found.append(result["seed"])
    assert found == [0, 1]


def test_no_job_is_submitted_ahead_of_a_process_that_can_take_it(monkeypatch):
    """So that those that were flying when a process died are as many as there are processes."""
    flying = []
    fill = crew._fill

    def seen(executor, task, queue, jobs, width):
        submitted = fill(executor, task, queue, jobs, width)
        flying.append(len(jobs))
        return submitted

    monkeypatch.setattr(crew, "_fill", seen)
    assert in_order(crew.locally(deadly.result, JOBS, 2)) == ALL
    assert max(flying) == 2


@pytest.fixture
def killed_once(monkeypatch, tmp_path):
    """The experiment, a process of which is killed; afterwards, whether one was."""
    monkeypatch.setenv("GAML_DEADLY", str(tmp_path / "killed"))
    replace_experiment(monkeypatch, work=deadly.sine_once)
    yield
    assert (tmp_path / "killed").exists()


def test_a_run_with_a_killed_process_ends_with_the_same_file(whole, killed_once, tmp_path):
    assert apart_from_time(runner.run(NAME, TINY, tmp_path / "results", processes=2)) == apart_from_time(whole)


def test_a_run_that_met_a_full_disk_goes_on_and_ends_with_the_same_file(whole, here, tmp_path, monkeypatch):
    append, written = runner.append, []

    def until_it_is_full(path, run):
        if len(written) == 5:
            raise OSError(28, "No space left on device")
        written.append(run)
        append(path, run)

    monkeypatch.setattr(runner, "append", until_it_is_full)
    with pytest.raises(OSError, match="No space left"):
        runner.run(NAME, TINY, tmp_path)
    monkeypatch.setattr(runner, "append", append)
    assert apart_from_time(runner.run(NAME, TINY, tmp_path)) == apart_from_time(whole)


# ---------------------------------------------------------------- a Dask cluster of two worker processes here

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two worker processes, one thread each, on the loopback address; a dead one is started anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("OMP_NUM_THREADS", "1")
        with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as found:
            yield found.scheduler_address


@pytest.mark.parametrize("killed", [(), (0,), (2, 3)])
def test_a_killed_worker_of_the_cluster_costs_no_result_and_doubles_none(cluster, tmp_path, killed):
    found = crew.on_cluster(partial(deadly.once, str(tmp_path), killed), JOBS, cluster, {})
    assert in_order(found) == ALL
    assert len(list(tmp_path.iterdir())) == len(killed)


def test_a_run_on_a_cluster_with_a_killed_worker_ends_with_the_same_file(whole, killed_once, tmp_path):
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as workers:
        path = runner.run(NAME, TINY, tmp_path / "results", scheduler=workers.scheduler_address)
    assert apart_from_time(path) == apart_from_time(whole)


def test_workers_get_the_variables_before_any_training(cluster):
    found = crew.on_cluster(environment, JOBS, cluster, {"GAML_OF_THE_RUN": "yes"})
    assert {result["test_mse"] for result in found} == {"yes"}
    assert "GAML_OF_THE_RUN" not in os.environ


def environment(job):
    return job | {"test_mse": os.environ.get("GAML_OF_THE_RUN"), "seconds": 0.0}


def test_a_job_that_kills_worker_after_worker_is_lost_by_name(cluster):
    found = []
    with pytest.raises(crew.Lost, match=r"comparison, MAML, uniform, 0\.1, 3\."):
        for result in crew.on_cluster(partial(deadly.always, (3,)), JOBS, cluster, {}):
            found.append(result)
    assert in_order(found) == [result for result in ALL if result["seed"] != 3]


def test_what_a_training_raises_on_the_cluster_is_raised(cluster):
    with pytest.raises(ValueError, match="a loss is NaN"):
        list(crew.on_cluster(deadly.raising, JOBS, cluster, {}))


def test_nobody_at_the_address_is_said_by_the_command():
    command = [sys.executable, "-m", "gaml_utils.experiments", "sine_numpy", "--scheduler", "tcp://127.0.0.1:9"]
    env = os.environ | {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "1s", "GAML_RESULTS": ""}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert "127.0.0.1:9" in done.stderr and "Traceback" not in done.stderr
