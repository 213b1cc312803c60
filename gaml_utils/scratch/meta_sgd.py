"""Meta-SGD's outer gradient in NumPy: the inner step sizes are learned, one per parameter. Derived in chapter 12."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gaml_utils.checks import as_numbers, check_source
from gaml_utils.records import MetaResult, TaskBatch
from gaml_utils.scratch import mlp
from gaml_utils.scratch.checks import check_batch, check_fit, check_params
from gaml_utils.scratch.inner_loop import _weights
from gaml_utils.scratch.parameters import as_layers, flatten, unflatten
from gaml_utils.weighting.agreement import uniform_weights


def with_rates(params: list, inner_lr: float = 0.01) -> list[np.ndarray]:
    """[W1, b1, ..., and a rate for each of their entries], all rates inner_lr: what meta_sgd_direction takes."""
    params = check_params(params)
    return [*params, *(np.full(p.shape, float(inner_lr)) for p in params)]


def meta_sgd_direction(
    params: list,
    batch: TaskBatch,
    activation: str = "relu",
    weighting: Callable = uniform_weights,
    source: str = "updates",
) -> MetaResult:
    """Meta-SGD's outer gradient, by theta and alpha, of sum_i w_i L_i(theta - alpha o G_support,i); one inner step.

    Li et al. 2017 (arXiv:1707.09835), Algorithm 1. With G_support and G_query the gradients at theta and at theta':
    by alpha -G_support o G_query, entry by entry; by theta G_query - H_support (alpha o G_query).

    params: [W1, b1, ..., alpha_W1, alpha_b1, ...], see with_rates; a rate may have either sign. Otherwise as
    meta_gradient. The MetaResult's gradient is like params; source="outer" compares all of it.
    """
    theta_list, alpha_list = split_rates(params)
    batch = check_batch(batch)
    check_fit(theta_list, *batch)
    check_source(source)
    theta, alpha = flatten(theta_list), flatten(alpha_list)
    layers = as_layers(theta, theta_list)
    G_support, G_query = np.empty((2, len(batch.support_x), theta.size))
    trace = mlp.gradient(layers, *batch[:2], activation, as_layers(G_support, theta_list))
    updates = alpha * G_support
    query = mlp.gradient(as_layers(theta - updates, theta_list), *batch[2:], activation, as_layers(G_query, theta_list))
    along = as_layers(alpha * G_query, theta_list)
    by_theta = G_query - flatten(mlp.hessian_vector_product(layers, along, trace, activation), 1)
    directions = np.concatenate([by_theta, -G_support * G_query], axis=1)
    compared = {"updates": updates, "outer": directions, "losses": query.loss[:, None]}[source]
    w = _weights(weighting, compared)
    return MetaResult(unflatten(w @ directions, [*theta_list, *alpha_list]), w, query.loss)


def split_rates(params: Any) -> tuple[list, list]:
    """theta and alpha, or a ValueError where a rate has not the shape of its parameter."""
    if not isinstance(params, list | tuple) or len(params) % 4:
        raise ValueError("params should be [W1, b1, ..., alpha_W1, alpha_b1, ...]: with_rates(params) makes it")
    half = len(params) // 2
    theta, alpha = check_params(params[:half]), [as_numbers("params", a, "arrays") for a in params[half:]]
    for p, rate in zip(theta, alpha, strict=True):
        if rate.shape != p.shape or not np.isfinite(rate).all():
            raise ValueError(f"params should have a finite rate for each entry, {p.shape}, got shape {rate.shape}")
    return theta, alpha
