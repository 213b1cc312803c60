"""The file of a run that is not whole yet: spoiled lines, damaged headers, two runs at once, a disk that is full."""

import json
import os
import subprocess
import sys

import pytest

from gaml_utils.experiments import partial_file as ex
from gaml_utils.experiments import runner
from tests.support import deadly
from tests.support.checkout import ROOT
from tests.support.small_experiment import NAME, TINY, apart_from_time, partial_lines

MADE = {"config": {"seeds": [0, 1]}, "code": "abc", "versions": {"python": "3.11.7"}}
RUNS = [deadly.result(deadly.job(number)) for number in range(4)]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "NAME.partial.jsonl"
    ex.begin(path, MADE, RUNS)
    return path


def seeds(found):
    return [run["seed"] for run in found.values()]


def test_what_was_written_is_read(path):
    before = path.read_bytes()
    assert list(ex.read_partial(path, MADE).values()) == RUNS
    assert path.read_bytes() == before


def test_no_file_is_no_runs_and_none_is_made(tmp_path):
    assert ex.read_partial(tmp_path / "NAME.partial.jsonl", MADE) == {}
    assert list(tmp_path.iterdir()) == []


SPOILED = [
    b"",
    b"   ",
    b'{"part": "compa',
    b"\xff\xfe\x00not UTF-8",
    b"\x00" * 40,
    b"3",
    b"null",
    b'"text"',
    b"[1, 2]",
    b"{}",
    b'{"part": "comparison", "learner": "MAML"}',
    json.dumps({**RUNS[1], "seed": [1]}).encode(),
    json.dumps({k: v for k, v in RUNS[1].items() if k != "seconds"}).encode(),
    json.dumps({**RUNS[1], "seconds": "long"}).encode(),
    b"[" * 100_000,
]


@pytest.mark.parametrize("line", SPOILED, ids=lambda line: repr(line[:20]))
@pytest.mark.parametrize("place", [1, 2, 4])
def test_a_spoiled_line_costs_itself_alone(path, line, place):
    lines = path.read_bytes().splitlines()
    lost = json.loads(lines[place])["seed"]
    lines[place] = line
    path.write_bytes(b"\n".join(lines) + b"\n")
    assert seeds(ex.read_partial(path, MADE)) == [seed for seed in range(4) if seed != lost]
    assert all(ex.is_run(json.loads(text)) for text in path.read_text().splitlines()[1:])  # put in order


@pytest.mark.parametrize("line", [*SPOILED[1:6], b'{"config": {"seeds": [0, 1]}}', b'{"code": "abc", "versions": {}}'])
def test_a_damaged_first_line_is_named_as_such_and_nothing_is_thrown_away(path, line):
    path.write_bytes(b"\n".join([line, *path.read_bytes().splitlines()[1:]]) + b"\n")
    before = path.read_bytes()
    with pytest.raises(ex.Refused, match=r"the first line of NAME\.partial\.jsonl is damaged") as refused:
        ex.read_partial(path, MADE)
    assert path.read_bytes() == before
    assert "delete" not in str(refused.value) and "the 4 trainings below" in str(refused.value)
    remedy = str(refused.value).split("move the file aside: ")[1]
    path.write_bytes(b"\n".join([remedy.encode(), *before.splitlines()[1:]]) + b"\n")
    assert seeds(ex.read_partial(path, MADE)) == [0, 1, 2, 3]


def test_a_first_line_that_is_gone_is_damaged_too(path):
    path.write_bytes(b"\n".join(path.read_bytes().splitlines()[1:]) + b"\n")
    with pytest.raises(ex.Refused, match="the 4 trainings below"):
        ex.read_partial(path, MADE)


@pytest.mark.parametrize(
    ("name", "other", "said"),
    [
        ("config", {"seeds": [0]}, "was made with another config"),
        ("code", "abd", "was made by other code of rules and learners"),
        ("versions", {"python": "3.12.1"}, "was made with other versions of Python or packages"),
    ],
)
def test_runs_made_otherwise_are_not_mixed_and_not_thrown_away(path, name, other, said):
    before = path.read_bytes()
    with pytest.raises(ex.Refused, match=said) as refused:
        ex.read_partial(path, MADE | {name: other})
    assert "delete" not in str(refused.value) and path.read_bytes() == before


def test_append_is_on_the_disk_when_it_returns(path):
    ex.append(path, deadly.result(deadly.job(9)))
    assert seeds(ex.read_partial(path, MADE)) == [0, 1, 2, 3, 9]


@pytest.mark.parametrize("fails", ["write half", "write none", "sync"])
def test_a_line_that_does_not_fit_is_taken_back(path, monkeypatch, fails):
    before = path.read_bytes()
    if fails == "sync":
        monkeypatch.setattr(
            ex.os, "fsync", lambda number: (_ for _ in ()).throw(OSError(28, "No space left on device"))
        )
    else:
        resource = pytest.importorskip("resource", reason="this system has no limits of files")
        signal = pytest.importorskip("signal")
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + (20 if fails == "write half" else 0), hard))
    try:
        with pytest.raises(OSError):
            ex.append(path, deadly.result(deadly.job(9)))
    finally:
        if fails != "sync":
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before


# ---------------------------------------------------------------- two runs at once

HOLD = """
import pathlib, sys
from gaml_utils.experiments.partial_file import alone
with alone(pathlib.Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that is writing the file; ends when it is told to."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / f"{NAME}.partial.jsonl")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout.readline() == "mine\n"
        yield process
        process.kill()


def test_a_second_run_on_the_same_file_says_so_and_touches_nothing(holder, whole, here, tmp_path):
    lines = "\n".join(partial_lines(whole)[:5]) + "\n"
    (tmp_path / f"{NAME}.partial.jsonl").write_text(lines)
    with pytest.raises(ex.Refused, match=r"another run is writing sine_numpy\.partial\.jsonl"):
        runner.run(NAME, TINY, tmp_path)
    assert (tmp_path / f"{NAME}.partial.jsonl").read_text() == lines
    assert not (tmp_path / f"{NAME}.json").exists()


@pytest.mark.parametrize("end", ["by itself", "killed"])
def test_when_the_first_has_ended_however_it_did_the_second_goes_on(holder, whole, here, tmp_path, end):
    (holder.stdin.close if end == "by itself" else holder.kill)()
    holder.wait(timeout=300)
    assert apart_from_time(runner.run(NAME, TINY, tmp_path)) == apart_from_time(whole)
    assert [path.name for path in tmp_path.iterdir()] == [f"{NAME}.json"]


# ---------------------------------------------------------------- what the command says

COMMAND = """
import json, pathlib, sys
from gaml_utils.experiments import __main__ as command, files, runner
def run(name, config, *folder, **where):
    return runner.run(name, json.loads(sys.argv[1]), pathlib.Path(sys.argv[2]), **where)
command.run = run
command.main(["sine_numpy"])
"""


def command(folder):
    arguments = [sys.executable, "-c", COMMAND, json.dumps(TINY), str(folder)]
    return subprocess.run(
        arguments, cwd=ROOT, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )


def told(done):
    """The one sentence below the bar."""
    assert done.returncode == 1 and "Traceback" not in done.stderr
    return done.stderr.splitlines()[-2:]


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "a file").write_text("")
    sentence, remedy = told(command(tmp_path / "a file"))
    assert "a file" in sentence and remedy.startswith("What was finished is kept")


def test_another_config_is_one_sentence(tmp_path):
    ex.begin(tmp_path / f"{NAME}.partial.jsonl", MADE, RUNS)
    sentence, _ = told(command(tmp_path))
    assert "was made with another config" in sentence
