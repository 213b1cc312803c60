"""What the environment and the settings file of Keras say is told, and changes no result in silence."""

import json
import os
import subprocess
import sys

import pytest

from gaml_utils import keras_settings
from gaml_utils.setup_check import check_setup

OTHERWISE = {
    "backend": "jax",
    "image_data_format": "channels_first",
    "floatx": "float64",
    "epsilon": 1e-3,
}


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    return tmp_path


def test_what_keras_has_by_itself_is_ready(home):
    assert keras_settings.keras_problems() == []
    (home / "keras.json").write_text(json.dumps(keras_settings.NEEDED))
    assert keras_settings.keras_problems() == []
    (home / "keras.json").write_text("{damaged")
    assert keras_settings.keras_problems() == []


@pytest.mark.parametrize("name", OTHERWISE)
def test_each_setting_is_told_with_the_file(home, name, capsys):
    (home / "keras.json").write_text(json.dumps({name: OTHERWISE[name]}))
    assert check_setup() is False
    text = capsys.readouterr().out
    assert f"Keras has {name} {OTHERWISE[name]!r}" in text and "keras.json" in text and "Ready" not in text


def test_the_variable_is_told(home, monkeypatch, capsys):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert check_setup() is False
    assert "KERAS_BACKEND" in capsys.readouterr().out


def run(script, **variables):
    return subprocess.run(
        [sys.executable, "-c", script], env=os.environ | variables, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("module", ["learners", "networks", "learners.maml", "networks.convolutional"])
def test_another_backend_is_an_import_error_with_the_remedy(module):
    done = run(f"import gaml_utils.{module}", KERAS_BACKEND="jax")
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1 and last.startswith("ImportError: gaml_utils needs Keras on TensorFlow")
    assert "KERAS_BACKEND" in last


def test_the_networks_are_the_same_whatever_the_settings_say(home):
    script = (
        "import keras, numpy as np; from gaml_utils.networks import conv4, zero_head\n"
        "for make in (conv4, zero_head):\n"
        "    keras.utils.set_random_seed(0); m = make(3, 4)\n"
        "    print(m(np.ones((2, 28, 28, 1), 'float32')).numpy().tolist(), [(v.shape, v.dtype) for v in m.variables])"
    )
    plain = run(script, KERAS_HOME=str(home))
    (home / "keras.json").write_text(json.dumps({"image_data_format": "channels_first", "floatx": "float64"}))
    assert plain.returncode == 0 and run(script, KERAS_HOME=str(home)).stdout == plain.stdout
