"""The long runs behind data/results: python -m gaml_utils.experiments NAME.

A run that is stopped goes on where it was when it is started again. Each finished training is a line in
NAME.partial.jsonl; when all are there they become NAME.json, written whole or not at all.
"""

import argparse
import json
import sys

from gaml_utils.experiments.crew import Lost
from gaml_utils.experiments.files import QUICK, load
from gaml_utils.experiments.partial_file import Refused
from gaml_utils.experiments.records import Config
from gaml_utils.experiments.registry import EXPERIMENTS
from gaml_utils.experiments.runner import run
from gaml_utils.experiments.study.grid import quick
from gaml_utils.experiments.study.verdicts import headline_table, same_signs


def main(arguments: list[str]) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m gaml_utils.experiments", description=__doc__)
    parser.add_argument("name", choices=EXPERIMENTS)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--jobs", type=int, default=1, help="trainings at a time, in processes of this machine")
    where.add_argument("--scheduler", help="address of a Dask cluster whose workers do them, such as tcp://host:8786")
    parser.add_argument("--seeds", type=int, help="this many seeds, counted from 0, instead of the stored run's")
    parser.add_argument("--quick", action="store_true", help="study only: its small version, into build/quick")
    options = parser.parse_args(arguments)
    if options.jobs < 1 or (options.seeds is not None and options.seeds < 1):
        parser.error("--jobs and --seeds should be at least 1")
    if options.quick and options.name != "study":
        parser.error("--quick is for the study")
    config = EXPERIMENTS[options.name].config
    try:
        _work(options, config)
    except (Refused, Lost, OSError, ImportError) as problem:
        sys.exit(f"{problem}\nWhat was finished is kept; the same command goes on from there.")


def _work(options: argparse.Namespace, config: Config) -> None:
    where = {"processes": options.jobs, "scheduler": options.scheduler}
    if options.quick:
        path = run("study", quick(config), QUICK, **where)
        small = json.loads(path.read_text(encoding="utf-8"))
        print(headline_table(small), same_signs(small, load("study")), sep="\n")
        return
    if options.seeds is not None:
        config = config | {"seeds": list(range(options.seeds))}
    print(run(options.name, config, **where).name)


if __name__ == "__main__":
    main(sys.argv[1:])
