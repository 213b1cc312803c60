"""Who asks: families of regression tasks, mixtures of them, episodes of images, and an arm that reaches."""

from gaml_utils.tasks.augmentation import affine_wobble, centred, elastic_wobble
from gaml_utils.tasks.clusters import ClusterTasks, cluster, same_label_pairs, task_purities
from gaml_utils.tasks.episodes import EpisodeTasks
from gaml_utils.tasks.mixtures import Mislabelled, Mixture
from gaml_utils.tasks.physics_arm import PhysicsReachTasks
from gaml_utils.tasks.reaching import ReachTasks, reached
from gaml_utils.tasks.reaching_objects import ObjectTasks, wanted_places
from gaml_utils.tasks.regression import LineTasks, NoiseTasks, SineTasks
from gaml_utils.tasks.unlabelled import WithUnlabelled
from gaml_utils.tasks.views import ViewTasks

__all__ = [
    "ClusterTasks",
    "EpisodeTasks",
    "LineTasks",
    "Mislabelled",
    "Mixture",
    "NoiseTasks",
    "ObjectTasks",
    "PhysicsReachTasks",
    "ReachTasks",
    "SineTasks",
    "ViewTasks",
    "WithUnlabelled",
    "affine_wobble",
    "centred",
    "cluster",
    "elastic_wobble",
    "reached",
    "same_label_pairs",
    "task_purities",
    "wanted_places",
]
