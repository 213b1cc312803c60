"""Networks and losses of learners on images: what a plan's `network` and `loss` mean."""

from typing import Any

from gaml_utils.checks import known


def image_network(config: Any, settings: dict) -> tuple[Any, dict]:
    """(model, what else the learner is made with), by the settings' `network`: conv4 where there is none."""
    import keras

    from gaml_utils.networks import conv4, encoder, relation_module

    filters = config["filters"]

    def features() -> tuple[Any, dict]:
        return encoder(filters), {}

    def precisions() -> tuple[Any, dict]:
        inside = encoder(filters)
        return keras.Sequential([inside, keras.layers.Dense(inside.output_shape[-1] + 1)]), {}

    def maps() -> tuple[Any, dict]:
        relation = relation_module(filters, shape=(7, 7, 2 * filters))
        return encoder(filters, strides=(2, 2, 1, 1), flat=False), {"relation": relation}

    if "network" not in settings:
        return conv4(config["ways"], filters, context=settings.get("context", 0)), {}
    return known("network", settings["network"], {"features": features, "precisions": precisions, "maps": maps})()


def image_loss(settings: dict) -> Any:
    """The loss by the settings' `loss`: cross-entropy of the classes where there is none."""
    import keras

    from gaml_utils.learners.metric import pair_cross_entropy

    if "loss" not in settings:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return known("loss", settings["loss"], {"pair cross-entropy": pair_cross_entropy})
