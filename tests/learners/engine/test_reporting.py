"""Without diagnostics a training is the same, bit for bit, and reports the same but for two numbers."""

import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.learners import PrototypicalNetwork, Reptile
from gaml_utils.learners.engine.metrics import DIAGNOSTICS, REPORTED
from gaml_utils.records import TaskBatch
from tests.support.points import WAYS, network, of_classes, points
from tests.support.strangers import made, net, sines

KINDS = {
    "MAML": lambda **compiled: (made(net(), compiled=compiled), sines()),
    "Reptile": lambda **compiled: (made(net(), Reptile, compiled=compiled), sines()),
    "no inner loop": lambda **compiled: (
        made(network(), PrototypicalNetwork, loss=of_classes, compiled=compiled, ways=WAYS),
        points(),
    ),
}


def trained(kind, diagnostics):
    """A learner after two outer steps, its history, and what evaluate gives."""
    learner, batch = KINDS[kind](diagnostics=diagnostics)
    return (
        learner,
        learner.fit(batch, epochs=2, verbose=0).history,
        learner.evaluate(batch, return_dict=True, verbose=0),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_without_diagnostics_two_numbers_are_missing_and_nothing_else_changes(kind):
    (full, *all_numbers), (lean, *fewer) = trained(kind, True), trained(kind, False)
    for a, b in zip(full.outer_variables, lean.outer_variables, strict=True):
        assert a.numpy().tobytes() == b.numpy().tobytes()
    for whole, part in zip(all_numbers, fewer, strict=True):
        assert whole.keys() == set(REPORTED)
        assert part.keys() == set(REPORTED) - set(DIAGNOSTICS)
        for name, values in part.items():
            np.testing.assert_allclose(values, whole[name], rtol=1e-6)
    assert lean.metrics_names == ["loss", "smallest_weight", "negative_weights"]


def test_without_diagnostics_a_step_is_shorter():
    """By the products of a pass over the query sets, and of the cosines."""
    products = []
    for diagnostics in (True, False):
        learner = made(net(), compiled={"diagnostics": diagnostics})
        batch = TaskBatch(*(tf.constant(a, "float32") for a in sines()))
        graph = tf.function(learner.train_step, autograph=False).get_concrete_function(batch).graph
        products.append(sum("MatMul" in op.type for op in graph.get_operations()))
    assert products[0] >= products[1] + 2


@pytest.mark.parametrize("diagnostics", [0, None, "none"])
def test_diagnostics_are_on_or_off(diagnostics):
    with pytest.raises(ValueError, match="diagnostics should be True or False"):
        made(net(), compiled={"diagnostics": diagnostics})
