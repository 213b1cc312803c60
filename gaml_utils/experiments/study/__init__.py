"""The study behind chapters 10 and 11: its grid, its results in tables and pictures, and one training of it."""

from gaml_utils.experiments.records import Weighing, job
from gaml_utils.experiments.study.figures import plot_headlines, plot_map
from gaml_utils.experiments.study.grid import HYPOTHESES, STUDY, STUDY_LENGTHS, STUDY_LONG, STUDY_RIDGE
from gaml_utils.experiments.study.plan import rules_of, sources_of, step_sizes, tuned
from gaml_utils.experiments.study.power_figures import plot_powers, plot_tuning, powers_figure
from gaml_utils.experiments.study.power_tables import POWERS, of, power_table, tuning_table
from gaml_utils.experiments.study.sine_training import sine_job, sine_tasks
from gaml_utils.experiments.study.tables import (
    cpu_lines,
    cpu_ratio,
    effect,
    effect_lines,
    end_lines,
    outlier_lines,
    settings_lines,
    sign_lines,
    tally_lines,
)
from gaml_utils.experiments.study.verdicts import cell, headline_table, headlines, verdict

__all__ = [
    "HYPOTHESES",
    "POWERS",
    "STUDY",
    "STUDY_LENGTHS",
    "STUDY_LONG",
    "STUDY_RIDGE",
    "Weighing",
    "cell",
    "cpu_lines",
    "cpu_ratio",
    "effect",
    "effect_lines",
    "end_lines",
    "headline_table",
    "headlines",
    "job",
    "of",
    "outlier_lines",
    "plot_headlines",
    "plot_map",
    "plot_powers",
    "plot_tuning",
    "power_table",
    "powers_figure",
    "rules_of",
    "settings_lines",
    "sign_lines",
    "sine_job",
    "sine_tasks",
    "sources_of",
    "step_sizes",
    "tally_lines",
    "tuned",
    "tuning_table",
    "verdict",
]
