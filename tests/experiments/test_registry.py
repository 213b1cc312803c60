"""What is stored of an experiment."""

import pytest

from gaml_utils.experiments import registry


@pytest.mark.parametrize("name", registry.EXPERIMENTS)
def test_tensorflows_version_is_stored_where_keras_trains(name):
    """On images; numbers are NumPy's, but for the other learners and the arms."""
    experiment = registry.experiment(name)
    families = {setting["family"] for setting in experiment.config.get("settings", {}).values()}
    images = "filters" in experiment.config or "glyphs" in families
    assert experiment.keras == (images or name in ("learners_sines", "imitation", "imitation_mujoco"))
