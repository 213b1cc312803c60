"""JupyterLab's settings of this repository: looking at a chapter leaves it as it was, and no question comes first."""

import asyncio
import json
import shutil

import pytest
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from traitlets.config import PyFileConfigLoader

from tests.support.checkout import ROOT

SETTINGS = ROOT / ".jupyter"
CHAPTER = "04_when_gradients_disagree.ipynb"


@pytest.fixture
def manager(tmp_path):
    """The server's manager of files, as `make lab` sets it, over a folder with one chapter."""
    config = PyFileConfigLoader("jupyter_server_config.py", path=str(SETTINGS)).load_config()
    shutil.copy(ROOT / "notebooks" / CHAPTER, tmp_path)
    return config.ServerApp.contents_manager_class(root_dir=str(tmp_path), config=config)


def opened(manager, name=CHAPTER):
    return asyncio.run(manager.get(name))


def saved(manager, model, name=CHAPTER):
    """What JupyterLab does when the reader saves."""
    wanted = {"type": model["type"], "format": model["format"], "content": model["content"]}
    return asyncio.run(manager.save(wanted, name))


def test_a_chapter_says_already_which_python_will_run_it(manager):
    """JupyterLab asks the kernel and compares: what differs marks the chapter as changed."""
    from ipykernel.ipkernel import IPythonKernel

    assert opened(manager)["content"]["metadata"]["language_info"] == IPythonKernel.language_info
    assert opened(manager)["content"]["metadata"]["kernelspec"]["name"] == "python3"


def test_a_chapter_that_was_only_looked_at_is_saved_as_it_was(manager, tmp_path):
    saved(manager, opened(manager))
    assert (tmp_path / CHAPTER).read_bytes() == (ROOT / "notebooks" / CHAPTER).read_bytes()


def test_what_a_reader_writes_is_kept(manager, tmp_path):
    model = opened(manager)
    model["content"]["cells"][0]["source"] = "# mine"
    saved(manager, model)
    assert json.loads((tmp_path / CHAPTER).read_text())["cells"][0]["source"] == ["# mine"]


def test_notebooks_of_other_languages_and_other_files_are_left_alone(manager, tmp_path):
    other = {
        "cells": [],
        "metadata": {"language_info": {"name": "julia", "version": "1.9"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (tmp_path / "other.ipynb").write_text(json.dumps(other))
    (tmp_path / "bare.ipynb").write_text(json.dumps(other | {"metadata": {}}))
    (tmp_path / "notes.txt").write_text("notes")
    assert opened(manager, "other.ipynb")["content"]["metadata"] == other["metadata"]
    saved(manager, opened(manager, "other.ipynb"), "other.ipynb")
    assert json.loads((tmp_path / "other.ipynb").read_text())["metadata"] == other["metadata"]
    saved(manager, opened(manager, "bare.ipynb"), "bare.ipynb")
    assert opened(manager, "notes.txt")["content"] == "notes"
    assert asyncio.run(manager.get(""))["type"] == "directory"
    assert asyncio.run(manager.get(CHAPTER, content=False))["content"] is None


def test_the_manager_is_the_servers_own_but_for_that(manager):
    assert isinstance(manager, AsyncLargeFileManager)


def test_no_question_about_news():
    overrides = json.loads((SETTINGS / "labconfig" / "default_setting_overrides.json").read_text(encoding="utf-8"))
    assert overrides["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


def test_make_lab_serves_the_whole_repository():
    """So that links out of the chapters lead somewhere."""
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").split("\nlab:")[1].split("\n\n")[0]
    assert "--ServerApp.root_dir=. notebooks/00_start_here.ipynb" in recipe
    assert 'JUPYTER_CONFIG_PATH="$(CURDIR)/.jupyter"' in recipe
