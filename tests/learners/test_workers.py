"""Two and three processes on the loopback address train as one: the rule over all tasks, the same bits on each."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.code import code_digest
from gaml_utils.learners import Workers, as_dataset, join_workers
from gaml_utils.learners.engine.workers import PORTS
from gaml_utils.tasks import SineTasks
from gaml_utils.worker_processes import main, run_workers, worker_environments
from tests.support import worker_jobs
from tests.support.checkout import ROOT
from tests.support.worker_faults import EPOCHS, made

FEW = ["rule agreement", "rule power -1", "learner Reptile"]  # of the jobs: for three workers


def launched(workers, *command, module="worker_processes"):
    """What N workers of a script print, and how they end."""
    launcher = [sys.executable, "-m", f"gaml_utils.{module}", "--workers", str(workers)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.run(
        [*launcher, *map(str, command)], env=environment, capture_output=True, text=True, timeout=600, cwd=ROOT
    )


@pytest.mark.parametrize(("number", "names"), [(2, list(worker_jobs.JOBS)), (3, FEW)])
def test_workers_are_one_process_but_for_rounding_and_end_with_equal_bits(number, names, tmp_path):
    """Variables, and states, to 1e-12; what is reported is kept in single precision."""
    done = launched(number, worker_jobs.__file__, tmp_path, *names)
    assert done.returncode == 0, done.stderr[-3000:]
    first, *others = [dict(np.load(tmp_path / f"{number}_{k}.npz")) for k in range(number)]
    for other in others:
        assert other.keys() == first.keys()
        assert [name for name in first if first[name].tobytes() != other[name].tobytes()] == []
    alone = {key: array for name in names for key, array in worker_jobs.alone(name).items()}
    assert alone.keys() == first.keys()
    for name, expected in alone.items():
        rounding = 1e-12 if "/variable" in name or "meta_gradient" in name else 2e-6
        assert np.abs(first[name] - expected).max() <= rounding * max(1.0, np.abs(expected).max()), name


FAULTS = ROOT / "tests" / "support" / "worker_faults.py"


REFUSED = {
    "seed": "workers should have the same seed, but worker 1 differs in it from worker 0",
    "tasks": "workers should have the same first meta batch",
    "meta_batch": "meta_batch should hold a multiple of 2 tasks, one share per worker, got 5",
    "model": "workers should have the same learner",
    "rule": "workers should have the same learner",
    "optimizer": "workers should have the same optimizer",
    "diagnostics": "workers should have the same diagnostics",
    "start": "workers should have the same values of parameters",
    "shares": "x should be made for the 2 workers that the learner is compiled with, but is made for 1",
    "in memory": "each meta-batch should hold a multiple of 2 tasks",
    "jit_compile": "compile should be called without jit_compile",
    "run_eagerly": "compile should be called without run_eagerly",
    "task_by_task": "learner should be compiled without workers",
    "unequal": "workers should have the same tasks per worker",
    "unequal, one by one": "workers should have the same tasks per worker",
    "unequal, judged": "workers should have the same tasks per worker",
    "XLA, loaded": "compile should be called without jit_compile",
    "rule, loaded": "workers should have the same learner",
    "diverging": "training diverged: try a smaller inner_lr or learning rate. Outer step 0 task 3",
    "threads": "nothing",
    "nothing": "nothing",
}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The folder of a training that nothing has disturbed, and of what was refused after it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    done = launched(2, FAULTS, folder, module="learners.workers")
    assert done.returncode == 0, done.stderr[-3000:]
    return folder, done.stdout


def test_what_workers_do_not_share_is_refused_on_each_of_them(undisturbed):
    for k in range(2):
        told = json.loads((undisturbed[0] / f"refused_{k}.json").read_text())
        assert told.keys() == REFUSED.keys()
        assert {name: told[name] for name in REFUSED if REFUSED[name] not in told[name]} == {}


def test_the_first_worker_alone_shows_a_bar_and_writes_files(undisturbed):
    folder, shown = undisturbed
    of_each = {f"{name}_{k}.{end}" for name, end in (("end", "npz"), ("refused", "json")) for k in range(2)}
    assert {p.name for p in folder.iterdir()} == of_each | {"backup", "best.keras", "log_0.csv", "saved_0.keras"}
    assert shown.count("Epoch 2/") == 1


def test_a_saved_learner_is_one_process_again(undisturbed):
    learner = keras.saving.load_model(undisturbed[0] / "saved_0.keras")
    assert learner.workers.alone
    learner.fit(as_dataset(SineTasks(), 4, 3, 3, learner=learner), steps_per_epoch=1, verbose=0)
    assert int(learner.optimizer.iterations) == 2 * EPOCHS + 1


def test_a_killed_worker_ends_the_others_and_the_same_command_goes_on_bit_for_bit(undisturbed, tmp_path):
    first = launched(2, FAULTS, tmp_path, 1)
    assert first.returncode == 1
    assert "worker 1 of 2 (numbered from 0) was ended by SIGKILL, so the others are stopped" in first.stderr
    assert "Traceback" not in first.stderr
    assert not list(tmp_path.glob("end_*"))
    again = launched(2, FAULTS, tmp_path, 1)
    assert again.returncode == 0, again.stderr[-3000:]
    assert "Epoch 1/" not in again.stdout  # it went on
    for k in range(2):
        assert (tmp_path / f"end_{k}.npz").read_bytes() == (undisturbed[0] / f"end_{k}.npz").read_bytes()


def processes_of(environments, *command):
    return [
        subprocess.Popen(
            [sys.executable, *map(str, command)],
            env=os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for environment in environments
    ]


def test_without_a_launcher_a_worker_that_lost_another_says_so_in_one_sentence(tmp_path):
    killed, other = processes_of(worker_environments(2), FAULTS, tmp_path, 0)
    try:
        assert killed.wait(600) == -signal.SIGKILL
        told = other.communicate(timeout=600)[1]
    finally:
        other.kill()
    assert other.returncode == 1
    assert "WorkerLost: another worker has ended or cannot be reached: start all of them again" in told
    assert "Traceback" not in told


JOIN = "from gaml_utils.learners import join_workers; w = join_workers({}); print(w.index, w.count)"


def test_slurm_says_who_the_workers_are():
    step = {"SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_NODELIST": "127.0.0.1", "SLURM_STEP_TASKS_PER_NODE": "2"}
    step |= {"SLURM_JOB_ID": str(two_free_ports() - PORTS)}
    both = processes_of([step | {"SLURM_PROCID": str(k)} for k in range(2)], "-c", JOIN.format("'slurm', 300"))
    assert [one.communicate(timeout=600)[0].split() for one in both] == [["0", "2"], ["1", "2"]]


def two_free_ports():
    """The first of two ports, one behind the other, that nobody listens at."""
    for port in range(PORTS + os.getpid() % 1000, 2 * PORTS):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for one in (port, port + 1):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", one))
            return port
    raise AssertionError("no two ports are free")


def test_a_worker_whose_fellow_never_comes_gives_up():
    [lonely] = processes_of(worker_environments(2)[:1], "-c", JOIN.format("timeout=1"))
    told = lonely.communicate(timeout=600)[1]
    assert lonely.returncode == 1
    assert "Timeout" in told and "join_workers" in told


def test_without_a_cluster_a_worker_is_alone(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    workers = join_workers()
    assert (workers.index, workers.count, workers.first, workers.alone) == (0, 1, True, True)
    rows = np.arange(6.0).reshape(3, 2)
    assert workers.share(rows) is rows and workers.add_up(rows) is rows and workers.join(rows) is rows


def test_join_workers_late_is_refused(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", worker_environments(2)[0]["TF_CONFIG"])
    with pytest.raises(RuntimeError, match="join_workers should be called before anything else of TensorFlow runs"):
        join_workers()


class Unlike(Workers):
    """One of three, of which the last says something else of everything."""

    def __init__(self):
        super().__init__()
        self.count = 3

    def join(self, tensors):
        return tf.concat([tensors, tensors, tensors + 1], axis=0)


def test_who_is_unlike_the_first_worker_is_named():
    with pytest.raises(ValueError, match="workers should have the same Keras, but worker 2 differs in it from worker"):
        Unlike().agree(Keras="3")


def test_workers_that_join_compare_package_and_versions(monkeypatch):
    """The class that connects stands in for a connection: what is compared, and that it is."""
    strategy = types.SimpleNamespace(
        num_replicas_in_sync=2,
        extended=types.SimpleNamespace(worker_devices=["CPU"]),
        cluster_resolver=types.SimpleNamespace(task_id=1),
    )
    compared = {}
    monkeypatch.setenv("TF_CONFIG", worker_environments(2)[1]["TF_CONFIG"])
    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", lambda resolver: strategy)
    monkeypatch.setattr(Workers, "agree", lambda self, **digests: compared.update(digests))
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # put back afterwards
    workers = join_workers(timeout=900)
    assert (workers.index, workers.count, workers.timeout) == (1, 2, 900)
    versions = {"TensorFlow": tf.__version__, "Keras": keras.__version__, "NumPy": np.__version__}
    assert compared == versions | {"package": code_digest()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("mpi",), "resolver should be None"), ((None, 0), "timeout should be a finite number above 0")],
)
def test_arguments_that_are_none_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        join_workers(*arguments)


def test_workers_that_are_none_are_refused():
    learner = made()
    with pytest.raises(ValueError, match="workers should be what join_workers"):
        learner.compile("sgd", "mse", workers=2)
    assert not learner.compiled
    with pytest.raises(ValueError, match="workers should be what join_workers"):
        as_dataset(SineTasks(), 4, workers=2)


@pytest.mark.parametrize(
    ("command", "message"),
    [(["--workers", "0", __file__], "--workers should be a whole number"), (["absent.py"], "should be a Python file")],
)
def test_the_launcher_names_what_is_wrong(command, message, capsys):
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_a_script_that_fails_is_named_and_stops_the_others(tmp_path, capfd):
    script = tmp_path / "script.py"
    script.write_text(
        "import json, os, sys, threading\nlast = json.loads(os.environ['TF_CONFIG'])['task']['index'] == 1\n"
    )
    script.write_text(script.read_text() + "sys.exit(3) if last else threading.Event().wait()\n")
    assert run_workers([str(script)], 2) == 1
    assert "worker 1 of 2 (numbered from 0) ended with exit code 3" in capfd.readouterr().err


def test_what_workers_print_may_go_to_a_file(tmp_path, capfd):
    script, log = tmp_path / "script.py", tmp_path / "log"
    script.write_text("import sys\nprint('here')\nsys.exit(4)\n")
    with log.open("w+") as output:
        assert run_workers([str(script)], 1, output=output) == 1
    said, sentence = log.read_text().splitlines()
    assert said == "here" and "worker 0 of 1 (numbered from 0) ended with exit code 4" in sentence
    assert capfd.readouterr() == ("", "")
