"""The self-checks of chapter 06 and later: right answers pass however they are written, classic mistakes are named."""

import importlib
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.exercises import EXERCISES as ALL
from gaml_utils.exercises import check
from tests.exercises import answers_07

EXERCISES = {number: ALL[number] for number in ALL if float(number) >= 6}
FILES = sorted(pathlib.Path(__file__).parent.glob("answers_*.py"))  # one file per chapter, found by its name
ANSWERS = {int(f.stem[-2:]): importlib.import_module(f"tests.exercises.{f.stem}") for f in FILES}
RIGHT, WRONG, ALSO_WRONG = (
    {number: entry for module in ANSWERS.values() for number, entry in getattr(module, name).items()}
    for name in ("RIGHT", "WRONG", "ALSO_WRONG")
)
every_exercise = pytest.mark.parametrize("exercise", EXERCISES)


def ask(capsys, exercise, answer):
    right = check(exercise, answer)
    text = capsys.readouterr().out
    assert text.startswith(f"{exercise}: ") and text.endswith("\n") and len(text.splitlines()) == 1
    return right, text


def cases(table):
    return [pytest.param(n, entry, id=f"{n}-{i}") for n, entries in table.items() for i, entry in enumerate(entries)]


def mistakes():
    return [pytest.param(n, word, answer, id=f"{n}-{word}") for n, rows in WRONG.items() for word, answer in rows]


def test_the_exercises_of_these_chapters_are_registered_and_answered_here():
    assert list(EXERCISES) == [f"{chapter}.{k}" for chapter in ANSWERS for k in (1, 2, 3, 4)]
    assert list(RIGHT) == list(WRONG) == list(ALSO_WRONG) == list(EXERCISES)


def test_the_exercises_start_without_tensorflow():
    script = "import sys, gaml_utils.exercises; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize(("exercise", "answer"), cases(RIGHT))
def test_right_answer_is_accepted_however_it_is_written(capsys, exercise, answer):
    assert ask(capsys, exercise, answer) == (True, f"{exercise}: right.\n")


@pytest.mark.parametrize(("exercise", "word", "answer"), mistakes())
def test_classic_mistake_is_rejected_and_named(capsys, exercise, word, answer):
    right, text = ask(capsys, exercise, answer)
    assert right is False
    assert word in text


@every_exercise
def test_each_mistake_gets_a_hint_of_its_own_and_each_hint_is_reached(capsys, exercise):
    hints = [ask(capsys, exercise, answer)[1] for _, answer in WRONG[exercise]]
    assert len(set(hints)) == len(hints) == len(EXERCISES[exercise].mistakes) >= 5


@pytest.mark.parametrize(("exercise", "answer"), cases(ALSO_WRONG))
def test_other_wrong_answer_is_rejected(capsys, exercise, answer):
    right, text = ask(capsys, exercise, answer)
    assert right is False
    assert "right." not in text


@pytest.mark.parametrize("exercise", [n for n in EXERCISES if n not in ("6.3", "8.1")])  # yes or no; four rows
def test_answer_a_little_off_is_rejected(capsys, exercise):
    factor = 1.001 if float(exercise) < 7 else 1.0001  # 6.1 and 6.2 may be answered by differences
    right, text = ask(capsys, exercise, lambda *case: factor * np.array(RIGHT[exercise][0](*case)))
    assert right is False
    assert "it should be" in text


def test_power_of_a_negative_score_is_told_to_be_nan(capsys):
    scores = answers_07.score_list
    right, text = ask(capsys, "7.3", lambda g, p: answers_07.over_absolute_sum(np.array(scores(g)) ** p))
    assert right is False
    assert "NaN" in text


def raises(*case):
    raise RuntimeError("no such thing\nsecond line")


@every_exercise
@pytest.mark.parametrize(
    "answer",
    [
        ...,
        None,
        3.0,
        "text",
        raises,
        lambda: 1,
        lambda *case: None,
        lambda *case: ...,
        lambda *case: case,
        lambda *case: {},
        lambda *case: np.nan,
        lambda *case: np.zeros((0, 3)),
        lambda *case: tf.constant("text"),
        lambda *case: tf.ones(7) * np.inf,
        lambda *case: object(),
    ],
)
def test_never_raises_and_never_accepts_nonsense(capsys, exercise, answer):
    assert ask(capsys, exercise, answer)[0] is False


@every_exercise
@pytest.mark.parametrize("answer", [..., None, lambda *case: ...])
def test_dots_are_not_attempted(capsys, exercise, answer):
    assert "not attempted yet" in ask(capsys, exercise, answer)[1]
