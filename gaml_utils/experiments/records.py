"""What is stored of an experiment: its config, its jobs and its runs; and what a rule's name says."""

from typing import Any, NamedTuple, TypedDict

SOURCES = ("outer", "updates")  # what a rule of the study compares, as its tables have them


class LearnerSettings(TypedDict, total=False):
    """How a learner is trained and judged; an experiment stores those that its learners have."""

    sizes: list[int]  # units of each layer, inputs and outputs among them (networks in NumPy)
    activation: str  # "relu" or "tanh"
    inner_lr: float
    inner_steps: int
    batch_size: int  # support points that an inner step of Reptile sees; all if not there
    meta_batch: int  # tasks per outer step
    shots: int  # support points per task, or per class
    queries: int  # query points per task, or per class
    iterations: int  # outer steps
    optimizer: str  # of the outer step: a name in scratch.names.OPTIMIZERS
    step_sizes: list[float]  # of the outer step: the list that every rule is tuned over
    test_steps: int  # inner steps up to which it is tested
    selected_after: int  # inner steps after which its step size is chosen


class Setting(TypedDict):
    """One line of the study's grid: who asks, who learns, and which rules weigh."""

    family: str  # of the tasks: "sines", "noise", "shifted phase", "two modes", "nothing to learn" or "glyphs"
    rules: list[str]  # names in weighting.RULES
    learners: list[str]
    meta_batch: int  # tasks per outer step, T
    share: float  # of these that are not of the family
    sources: list[str]  # what MAML's rules compare; Reptile's updates are its outer directions


class Config(TypedDict, total=False):
    """What the trainings of an experiment have in common. It is stored with them, as JSON."""

    seeds: list[int]
    tuning_seeds: list[int]  # over which step sizes are chosen; all seeds if not there
    control_seeds: list[int]  # of a control: uniform weights against themselves
    rules: list[str]  # names in weighting.RULES
    learners: dict[str, Any]  # name -> LearnerSettings; in the study "sines" or "glyphs" -> name -> LearnerSettings
    validation_tasks: Any  # how many; in the study for "sines" and "glyphs"
    test_tasks: Any
    test_queries: Any  # query points per task, or per class
    # of the study
    glyph_seeds: list[int]
    glyph_tuning_seeds: list[int]
    shots: int
    queries: int
    settings: dict[str, Setting]
    glyphs: dict[str, Any]  # ways, filters, iterations and step_sizes of all its learners on images
    # of images
    ways: int
    filters: int
    dtype: str  # of parameters and images; float32 if not there
    meta_batch: int
    iterations: int
    validation_episodes: int
    test_episodes: int
    test_shots: list[int]
    test_steps: list[int]
    # of Omniglot
    training_sets: dict[str, list[str]]  # name of a background set -> rules
    inner_lr: float
    warmup: int
    step_size: float


class Job(TypedDict):
    """One training. Nothing else tells it from the others of its experiment."""

    part: str  # "comparison", a control, a setting of the study, a training set of Omniglot
    learner: str
    rule: str  # a name in weighting.RULES, in the study with what it compares: see Weighing
    step_size: float  # of the outer step
    seed: int


# A run is a job and what came out of it: errors or accuracies (None where the training diverged), weights, seconds.
Run = dict[str, Any]


class Results(TypedDict):
    """A file of results, as experiments.load reads it."""

    experiment: str
    command: str  # that makes the file
    config: Config
    code: str  # SHA-256 of the code of rules and learners: gaml_utils.code; not in the older files
    versions: dict[str, str]
    wall_seconds: float  # of all trainings together
    runs: list[Run]


def job(part: str, learner: str, rule: str, step_size: float, seed: int) -> Job:
    """One training."""
    return {"part": part, "learner": learner, "rule": rule, "step_size": step_size, "seed": seed}


def key(run: Any) -> tuple:
    """(part, learner, rule, step size, seed): what tells one run, or job, from another."""
    return run["part"], run["learner"], run["rule"], run["step_size"], run["seed"]


class Weighing(NamedTuple):
    """A rule, and what it compares: "updates" or "outer" directions. Uniform weights compare nothing.

    In files and tables it is one name: "agreement of outer", "uniform".
    """

    rule: str
    source: str | None = None

    def __str__(self) -> str:
        return self.rule if self.source is None else f"{self.rule} of {self.source}"

    @classmethod
    def named(cls, name: str) -> "Weighing":
        """The record of such a name. Raises ValueError where it ends in a source that there is not."""
        rule, of, source = name.rpartition(" of ")
        if of and source not in SOURCES:
            raise ValueError(f"rule should end in one of {', '.join(f'of {s}' for s in SOURCES)}, got {name!r}")
        return cls(rule, source) if of else cls(name)
