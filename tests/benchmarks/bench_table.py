"""README's table of speeds, out of data/results/bench.json."""

COLUMNS = {
    "ours": ("ours", "ours, XLA", "ours, 8 a call", "ours, 8 a call, XLA"),
    "TensorFlow by hand": (
        "TensorFlow by hand",
        "TensorFlow by hand, XLA",
        "TensorFlow by hand, 8 a call",
        "TensorFlow by hand, 8 a call, XLA",
    ),
    "JAX": (
        "JAX jit(vmap)",
        "JAX jit(vmap), 8 a call",
        "JAX, gradient of the mean",
        "JAX, gradient of the mean, 8 a call",
        "JAX, tasks unrolled",
    ),
    "torch.func": ("torch.func",),
    "higher": ("higher",),
    "NumPy, Part I": ("NumPy, Part I (float64)",),
}


def best(workload: dict, names: tuple) -> float | None:
    """The highest rate among contenders that are right."""
    rates = [workload["rates"][name]["rate"] for name in names if name in workload["rates"]]
    return max(rates, default=None)


def shown(rate: float | None) -> str:
    """Three digits."""
    return "" if rate is None else f"{rate:.0f}" if rate >= 100 else f"{rate:.1f}" if rate >= 10 else f"{rate:.2f}"


def table(bench: dict) -> str:
    """Outer steps a CPU second, the best way of each; what the products alone would allow; the duel in one process."""
    headings = ["workload", *COLUMNS, "arithmetic limit", "ours / by hand, in one process"]
    lines = [f"| {' | '.join(headings)} |", "|---" * len(headings) + "|"]
    for name, workload in bench["workloads"].items():
        limit = 1000 * workload["gigaflops of a matrix product"] / workload["megaflops"]
        rates = [best(workload, names) for names in COLUMNS.values()]
        duel = list(workload["in one process"].values())[-1]["ours / by hand"]  # the fastest way comes last
        lines.append(f"| {name} | " + " | ".join(map(shown, [*rates, limit])) + f" | {duel:.2f} |")
    return "\n".join(lines)


def with_table(readme: str, bench: dict) -> str:
    """The README with the table between its two marks."""
    head, rest = readme.split("<!-- bench -->")
    return f"{head}<!-- bench -->\n{table(bench)}\n<!-- /bench -->{rest.split('<!-- /bench -->')[1]}"
