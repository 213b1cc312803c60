"""How fast is the Keras engine, and how fast is what one would otherwise pick? make bench, or with [bench] installed

    python tests/benchmarks/keras_speed.py [--quick] [--rounds N] [--only WORKLOAD] [--store] [--duels]

Each contender (peer_*.py) is a process with one thread on one core. First it gives its meta-gradient in float64, which
must be the reference's to 1e-6, and the reference must agree with central differences; who is wrong is not timed. Then
the contenders take turns, a block of SECONDS each, ROUNDS times. Rates are outer steps a CPU second, Adam included;
rates and ratios are medians over the rounds. Ours and TensorFlow by hand also take turns in one process (peer_duel.py).
Freed memory is kept for all contenders alike (gaml_utils.memory); TensorFlow uses oneDNN on images. The peers
(jax, torch, higher) are the optional extra `bench`; who is absent is named. Writes build/keras_bench.json; --store
writes data/results/bench.json and README.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from typing import Any, NamedTuple

import numpy as np
from bench_table import with_table
from clocks import per_second
from peer_problems import Problem, megaflops

from gaml_utils.writing import write_text

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
STORED = ROOT / "data/results/bench.json"
ROUNDS, SECONDS, TOLERANCE = 9, 0.4, 1e-6
PACKAGES = ("tensorflow-cpu", "tensorflow", "keras", "numpy", "jax", "jaxlib", "torch", "higher")

WORKLOADS = {
    "sine, 25 tasks, 1 inner step": Problem("sine", 1, 25),
    "sine, 25 tasks, 5 inner steps": Problem("sine", 5, 25),
    "conv4-64 stride, 4 tasks, 1 inner step": Problem("stride", 1, 4),
    "conv4-64 stride, 4 tasks, 5 inner steps": Problem("stride", 5, 4),
    "conv4-64 max-pool, 4 tasks, 1 inner step": Problem("pool", 1, 4),
}
COST = [Problem("sine", 1, tasks) for tasks in (25, 50, 100, 200, 350, 500, 1000)]
COST += [Problem("sine", steps, 25) for steps in (2, 3, 5, 7, 10, 15, 20)]


class Peer(NamedTuple):
    """A contender to be started. needs: what must be installed for it. environment: settings of its own."""

    module: str
    function: str
    needs: tuple = ()
    families: tuple = ("sine", "stride", "pool")
    weights: str = "uniform"
    environment: dict = {}


SINE = ("sine",)
KEPT = {"MALLOC_TOP_PAD_": str(2**26), "MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**30)}
KEPT |= {"MALLOC_ARENA_MAX": str(max(2, os.cpu_count() or 2))}
PEERS = {
    "ours": Peer("peer_tensorflow", "ours"),
    "ours, agreement": Peer("peer_tensorflow", "ours_agreement", weights="agreement"),
    "ours, agreement of outer gradients": Peer("peer_tensorflow", "ours_outer", weights="outer"),
    "ours, power -1 of outer gradients": Peer("peer_tensorflow", "ours_power", weights="power"),
    "ours, fit": Peer("peer_tensorflow", "ours_fit"),
    "ours, fit without diagnostics": Peer("peer_tensorflow", "ours_fit_lean"),
    "ours, XLA": Peer("peer_tensorflow", "ours_xla", families=SINE),
    "ours, 8 a call": Peer("peer_tensorflow", "ours_several", families=SINE),
    "ours, 8 a call, XLA": Peer("peer_tensorflow", "ours_several_xla", families=SINE),
    "ours, fit, 8 a call, XLA": Peer("peer_tensorflow", "ours_fit_several", families=SINE),
    "ours, fit without diagnostics, 8 a call, XLA": Peer("peer_tensorflow", "ours_fit_lean_several", families=SINE),
    "TensorFlow by hand": Peer("peer_tensorflow", "by_hand"),
    "TensorFlow by hand, XLA": Peer("peer_tensorflow", "by_hand_xla", families=SINE),
    "TensorFlow by hand, 8 a call": Peer("peer_tensorflow", "by_hand_several", families=SINE),
    "TensorFlow by hand, 8 a call, XLA": Peer("peer_tensorflow", "by_hand_several_xla", families=SINE),
    "NumPy, Part I (float64)": Peer("peer_numpy", "part_one", families=SINE),
    "JAX jit(vmap)": Peer("peer_jax", "vmap", ("jax",)),
    "JAX jit(vmap), 8 a call": Peer("peer_jax", "vmap_several", ("jax",), SINE),
    "JAX, gradient of the mean": Peer("peer_jax", "mean", ("jax",), SINE),
    "JAX, gradient of the mean, 8 a call": Peer("peer_jax", "mean_several", ("jax",), SINE),
    "JAX, tasks unrolled": Peer("peer_jax", "loop", ("jax",)),
    "torch.func": Peer("peer_torch", "func", ("torch",)),
    "higher": Peer("peer_torch", "higher", ("torch", "higher")),
}
ABSENT = {"learn2learn": "0.2.0 does not build on Python 3.11"}
LIMIT = Peer("peer_tensorflow", "matrix_product", environment={"TF_ENABLE_ONEDNN_OPTS": "1"})
REFERENCE = Peer("peer_tensorflow", "reference")
DUEL = Peer("peer_duel", "duel")
ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "CUDA_VISIBLE_DEVICES": "",
    "JAX_PLATFORMS": "cpu",
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


class Worker:
    """A contender at work, one line in and one line out."""

    def __init__(self, peer: Peer, problem: Problem) -> None:
        command = [sys.executable, str(HERE / "peer_worker.py"), peer.module, peer.function]
        memory = {} if peer.module in ("peer_tensorflow", "peer_duel") else KEPT  # there the module sees to it
        onednn = {"TF_ENABLE_ONEDNN_OPTS": str(int(problem.conv))}
        environment = os.environ | {"PYTHONPATH": str(ROOT)} | ONE_THREAD | memory | onednn | peer.environment
        log = ROOT / "build" / "keras_bench.log"
        log.parent.mkdir(exist_ok=True)
        with log.open("a", encoding="utf-8") as errors:
            self.process = subprocess.Popen(
                [*command, json.dumps(problem._asdict())],
                env=environment,
                cwd=ROOT,
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )

    def answer(self) -> dict | None:
        """Its next line; None if it has died (the log says why)."""
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def block(self, seconds: float) -> dict | None:
        """Let it work for about so long."""
        try:
            print(seconds, file=self.process.stdin, flush=True)
        except BrokenPipeError:
            return None
        return self.answer()

    def end(self) -> None:
        """It stops when nothing more is asked."""
        self.process.communicate()


def progress(what: str) -> None:
    """What is being done, for who waits."""
    print(what, file=sys.stderr, flush=True)


def missing(peer: Peer) -> list[str]:
    """What the contender needs and this Python does not have."""
    return [name for name in peer.needs if importlib.util.find_spec(name) is None]


def ask_once(peer: Peer, problem: Problem) -> Any:
    """The answer to a check."""
    worker = Worker(peer, problem._replace(check=True))
    answer = worker.answer()
    worker.end()
    return answer and answer["gradient"]


def flat(gradient: list) -> np.ndarray:
    """One vector."""
    return np.concatenate([np.ravel(g) for g in gradient])


def check(peers: dict[str, Peer], problem: Problem) -> dict[str, float | None]:
    """Norm-wise distance of each contender's meta-gradient from the reference; None for one that failed."""
    reference = ask_once(REFERENCE, problem)
    if reference is None:
        sys.exit("the reference failed, see build/keras_bench.log")
    if reference["central differences"] > TOLERANCE:
        sys.exit(f"the reference itself is wrong: {reference['central differences']:.1e} from central differences")

    def error(name: str) -> float | None:
        progress(f"  checking {name}")
        gradient, right = ask_once(peers[name], problem), flat(reference[peers[name].weights])
        return gradient and float(np.linalg.norm(flat(gradient) - right) / np.linalg.norm(right))

    with ThreadPoolExecutor(os.cpu_count()) as together:  # nothing is timed here
        return dict(zip(peers, together.map(error, peers), strict=True))


