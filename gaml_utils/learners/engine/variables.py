"""A Keras model as a function of explicit variables, and what becomes of each kind of variable that is not trained.

Moving statistics stay as they are in meta-training. Random layers start from a seed of their own at each outer step
and for each task. Any other state, a counter or the vectors of a spectral normalisation, lives on: after an outer step
it is the mean over the tasks of what their support sets have made of it, the largest where it holds whole numbers.
"""

from typing import Any

import keras
import tensorflow as tf

from gaml_utils.networks.inspection import leaves

DRAWS = 2**16  # of one random layer, in one task's inner loop: tasks' seeds lie as far apart


class ModelVariables:
    """The variables of a model by kind; `call` runs the model on others in their places."""

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.trainable, self.other = list(model.trainable_variables), list(model.non_trainable_variables)
        moving: dict[int, float] = {}
        for layer in leaves(model):
            if isinstance(layer, keras.layers.BatchNormalization):
                moving |= {id(v): layer.momentum for v in (layer.moving_mean, layer.moving_variance)}
        self.momentum = [moving.get(id(v)) for v in self.other]
        self.is_seed = [v.path.endswith("seed_generator_state") for v in self.other]
        known = zip(self.momentum, self.is_seed, strict=True)
        self.lasting = [k for k, (momentum, seed) in enumerate(known) if momentum is None and not seed]
        self.spectral = [layer for layer in leaves(model) if isinstance(layer, keras.layers.SpectralNormalization)]

    def are_those_of(self, model: keras.Model) -> bool:
        """Does the model still have the same trainable variables? Not so after layer.trainable = False."""
        return [id(v) for v in model.trainable_variables] == [id(v) for v in self.trainable]

    def state(self, step: Any, task: Any = 0) -> list:
        """The non-trainable state of an outer step; seeds are those of the step and the task."""
        values = []
        for v, is_seed in zip(self.other, self.is_seed, strict=True):
            value = tf.convert_to_tensor(v)
            if is_seed:  # its second number counts draws within a step
                step, task = (tf.cast(tf.convert_to_tensor(n), value.dtype) for n in (step, task))
                value = value + tf.stack([step, DRAWS * task])
            values.append(value)
        return values

    def call(self, theta: list, x: Any, state: list, training: bool) -> tuple[Any, list, list]:
        """Outputs, the new state, and the losses that regularisers and layers add. The model's own values stay.

        Raises ValueError for a layer that writes into its trainable variables (SpectralNormalization is known).
        """
        mapping = [*zip(self.trainable, theta, strict=True), *zip(self.other, state, strict=True)]
        with keras.StatelessScope(state_mapping=mapping, collect_losses=True) as scope:
            outputs = self.model(x, training=training)
            added = list(self.model.losses)
        if not tf.is_tensor(outputs):
            raise ValueError(f"model should have one output, a tensor, got {type(outputs).__name__}: join them to one")
        known = {id(layer.kernel) for layer in self.spectral}
        for v, value in zip(self.trainable, theta, strict=True):
            if scope.get_current_value(v) is not value and id(v) not in known:
                raise ValueError(f"model should not write into its trainable variables, but assigns {v.path} in call")
        return outputs, [scope.get_current_value(v) for v in self.other], added

    def as_judged(self, theta: list, state: list) -> list:
        """theta as training sees it: with the kernels that a SpectralNormalization divides by their largest value.

        Keras does so in training alone, and leaves the quotient in the kernel.
        """
        if not self.spectral:
            return theta
        mapping = [*zip(self.trainable, theta, strict=True), *zip(self.other, state, strict=True)]
        places = {id(v): k for k, v in enumerate(self.trainable)}
        new = list(theta)
        with keras.StatelessScope(state_mapping=mapping):
            for layer in self.spectral:
                k = places.get(id(layer.kernel))
                if k is not None:
                    zero = tf.reduce_all(tf.equal(theta[k], 0))
                    new[k] = tf.where(zero, theta[k], layer.normalized_weights()[1])
        return new

    def lasting_state(self, state: list) -> list:
        """What is to live on of one task's state."""
        return [state[k] for k in self.lasting]

    def live_on(self, states: list) -> None:
        """Take over what the tasks left: `lasting_state` of each, stacked."""
        for k, values in zip(self.lasting, states, strict=True):
            mean = tf.reduce_mean if values.dtype.is_floating else tf.reduce_max
            self.other[k].assign(mean(tf.cast(values, tf.int32) if values.dtype == tf.bool else values, axis=0))
