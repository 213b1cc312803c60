"""Learners that compare a query with the support set, instead of adapting to it. Chapter 15."""

from gaml_utils.learners.metric.base import MetricLearner
from gaml_utils.learners.metric.matching import MatchingNetwork
from gaml_utils.learners.metric.prototypical import (
    GaussianPrototypicalNetwork,
    PrototypicalNetwork,
    SemiSupervisedPrototypicalNetwork,
)
from gaml_utils.learners.metric.relation import RelationNetwork, pair_squared_error
from gaml_utils.learners.metric.siamese import SiameseNetwork, pair_cross_entropy

__all__ = [
    "GaussianPrototypicalNetwork",
    "MatchingNetwork",
    "MetricLearner",
    "PrototypicalNetwork",
    "RelationNetwork",
    "SemiSupervisedPrototypicalNetwork",
    "SiameseNetwork",
    "pair_cross_entropy",
    "pair_squared_error",
]