def measure(jobs: dict[str, tuple[Peer, Problem]], rounds: int) -> dict[str, dict]:
    """Rates of each contender, one a round, and its first call and memory; they take turns."""
    workers, found = {}, {}
    for name, job in jobs.items():  # one after the other, so that first calls are undisturbed
        progress(f"  starting {name}")
        workers[name] = Worker(*job)
        if first := workers[name].answer():
            found[name] = {"first call, CPU seconds": first["cpu"], "first call, seconds": first["wall"], "blocks": []}
            workers[name].block(0.0)  # the second call may still compile
    for n in range(rounds):
        progress(f"  round {n + 1} of {rounds}")
        for name in list(found):
            if block := workers[name].block(SECONDS):
                found[name]["blocks"].append(block)
            else:
                del found[name]  # died on the way
    for worker in workers.values():
        worker.end()
    return {name: summary(f) for name, f in found.items()}


def summary(found: dict) -> dict:
    """What is kept of a contender's blocks."""
    blocks = found.pop("blocks")
    clocks = {"rate": "cpu", "wall rate": "wall"}
    rates = {name: [per_second(b["steps"], b[clock]) for b in blocks] for name, clock in clocks.items()}
    memory = {"megabytes": blocks[-1]["megabytes"]}
    return found | memory | {k: float(np.median(v)) for k, v in rates.items()} | {"rounds": rates["rate"]}


