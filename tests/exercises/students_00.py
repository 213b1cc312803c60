"""Chapter 00 as students answer it."""

import math
from fractions import Fraction

import numpy as np
import tensorflow as tf

RIGHT = {
    "0.1": [10, 10.0, np.int64(10), np.float32(10), np.array(10), tf.constant(10), Fraction(10).numerator, 250 / 25],
    "0.2": [0.6, 1 - 0.1 * 4, np.float32(0.6), np.array(0.6), tf.constant(0.6), 3 / 5, 0.60000001],
    "0.3": [1 / 3, 0.333333, 0.3333, 0.333, np.mean([1, 1, -1]), np.float32(1 / 3), tf.reduce_mean([1.0, 1.0, -1.0])],
}
WRONG = {
    "0.1": [20, 25, 250, 500, 100, 1, 0, 10.5, -10, [10], [10] * 25, "10", 35, True, math.inf, 9],
    "0.2": [1.4, 0.4, -0.4, -3.0, 5.0, 3.9, 1.0, 0.96, 0.06, [0.6], "0.6", 0.16, 1 - 0.1**2 * 4, 0.61, math.nan],
    "0.3": [1, 0, 2 / 3, -1 / 3, 3, 0.3, 0.5, 1 / 9, [1 / 3] * 3, "1/3", (1 / 3, 1 / 3, -1 / 3), 0.34, -1, 0.25],
}
