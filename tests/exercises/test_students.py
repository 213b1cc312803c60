"""Answers as students write them: six right and twelve wrong of different kinds to every exercise, per chapter a file.

students_NN.py holds RIGHT and WRONG, {number: list of answers}. The answers were thought of before the check was looked
at. They are Python as a student writes it: loops, lists, float32, TensorFlow, a forgotten return, a factor too many.
"""

import importlib
import pathlib

import pytest

from gaml_utils.exercises import EXERCISES, check

FILES = sorted(pathlib.Path(__file__).parent.glob("students_*.py"))
CHAPTERS = {f.stem[-2:]: importlib.import_module(f"tests.exercises.{f.stem}") for f in FILES}
RIGHT, WRONG = (
    {number: entry for module in CHAPTERS.values() for number, entry in getattr(module, name).items()}
    for name in ("RIGHT", "WRONG")
)


def answers(table):
    return [pytest.param(n, entry, id=f"{n}-{i}") for n, entries in table.items() for i, entry in enumerate(entries)]


def test_every_exercise_is_answered_often_enough():
    assert set(RIGHT) == set(WRONG) == set(EXERCISES)
    assert {n for n, entries in RIGHT.items() if len(entries) < 6} == set()
    assert {n for n, entries in WRONG.items() if len(entries) < 12} == set()


@pytest.mark.parametrize(("number", "answer"), answers(RIGHT))
def test_right_answer_is_accepted(capsys, number, answer):
    assert check(number, answer) is True, capsys.readouterr().out


@pytest.mark.parametrize(("number", "answer"), answers(WRONG))
def test_wrong_answer_is_refused_and_told_why(capsys, number, answer):
    assert check(number, answer) is False
    text = capsys.readouterr().out
    assert text.startswith(f"{number}: ") and len(text.splitlines()) == 1
    assert len(text) > len("1.1: not right: yours is 1.") and "the shape is, but" not in text