def ratio(a: dict, b: dict) -> float:
    """Median over rounds of a's rate over b's."""
    return float(np.median(np.array(a["rounds"]) / np.array(b["rounds"])))


def workload(name: str, rounds: int) -> dict:
    """Check, measure and print one workload."""
    progress(name)
    problem = WORKLOADS[name]
    peers = {k: p for k, p in PEERS.items() if problem.family in p.families}
    notes = ABSENT | {k: "not installed" for k, p in peers.items() if missing(p)}
    peers = {k: p for k, p in peers.items() if k not in notes}
    errors = check(peers, problem)
    notes |= {k: "FAILED in the check, see build/keras_bench.log" for k, e in errors.items() if e is None}
    notes |= {k: f"WRONG by {e:.1e}, so not timed" for k, e in errors.items() if e is not None and not e <= TOLERANCE}
    jobs = {k: (p, problem) for k, p in peers.items() if k not in notes}
    found = measure(jobs | {"matrix product": (LIMIT, problem)}, rounds)
    notes |= {k: "FAILED while timed, see build/keras_bench.log" for k in jobs if k not in found}
    duels = duel(problem)
    report(name, problem, found, errors, notes, duels)
    for k, f in found.items():
        f |= {"gradient error": errors.get(k), "ratio to ours": "ours" in found and ratio(f, found["ours"]) or None}
    limit = found.pop("matrix product", None)
    gigaflops = limit and limit["rate"] * 2 * 2048**3 / 1e9
    for f in found.values():
        del f["rounds"]
    result = {"megaflops": megaflops(problem), "gigaflops of a matrix product": gigaflops}
    return result | {"rates": found, "in one process": duels, "notes": notes}


def duel(problem: Problem) -> dict[str, dict]:
    """Ours and TensorFlow by hand in one process: see peer_duel.py."""
    progress("  the duel")
    worker = Worker(DUEL, problem)
    answer = worker.answer()
    worker.end()
    return answer["found"] if answer else sys.exit("the duel failed, see build/keras_bench.log")


def report(name: str, problem: Problem, found: dict, errors: dict, notes: dict, duels: dict) -> None:
    """The table of one workload."""
    print(f"\n{name}\n{'':46s}{'steps / CPU s':>14s}{'to ours':>9s}{'first call':>12s}{'MB':>7s}{'gradient':>10s}")
    for k, f in found.items():
        if k != "matrix product":
            against = f"{ratio(f, found['ours']):9.3f}" if "ours" in found else f"{'':9s}"
            memory = f"{f['megabytes']:7.0f}" if f["megabytes"] else f"{'':7s}"
            print(f"{k:46s}{f['rate']:14.2f}{against}{f['first call, CPU seconds']:10.1f} s{memory}{errors[k]:10.0e}")
    if limit := found.get("matrix product"):
        rate = limit["rate"] * 2 * 2048**3 / 1e6 / megaflops(problem)
        print(f"{'arithmetic limit':46s}{rate:14.2f}   ({megaflops(problem):.0f} megaflops a step, products only)")
    for way, ratios in duels.items():
        print(f"{'in one process, ' + way:46s}   " + ", ".join(f"{k} {v:.3f}" for k, v in ratios.items()))
    for k, note in notes.items():
        print(f"{k:46s}   {note}", flush=True)


