"""What is stored of an experiment."""

import pytest

from gaml_utils.experiments import registry


@pytest.mark.parametrize("name", registry.EXPERIMENTS)
def test_tensorflows_version_is_stored_where_images_are_trained_on(name):
    """Images are Keras's, numbers NumPy's."""
    experiment = registry.experiment(name)
    families = {setting["family"] for setting in experiment.config.get("settings", {}).values()}
    assert experiment.keras == ("filters" in experiment.config or "glyphs" in families)
