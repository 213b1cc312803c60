"""The networks of the field for small images: convolutional blocks, with a dense head or without (chapters 08, 15).

Vinyals et al. 2016 (arXiv:1606.04080), section 4.1; with strides for Omniglot, Finn et al. 2017 (arXiv:1703.03400),
section 5.2. Its normalisation layers are those of normalisation.py, so exact MAML is exact.
"""

from typing import Any

import keras

from gaml_utils.checks import check_count
from gaml_utils.networks.context import Context, FiLM
from gaml_utils.networks.normalisation import PACKAGE, BatchNormalization

DOWNSAMPLE = ("stride", "pool")
BLOCKS = 4
LAST = "channels_last"  # whatever the settings of Keras say


def conv4(
    ways: int,
    filters: int = 64,
    downsample: str = "stride",
    shape: tuple = (28, 28, 1),
    dtype: str = "float32",
    context: int = 0,
) -> keras.Model:
    """Images (points, *shape) -> logits (points, ways): for losses with from_logits=True.

    Four blocks of a 3x3 convolution, batch normalisation and ReLU, each halving the sides: by a stride of 2
    ("stride", as Finn et al. have it for Omniglot) or by 2x2 max-pooling ("pool", as for mini-ImageNet). Then the mean
    over what is left of the image, `filters` numbers, and one dense layer, named "head".
    The convolutions have no bias: the normalisation after each would take it out again. Its momentum is 0, so
    the moving statistics of a batch are that batch's own, without the rounding of a long mean.
    context: so many numbers of a task scale and shift the channels of the last two blocks, behind the normalisation
    (for CAML: see networks.context); 0 for none.
    Raises ValueError for another `downsample`, a count below 1 or sides below 16.
    """
    check_count("ways", ways)
    check_count("filters", filters)
    check_count("context", context, at_least=0)
    if downsample not in DOWNSAMPLE:
        raise ValueError(f'downsample should be "stride" or "pool", got {downsample!r}')
    check_shape(shape, BLOCKS)
    strides = 2 if downsample == "stride" else 1
    layers = keras.layers
    x = h = keras.Input(shape, dtype=dtype, name="image")
    phi = Context(context, append=False, dtype=dtype, name="context")(x) if context else None
    for k in range(1, BLOCKS + 1):
        h = normalised(h, k, filters, strides, dtype)
        if phi is not None and k > BLOCKS - 2:
            h = FiLM(dtype=dtype, name=f"film{k}")([h, phi])
        h = layers.ReLU(dtype=dtype, name=f"relu{k}")(h)
        if downsample == "pool":
            h = layers.MaxPooling2D(2, data_format=LAST, dtype=dtype, name=f"pool{k}")(h)
    h = layers.GlobalAveragePooling2D(LAST, dtype=dtype, name="mean")(h)
    return keras.Model(x, layers.Dense(ways, dtype=dtype, name="head")(h), name="conv4")


def zero_head(ways: int, filters: int = 64, shape: tuple = (28, 28, 1), dtype: str = "float32") -> keras.Model:
    """Images (points, *shape) -> logits (points, ways); the head starts, and stays outside the inner loop, at zero.

    Episodes number their classes anew, so no row of an initial head can mean anything: equal rows lose nothing (Ye and
    Chao 2022, arXiv:2106.16245). From zero, one inner step of the head alone, fast="head/*" (ANIL, Raghu et al.
    2020, arXiv:1909.09157), makes row c the mean feature of class c, less the mean of all: features of one length are
    then compared by their angle.
    Four blocks as in conv4, with strides 2, 2, 2, 1 and no ReLU after the last, then all features, scaled to length 1.
    """
    check_count("ways", ways)
    check_count("filters", filters)
    layers = keras.layers
    x = h = keras.Input(shape, dtype=dtype, name="image")
    for k, strides in enumerate((2, 2, 2, 1), start=1):
        h = normalised(h, k, filters, strides, dtype)
        h = layers.ReLU(dtype=dtype, name=f"relu{k}")(h) if k < BLOCKS else h
    h = layers.Flatten(LAST, dtype=dtype, name="flat")(h)
    h = layers.UnitNormalization(dtype=dtype, name="length1")(h)
    still = {"dtype": dtype, "kernel_initializer": "zeros", "kernel_constraint": to_zero, "bias_constraint": to_zero}
    return keras.Model(x, layers.Dense(ways, **still, name="head")(h), name="zero_head")


