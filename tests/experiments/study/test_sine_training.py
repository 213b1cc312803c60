"""Who asks in training, and who in the test."""

import numpy as np

from gaml_utils.experiments.study import sine_training as work


def test_outliers_are_met_in_training_alone_and_two_modes_in_both():
    training, testing = work.sine_tasks("noise", 0.2)
    assert testing is work.SINES and training.share == 0.2
    training, testing = work.sine_tasks("two modes", 0.5)
    assert training is testing
    batch = work.OTHERS["shifted phase"].sample(np.random.default_rng(0), 50, 100, 1)
    assert np.abs(batch.support_y).max() <= 5  # gradients as long as the family's
