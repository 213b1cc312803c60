"""One line that makes a chapter's outputs the same everywhere (chapter 00)."""

import os
import sys
import warnings

from gaml_utils.memory import keep_freed_memory

SWITCHES = {"TF_ENABLE_ONEDNN_OPTS": "0", "TF_CPP_MIN_LOG_LEVEL": "3"}


def reproducible() -> None:
    """Settle what the outputs of a chapter depend on, in this process. A chapter's first line, before TensorFlow.

    NumPy's matrix products get one thread: the matrices of the chapters are small, and on a busy machine threads that
    wait for each other made a chapter many times slower (OPENBLAS_NUM_THREADS overrules it). TensorFlow, when it is
    imported later, uses the same arithmetic everywhere (oneDNN off) and writes no log; values already set in the
    environment stand. Figures get the style of the series, and freed memory is kept for the next step.
    Warns if TensorFlow is there already: it reads its switches when it is imported.
    """
    late = "tensorflow" in sys.modules and any(name not in os.environ for name in SWITCHES)
    for name, value in SWITCHES.items():
        os.environ.setdefault(name, value)
    if late:
        warnings.warn("call reproducible() before TensorFlow is imported: it came too late for it", stacklevel=2)
    keep_freed_memory()
    from gaml_utils.plotting.style import use_style

    use_style()
    import numpy  # noqa: F401, so that its matrix products are there to be limited
    from threadpoolctl import threadpool_limits

    if "OPENBLAS_NUM_THREADS" not in os.environ:
        threadpool_limits(limits=1, user_api="blas")
