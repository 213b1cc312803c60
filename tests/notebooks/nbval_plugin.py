"""Loaded with -p tests.notebooks.nbval_plugin: strict nbval, but warnings and bars on stderr are not compared."""

from collections.abc import Generator

import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_collect_file() -> Generator:
    """Extend what nbval skips on the notebook it has just collected."""
    outcome = yield
    collected = outcome.get_result() or []
    for notebook in collected if isinstance(collected, list) else [collected]:
        if hasattr(notebook, "skip_compare"):
            notebook.skip_compare = (*notebook.skip_compare, "stderr")