def encoder(
    filters: int = 64,
    strides: tuple = (2, 2, 2, 2),
    flat: bool = True,
    shape: tuple = (28, 28, 1),
    dtype: str = "float32",
) -> keras.Model:
    """Images (points, *shape) -> features (points, features): conv4 without mean and head, for learners that compare.

    One block for each stride, as in conv4; then all features: 4 filters for 28 x 28 pixels and strides of 2.
    flat=False: feature maps (points, height, width, filters), for RelationNetwork, which takes strides (2, 2, 1, 1).
    Raises ValueError for filters or strides below 1, or sides too small for them.
    """
    check_count("filters", filters)
    if not isinstance(strides, tuple | list) or not strides:
        raise ValueError(f"strides should be one whole number for each block, such as (2, 2, 2, 2), got {strides!r}")
    for stride in strides:
        check_count("strides", stride)
    check_shape(shape, sum(stride > 1 for stride in strides))
    x = h = keras.Input(shape, dtype=dtype, name="image")
    for k, stride in enumerate(strides, start=1):
        h = keras.layers.ReLU(dtype=dtype, name=f"relu{k}")(normalised(h, k, filters, stride, dtype))
    return keras.Model(x, keras.layers.Flatten(LAST, dtype=dtype, name="flat")(h) if flat else h, name="encoder")


def relation_module(
    filters: int = 64, hidden: int = 8, shape: tuple = (7, 7, 128), dtype: str = "float32"
) -> keras.Model:
    """Two images' feature maps, one behind the other, (pairs, *shape) -> how alike they are, (pairs, 1), a logit.

    Two convolutions with stride 2 and ReLU, then two dense layers. Sung et al. 2018 (arXiv:1711.06025); theirs have
    batch normalisation, which would let a pair's score depend on the other pairs.
    """
    check_count("filters", filters)
    check_count("hidden", hidden)
    check_shape(shape, 1)
    layers = keras.layers
    x = h = keras.Input(shape, dtype=dtype, name="pair")
    for k in (1, 2):
        h = layers.Conv2D(filters, 3, 2, "same", LAST, activation="relu", dtype=dtype, name=f"conv{k}")(h)
    h = layers.Dense(hidden, "relu", dtype=dtype, name="dense")(layers.Flatten(LAST, dtype=dtype, name="flat")(h))
    return keras.Model(x, layers.Dense(1, dtype=dtype, name="score")(h), name="relation")


def normalised(h: Any, k: int, filters: int, strides: int, dtype: str) -> Any:
    """Block k up to its normalisation: a 3x3 convolution, and what a batch's own statistics make of it."""
    convolution = keras.layers.Conv2D(filters, 3, strides, "same", LAST, use_bias=False, dtype=dtype, name=f"conv{k}")
    return BatchNormalization(momentum=0.0, dtype=dtype, name=f"norm{k}")(convolution(h))


def check_shape(shape: tuple, blocks: int) -> None:
    """Raise ValueError unless images of this shape can be halved so many times."""
    if len(shape) != 3 or min(shape[:2]) < 2**blocks:
        raise ValueError(f"shape should be (height, width, channels), both sides at least {2**blocks}, got {shape}")


@keras.saving.register_keras_serializable(PACKAGE)
def to_zero(w: Any) -> Any:
    """A Keras constraint: whatever the outer step made of it, back to zero."""
    return 0 * w
