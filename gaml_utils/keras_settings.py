"""What Keras takes from outside the code, its environment variables and settings file, and what the series needs."""

import json
import os
import pathlib
import sys
from typing import Any

NEEDED = {"backend": "tensorflow", "image_data_format": "channels_last", "floatx": "float32", "epsilon": 1e-7}


def settings_file() -> pathlib.Path:
    """Where Keras looks for its settings: $KERAS_HOME/keras.json, ~/.keras/keras.json."""
    home = os.environ.get("KERAS_HOME")
    return (pathlib.Path(home) if home else pathlib.Path(os.path.expanduser("~"), ".keras")) / "keras.json"


def keras_settings() -> dict[str, tuple[Any, str]]:
    """name -> (value, who says so), without importing Keras; only what is said, not what Keras has by itself."""
    found: dict[str, tuple[Any, str]] = {}
    try:
        stored = json.loads(settings_file().read_text(encoding="utf-8"))
        found = {name: (stored[name], str(settings_file())) for name in NEEDED if name in stored}
    except (OSError, ValueError, TypeError):  # no such file; Keras does without a damaged one
        pass
    if os.environ.get("KERAS_BACKEND"):
        found["backend"] = os.environ["KERAS_BACKEND"], "the environment variable KERAS_BACKEND"
    return found


def keras_problems() -> list[str]:
    """What is set otherwise than the series needs it, a sentence each with what mends it."""
    return [
        f"Keras has {name} {value!r}, the chapters need {NEEDED[name]!r}: change it in {source}."
        for name, (value, source) in keras_settings().items()
        if value != NEEDED[name]
    ]


def require_tensorflow() -> None:
    """Raise ImportError, with the remedy, where Keras runs on something else than TensorFlow."""
    if "keras" in sys.modules:
        backend, source = sys.modules["keras"].config.backend(), "KERAS_BACKEND, before Keras is imported"
    else:
        backend, source = keras_settings().get("backend", ("tensorflow", ""))
    if backend != "tensorflow":
        raise ImportError(
            f"gaml_utils needs Keras on TensorFlow, but its backend is {backend!r}: change it in {source}."
        )