def cost(rounds: int) -> list[dict]:
    """How our rate falls with the tasks and with the inner steps, on sines."""
    jobs = {str(n): (PEERS["ours"], problem) for n, problem in enumerate(COST)}
    found = measure(jobs, rounds)
    print(f"\nours, sines\n{'tasks':>8s}{'inner steps':>14s}{'ms a step':>12s}")
    rows = []
    for n, problem in enumerate(COST):
        milliseconds = 1000 / found[str(n)]["rate"]
        rows.append({"tasks": problem.tasks, "inner steps": problem.steps, "milliseconds": milliseconds})
        print(f"{problem.tasks:8d}{problem.steps:14d}{milliseconds:12.3f}")
    return rows


def write(target: pathlib.Path, result: dict) -> None:
    """As JSON, whole or not at all."""
    target.parent.mkdir(exist_ok=True)
    write_text(target, json.dumps(result, indent=1) + "\n")


def versions() -> dict[str, str]:
    """Of everything that was timed."""
    found = {d.metadata["Name"].lower().replace("_", "-"): d for d in metadata.distributions() if d.metadata["Name"]}
    return {"python": platform.python_version(), "machine": platform.machine()} | {
        name: found[name].version for name in PACKAGES if name in found
    }


def main() -> None:
    """Everything, or with --quick two workloads in three rounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two workloads, three rounds, no figure of the cost")
    parser.add_argument("--rounds", type=int, default=None, help=f"{ROUNDS} by default")
    parser.add_argument("--only", default="", help='workloads whose name holds this text; "cost" for the cost alone')
    parser.add_argument("--store", action="store_true", help="write data/results/bench.json")
    parser.add_argument("--duels", action="store_true", help="only ours against TensorFlow by hand, of the stored run")
    parser.add_argument(
        "--cost", action="store_true", help="only how cost grows with tasks and steps, of the stored run"
    )
    arguments = parser.parse_args()
    if arguments.duels:
        result = json.loads(STORED.read_text(encoding="utf-8"))
        for name in filter(lambda name: arguments.only in name, WORKLOADS):
            progress(name)
            result["workloads"][name]["in one process"] = duel(WORKLOADS[name])
        return store(result)
    if arguments.cost:
        return store(json.loads(STORED.read_text(encoding="utf-8")) | {"cost": cost(ROUNDS)})
    if arguments.store and (arguments.quick or arguments.only):
        parser.error("--store is for a complete run")
    rounds = arguments.rounds or (3 if arguments.quick else ROUNDS)
    names = [name for name in WORKLOADS if arguments.only in name]
    if arguments.quick:
        names = [name for name in names if name.endswith("1 inner step") and "pool" not in name]
    result: dict[str, Any] = {"versions": versions(), "rounds": rounds, "seconds a block": SECONDS}
    result["workloads"] = {}
    build = ROOT / "build/keras_bench.json"
    for name in names:
        result["workloads"][name] = workload(name, rounds)
        write(build, result)  # what is done is not lost
    if not arguments.quick and arguments.only in ("", "cost"):
        result["cost"] = cost(rounds)
    if arguments.store:
        return store(result)
    write(build, result)
    print(f"\nwritten: {build.relative_to(ROOT)}")


def store(result: dict) -> None:
    """As the stored run, and its table into README."""
    write(STORED, result)
    readme = ROOT / "README.md"
    write_text(readme, with_table(readme.read_text(encoding="utf-8"), result))
    print(f"\nwritten: {STORED.relative_to(ROOT)}, README.md")


if __name__ == "__main__":
    main()
