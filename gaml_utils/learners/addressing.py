"""Where in a memory to read and to write: weights over its rows. Least recently used access, and the NTM's. Chapter 15.

Santoro et al. 2016 (arXiv:1605.06065) and Graves, Wayne and Danihelka 2014 (arXiv:1410.5401). A memory is
(..., rows, width); weights over rows are (..., heads, rows), each head's above 0 with a sum of 1.
"""

from typing import Any

import tensorflow as tf

TINY = 1e-8  # below the length of any row that holds something


def content_weights(key: tf.Tensor, memory: tf.Tensor, strength: Any = 1.0) -> tf.Tensor:
    """softmax over the rows of strength * cosine(key, row): (..., heads, rows). key: (..., heads, width).

    Santoro et al., equations 2 and 3, where strength is 1; the NTM's equation 5, where it is beta. A row of 0 has the
    cosine 0. Cosines lie in -1 to 1: with strength 1 all of many rows are read nearly alike.
    """
    dots = tf.matmul(key, memory, transpose_b=True)
    lengths = tf.norm(key, axis=-1, keepdims=True) * tf.norm(memory, axis=-1)[..., None, :]
    return tf.nn.softmax(strength * dots / tf.maximum(lengths, tf.constant(TINY, dots.dtype)))


def read(weights: tf.Tensor, memory: tf.Tensor) -> tf.Tensor:
    """The rows' weighted sum, (..., heads, width): Santoro et al., equation 4."""
    return tf.matmul(weights, memory)


def least_used(usage: tf.Tensor, heads: int) -> tf.Tensor:
    """(..., heads, rows): for each head one row, with weight 1; head j takes the row with the j-th lowest usage.

    Santoro et al., equation 6. usage: (..., rows). A constant for gradients.
    """
    _, rows = tf.math.top_k(-usage, heads)
    return tf.one_hot(rows, usage.shape[-1], dtype=usage.dtype)


def write_weights(gate: tf.Tensor, last_read: tf.Tensor, least: tf.Tensor) -> tf.Tensor:
    """Where each head writes: gate to what it read last, the rest to its least used row. Santoro et al., equation 7.

    gate: (..., heads, 1), from 0 to 1. last_read, least: (..., heads, rows).
    """
    return gate * last_read + (1 - gate) * least


def write(memory: tf.Tensor, weights: tf.Tensor, key: tf.Tensor, least: tf.Tensor) -> tf.Tensor:
    """The least used rows are cleared, then each head adds its key where it writes: Santoro et al., equation 8."""
    kept = memory * (1 - tf.reduce_sum(least, axis=-2))[..., None]
    return kept + tf.matmul(weights, key, transpose_a=True)


def interpolated(weights: tf.Tensor, last: tf.Tensor, gate: Any) -> tf.Tensor:
    """The NTM's equation 7: with gate 0 stay, with 1 go by content. gate: a number, or (..., heads, 1)."""
    return gate * weights + (1 - gate) * last


def shifted(weights: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
    """The NTM's equation 8: moved round the ring of rows; shift: (..., heads, 3), how likely by -1, 0 and +1."""
    moves = [tf.roll(weights, step, axis=-1) for step in (-1, 0, 1)]
    return tf.add_n([shift[..., k : k + 1] * moved for k, moved in enumerate(moves)])


def sharpened(weights: tf.Tensor, power: Any) -> tf.Tensor:
    """The NTM's equation 9: w^power over its sum; power: a number, or (..., heads, 1), of at least 1."""
    raised = weights**power
    return raised / tf.reduce_sum(raised, axis=-1, keepdims=True)


def erased_and_added(memory: tf.Tensor, weights: tf.Tensor, erase: tf.Tensor, add: tf.Tensor) -> tf.Tensor:
    """The NTM's equations 3 and 4, for one head: memory (rows, width), weights (rows,), erase and add (width,)."""
    return memory * (1 - weights[:, None] * erase) + weights[:, None] * add
