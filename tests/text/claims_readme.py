"""What README says of the study, and the cells that say so (tests/text/test_study_claims.py)."""

from gaml_utils.experiments.files import load
from gaml_utils.experiments.learners import headlines as learner_headlines
from gaml_utils.experiments.study.verdicts import Headline, cell, headlines


def row(h: Headline, results: dict) -> str:
    """A headline as a row of README's table: the guess, the verdict, and what both rules came to."""
    part, learner, rule = h.cell
    uniform, mine = (cell(results, part, learner, r).mean() for r in ("uniform", rule))
    c = h.comparison
    found = "diverged" if c is None else f"{c.difference:+.3f} [{c.low:+.3f}, {c.high:+.3f}]"
    return f"| {part} | {learner} | {rule} | {h.expected} | {h.verdict} | {uniform:.3f} | {mine:.3f} | {found} |"


STUDY = load("study")
PAPER = "agreement of updates"
POWER, HALF = "power -1 of outer", "power -0.5 of outer"
GLYPHS = ("glyphs", "glyphs, wrong labels")
NUMBERS = [part for part in STUDY["config"]["settings"] if part not in (*GLYPHS, "nothing to learn")]
CLAIMS: list = [(row(h, STUDY), [(*h.cell, h.verdict)]) for h in headlines(STUDY)]
CLAIMS += [
    (
        "In none of the study's settings was the paper's rule better than the mean: not with outliers, not with wrong "
        "labels.",
        [(part, learner, PAPER, "worse") for part in NUMBERS for learner in ("MAML", "Reptile")]
        + [(part, "first-order MAML", PAPER, "worse") for part in ("sines", "two modes")]
        + [(part, learner, PAPER, "no difference found") for part in GLYPHS for learner in ("MAML", "Reptile")]
        + [("nothing to learn", "MAML", PAPER, "worse"), ("nothing to learn", "Reptile", PAPER, "no difference found")],
    ),
    (
        "Where a fifth of the training tasks is *loud* noise, with gradients several times as long as the others', "
        "dividing by the tasks' second moment, `power_weights(-1)` with "
        '`source="outer"`, is better than the mean and has two fifths less error; with two fifths of noise it is '
        "better still against the mean (exploratory).",
        [("noise", "MAML", POWER, "better"), ("noise, 40%", "MAML", POWER, "better")],
    ),
    (
        "On clean sines, with two modes and on characters no difference was found for it in MAML.",
        [(part, "MAML", POWER, "no difference found") for part in ("sines", "two modes", "glyphs")],
    ),
    (
        "On sine regression, with ten paired seeds and the same step-size search on both sides, gradient agreement was "
        "**worse** than the plain mean.",
        [("sines", learner, PAPER, "worse") for learner in ("MAML", "Reptile")],
    ),
    (
        "On 5-way characters that ship with the repository, with five paired seeds and step sizes tuned on validation "
        "scripts for both rules, **no difference was found**.",
        [("glyphs", learner, PAPER, "no difference found") for learner in ("MAML", "Reptile")],
    ),
]

UNLABELLED, COMPARING, IMITATING = (
    {h.name: h for h in learner_headlines(load(name))} for name in ("cactus", "metric", "imitation")
)
OTHERS = {h.name: h for h in learner_headlines(load("learners_sines"), load("learners_glyphs"))}
OTHERS |= UNLABELLED | COMPARING | IMITATING


def told(name: str) -> str:
    """A headline of the other learners, as README has it in brackets."""
    h = OTHERS[name]
    return f"{name}, {h.verdict}, {h.comparison.difference:+.3f} [{h.comparison.low:+.3f}, {h.comparison.high:+.3f}]"


def tied(*names: str) -> list:
    """The cells of these headlines."""
    return [(*OTHERS[name].cells, OTHERS[name].verdict) for name in names]


CLAIMS += [
    (
        f"Both learners leave MAML behind at equal steps ({told('L5')}; {told('L6')}; intervals corrected for "
        "the eight headlines).",
        tied("L5", "L6"),
    ),
    (
        f"Agreement of updates multiplies their errors by more than ten ({told('L1')}; {told('L3')}).",
        tied("L1", "L3"),
    ),
    (
        f"Power -1 of outer gradients was expected to change nothing and did harm ({told('L2')}; {told('L4')}); power "
        "-0.5 is level.",
        [*tied("L2", "L4"), *(((n, HALF), (n, "uniform"), "no difference found") for n in ("Meta-SGD", "CAML"))],
    ),
    (
        f"Lowering the inequality of the losses before the inner loop makes them more equal and larger ({told('L7')}).",
        tied("L7"),
    ),
    (
        f"It holds where MAML falls ({told('L8')}).",
        [(*OTHERS["L8"].cells, "better", {"results": "learners_glyphs", "field": "query_attacked"})],
    ),
]


def tied_in(results: str, *names: str) -> list:
    """The cells of these headlines of other results."""
    return [(*cell, {"results": results}) for cell in tied(*names)]


CLAIMS += [
    (
        f"Telling single images apart is worth more than clusters of pixels ({told('U1')}), and more than training on "
        f"wobbled copies directly ({told('U3')}).",
        tied_in("cactus", "U1", "U3"),
    ),
    (f"The autoencoder was expected to change nothing and does ({told('U2')}).", tied_in("cactus", "U2")),
    (
        f"Weights that turn odd tasks down do nothing for tasks that are impure (power -1: {told('U4')} for "
        f"prototypical networks; {told('U5')} for MAML; both within the margin of two points).",
        tied_in("cactus", "U4", "U5"),
    ),
]

CLAIMS += [
    (
        f"Prototypical networks leave MAML behind ({told('M1')}), and a learned comparison gains a little more "
        f"({told('M2')}).",
        tied_in("metric", "M1", "M2"),
    ),
    (
        f"An episode's outer gradient can be weighed here too, and it does not pay: agreement costs ({told('M3')}), "
        f"power -0.5 changes nothing ({told('M4')}), power -1 costs a little ({told('M5')}, below the margin of two "
        "points).",
        tied_in("metric", "M3", "M4", "M5"),
    ),
]

CLAIMS += [
    (
        f"As shares of goals missed: MIL learns from its demonstration ({told('I1')}), more than MAML with one head "
        f"({told('I2')}); without the actions much less is left ({told('I3')}).",
        tied_in("imitation", "I1", "I2", "I3"),
    ),
    (
        f"Weights: agreement of outer gradients costs ({told('I4')}; +100% [+31, +168] of the error), for power -0.5 "
        f"nothing is decided ({told('I5')}; +11% [-16, +38]), and power -1 is at +18% [-11, +47].",
        tied_in("imitation", "I4", "I5"),
    ),
]
