"""What a learner is made with: checked whenever it is set, and what was compiled with the old value is made anew."""

import inspect
from typing import Any

from gaml_utils.checks import check_count, check_source
from gaml_utils.learners.engine.checks import check_rates
from gaml_utils.learners.engine.episodic import EpisodicModel
from gaml_utils.learners.engine.functional import matching


class WithSettings(EpisodicModel):
    """A learner whose settings are the arguments of its __init__. MetaLearner stands on it."""

    _setting_names: frozenset[str]

    def checked_setting(self, name: str, value: Any) -> Any:
        """A setting as the learner keeps it, or a ValueError that names it; called whenever one is set."""
        if name == "model" and getattr(self, "model", value) is not value:
            raise ValueError("model should stay as it is: make a new learner for another model")
        if name in ("weighting", "inner_rule") and not callable(value):
            raise ValueError(f"{name} should be a function, got {value!r}")
        if name == "inner_steps":
            check_count(name, value)
        if name == "source":
            check_source(value)
        if name == "inner_lr":
            return self._rates(value, self.fast)
        if name == "fast":
            value = tuple(value) if isinstance(value, list) else value
            self._rates(getattr(self, "inner_lr", 1.0), value)
        return bool(value) if name in ("unrolled", "transductive", "first_order") else value

    def _rates(self, inner_lr: Any, fast: Any) -> Any:
        theta = self.model.trainable_variables
        return check_rates(inner_lr, [theta[k] for k in matching(theta, fast)])

    @classmethod
    def setting_names(cls) -> frozenset[str]:
        """What learners of this class are made with: the arguments of its __init__ and of those it builds on."""
        if "_setting_names" not in vars(cls):
            classes = [c for c in cls.__mro__ if issubclass(c, WithSettings) and "__init__" in vars(c)]
            found = {name for c in classes for name in inspect.signature(vars(c)["__init__"]).parameters}
            cls._setting_names = frozenset(found - {"self", "args", "kwargs", "name", "dtype"})
        return cls._setting_names

    def __setattr__(self, name: str, value: Any) -> None:
        """A setting is checked when it is set, and what was compiled with the old one is made anew."""
        if name not in type(self).setting_names():
            super().__setattr__(name, value)
            return
        super().__setattr__(name, self.checked_setting(name, value))
        if getattr(self, "functional", None) is not None:
            self.make_functions()
