"""An empty data folder and a server for every test that reads archives."""

import pooch
import pytest

from tests.support.omniglot_archives import Server


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty data folder and an empty cache."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("GAML_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    return tmp_path


@pytest.fixture
def server():
    server = Server()
    yield server
    server.stop()
